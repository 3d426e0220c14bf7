"""Writes files that kiln refuses with the Python that makes a state_dict of them, and runs such Python.

    python tests/weights/make_unreadable.py write FOLDER
    python tests/weights/make_unreadable.py run FILE

FILE is a JSON list of pairs: code, and null or the name of a model, which the code finds as `model`. The values are those of `whole` in files.rs.
"""

import json
import pickle
import sys
import warnings
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune, spectral_norm, weight_norm

sys.path.insert(0, str(Path(__file__).parent))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 3), nn.Linear(3, 2)])
        for i, (_, parameter) in enumerate(sorted(self.named_parameters())):
            parameter.data = (torch.arange(parameter.numel()) * 0.25 + i).reshape(parameter.shape)

    def forward(self, x):
        return self.layers[1](torch.relu(self.layers[0](x)))


def changed(change):
    net = Net().eval()
    for layer in net.layers:
        change(layer)
    return net


def unmasked(layer):
    """Prunes nothing, so that the values stay."""
    prune.custom_from_mask(layer, "weight", torch.ones_like(layer.weight))


def spectral(layer):
    """Divides by the largest singular value, of which the last layer has 1."""
    spectral_norm(layer)


MODELS = {
    "weight_norm": lambda: changed(weight_norm),
    "parametrized": lambda: changed(parametrizations.weight_norm),
    "pruned": lambda: changed(unmasked),
    "spectral": lambda: changed(spectral),
}


def write(folder):
    net = Net()
    weights = net.state_dict()
    nested = lambda convert: {"epoch": 3, "state_dict": {k: convert(v) for k, v in weights.items()}}
    array = lambda v: numpy.asarray(v)
    files = {
        "arrays": nested(array),
        "sparse": nested(lambda v: v.to_sparse()),
        "float8": nested(lambda v: v.to(torch.float8_e4m3fn)),
        "complex": nested(lambda v: v.to(torch.complex64)),
        "quantized": nested(lambda v: torch.quantize_per_tensor(v, 0.25, 0, torch.qint8)),
    }
    module = Net()
    module.layers[0].weight = nn.Parameter(module.layers[0].weight.detach().to_sparse())
    files["sparse_module"] = module
    dynamic = torch.ao.quantization.quantize_dynamic(Net(), {nn.Linear}, dtype=torch.qint8)
    files["dynamic_module"] = dynamic
    files["dynamic"] = dynamic.state_dict()
    for name, model in MODELS.items():
        files[name] = model().state_dict()
    for name, content in files.items():
        torch.save(content, folder / f"{name}.pt")
    with open(folder / "pickled.pt", "wb") as file:
        pickle.dump(nested(array), file)
    # A checkpoint in two files, beside one that is not part of it.
    names = {}
    for i, (name, tensor) in enumerate(weights.items()):
        names[name] = f"part-{i % 2}.bin"
    for part in set(names.values()):
        torch.save({k: v for k, v in weights.items() if names[k] == part}, folder / part)
    torch.save({k: v + 1 for k, v in weights.items()}, folder / "training.bin")
    (folder / "sharded.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))


if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]))
    else:
        for code, name in json.loads(Path(sys.argv[2]).read_text()):
            exec(code, {"model": MODELS[name]() if name else None})
