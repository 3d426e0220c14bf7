"""Writes tests/fixtures/checkpoints: one small network in the forms in which people save them (torch 2.15).

    python tests/weights/make_checkpoints.py [FOLDER]

The values are those of `whole` in files.rs: quarters, which every precision holds.
"""

import copy
import pickle
import sys
import warnings
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).parents[1] / "fixtures/checkpoints"


class Net(torch.nn.Module):
    """A perceptron from 2x2 pixels over three units to two classes, with kiln's names."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList([torch.nn.Linear(4, 3), torch.nn.Linear(3, 2)])
        # Neither is part of a state_dict.
        self.register_buffer("scratch", torch.ones(2), persistent=False)
        self.history = [torch.ones(3)]

    def forward(self, x):
        return self.layers[1](torch.sigmoid(self.layers[0](x.flatten(1))))


class Named(torch.nn.Module):
    """The same network with the names that most people use."""

    def __init__(self):
        super().__init__()
        self.fc1 = torch.nn.Linear(4, 3)
        self.fc2 = torch.nn.Linear(3, 2)

    def forward(self, x):
        return self.fc2(torch.sigmoid(self.fc1(x.flatten(1))))


class Wrapped(torch.nn.Module):
    """What Lightning saves: the network as an attribute, beside a loss with weights of the classes."""

    def __init__(self, net):
        super().__init__()
        self.net = net
        self.criterion = torch.nn.CrossEntropyLoss(weight=torch.tensor([0.25, 0.75]))


class Sequence(torch.nn.Module):
    """A fully connected layer on sequences, which ONNX has as a product with a transposed weight, and one on vectors."""

    def __init__(self):
        super().__init__()
        self.mix = torch.nn.Linear(3, 3)
        self.head = torch.nn.Linear(48, 2)

    def forward(self, x):
        return self.head(torch.relu(self.mix(x)).flatten(1))


class Callback:
    def __init__(self):
        self.best = 0.5


def filled(net):
    for i, (_, parameter) in enumerate(sorted(net.named_parameters())):
        parameter.data = (torch.arange(parameter.numel()) * 0.25 + i).reshape(parameter.shape)
    return net


def strided(tensors):
    """The same values, in memory that the tensors share, with gaps and by columns."""
    shared = torch.full((64,), 99.0)
    found, at = OrderedDict(), 3
    for name, tensor in tensors.items():
        if tensor.dim() == 2:
            place = shared[at : at + tensor.numel()].view(tensor.shape[1], tensor.shape[0]).t()
            step = tensor.numel()
        else:
            place = shared[at : at + 2 * tensor.numel() : 2]
            step = 2 * tensor.numel()
        place.copy_(tensor)
        found[name], at = place, at + step
    return found


def main():
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    net = filled(Net())
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    weights = filled(net).state_dict()
    legacy = {"_use_new_zipfile_serialization": False}
    as_type = lambda dtype: {name: tensor.to(dtype) for name, tensor in weights.items()}
    lightning = {
        "epoch": 3,
        "global_step": 12,
        "pytorch-lightning_version": "2.4.0",
        "state_dict": Wrapped(net).state_dict(),
        "loops": {"fit_loop": {"state_dict": {}}},
        "callbacks": {"EarlyStopping": {"best_score": torch.tensor(0.5)}, "own": Callback()},
        "optimizer_states": [optimizer.state_dict()],
        "lr_schedulers": [],
        "hyper_parameters": {"lr": 1e-3, "widths": [4, 3, 2], "device": torch.device("cpu")},
    }
    files = {
        "state_dict.pt": weights,
        "whole_module.pt": net,
        "data_parallel.pt": torch.nn.DataParallel(net).state_dict(),
        "compiled.pt": torch.compile(net).state_dict(),
        "parallel_part.pt": {k.replace("layers.", "layers.module."): v for k, v in weights.items()},
        "lightning.ckpt": lightning,
        "model_and_optimizer.pt": {"optimizer": optimizer.state_dict(), "model": weights, "loss": 0.5},
        "net.pt": {"net": weights, "acc": 91.2, "epoch": 7},
        "module_in_dictionary.pt": {"epoch": 7, "checkpoint": net},
        "average.pt": {"model": weights, "model_ema": {k: v + 1 for k, v in weights.items()}},
        "float16.pt": as_type(torch.float16),
        "bfloat16.pt": as_type(torch.bfloat16),
        "float64.pt": as_type(torch.float64),
        "strided.pt": strided(weights),
        "named.pt": filled(Named()).state_dict(),
        "sparse.pt": {name: tensor.to_sparse() for name, tensor in weights.items()},
        # A name whose first entry in the archive has as many bytes as the long form of the archive's end.
        "stem_of_21_characters.pt": weights,
    }
    for name, content in files.items():
        torch.save(content, folder / name)
    torch.save(weights, folder / "legacy_state_dict.pt", **legacy)
    torch.save(net, folder / "legacy_whole_module.pt", **legacy)
    torch.save(strided(weights), folder / "legacy_strided.pt", **legacy)
    torch.save(weights, folder / "protocol_4.pt", pickle_protocol=4)
    with open(folder / "plain_pickle.pkl", "wb") as file:
        pickle.dump(weights, file)
    with open(folder / "numpy.pkl", "wb") as file:
        pickle.dump({name: tensor.numpy() for name, tensor in weights.items()}, file)
    quantized = {n: torch.quantize_per_tensor(t, 0.25, 0, torch.qint8) for n, t in weights.items()}
    torch.save(quantized, folder / "quantized.pt")
    torch.jit.script(Named()).save(folder / "torchscript.pt")
    torch.onnx.export(filled(Sequence()), (torch.ones(2, 16, 3),), folder / "sequence.onnx", dynamo=False)
    with open(folder / "protocol_0.pkl", "wb") as file:
        pickle.dump(weights, file, protocol=0)
    save_file(copy.deepcopy(filled(Named()).state_dict()), folder / "named.safetensors")


if __name__ == "__main__":
    main()
