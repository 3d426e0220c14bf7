"""Writes tests/fixtures/onnx: small classifiers as PyTorch exports them, and the outputs of ONNX Runtime.

    python tests/export/make_onnx_models.py tests/fixtures/onnx

Needs torch, onnxscript, onnx and onnxruntime (made with 2.15.0, 0.7.2, 1.23.2 and 1.32.0). Inputs are `noise` of tests/common.
"""

import json
import sys
from pathlib import Path

import numpy
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

FOLDER = Path(sys.argv[1])
IMAGES, CLASSES, SIDE = 3, 5, 32


def noise(count, k):
    values = numpy.sin(12.9898 * numpy.arange(count) + 78.233 * k) * 43758.5453
    return (values - numpy.floor(values)).astype(numpy.float32)


class SqueezeExcite(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.down, self.up = nn.Conv2d(channels, 2, 1), nn.Conv2d(2, channels, 1)

    def forward(self, x):
        scale = nn.functional.adaptive_avg_pool2d(x, 1)
        return x * torch.sigmoid(self.up(torch.relu(self.down(scale))))


class Network(nn.Module):
    """What the usual networks are made of, on a small scale."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        self.depthwise = nn.Sequential(nn.Conv2d(8, 8, 5, 1, 2, groups=8), nn.ReLU6(), SqueezeExcite(8), nn.Conv2d(8, 8, 1))
        self.pool = nn.MaxPool2d(3, 2, 1, ceil_mode=True)
        self.grouped = nn.Sequential(nn.Conv2d(8, 12, 3, dilation=2, groups=4), nn.GroupNorm(3, 12), nn.GELU(), nn.AvgPool2d(2))
        self.norm, self.attend = nn.LayerNorm(12), nn.MultiheadAttention(12, 2, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(12, CLASSES))

    def forward(self, x):
        x = self.stem(x)
        x = self.pool(x + self.depthwise(x))
        x = nn.functional.silu(self.grouped(x)).flatten(2).transpose(1, 2)
        x = self.norm(x)
        x = x + self.attend(x, x, x, need_weights=False)[0]
        return self.head(x.mean(1))


def network():
    torch.manual_seed(1)
    module = Network()
    with torch.no_grad():
        for _ in range(10):
            module(torch.rand(16, 3, SIDE, SIDE))
    return module.eval()


def channels_last(path):
    """As TensorFlow's converters write: channels last, any size, and a softmax at the end."""
    weights = {
        "kernel": noise(6 * 3 * 3 * 3, 1).reshape(6, 3, 3, 3) - 0.5,
        "matrix": noise(6 * CLASSES, 2).reshape(6, CLASSES) - 0.5,
        "bias": noise(CLASSES, 3),
    }
    nodes = [
        helper.make_node("Transpose", ["image"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["first", "kernel"], ["maps"], strides=[2, 2], auto_pad="SAME_UPPER"),
        helper.make_node("Relu", ["maps"], ["positive"]),
        helper.make_node("ReduceMean", ["positive"], ["pooled"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["pooled", "matrix"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "channels_last",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", None, None, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", CLASSES])],
        [numpy_helper.from_array(value.astype(numpy.float32), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def outputs(path, pixels, last=False):
    """The first output, image by image where the batch is fixed."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0]
    pixels = pixels.transpose(0, 2, 3, 1) if last else pixels
    step = port.shape[0] if isinstance(port.shape[0], int) else len(pixels)
    rows = [session.run(None, {port.name: pixels[at : at + step]})[0] for at in range(0, len(pixels), step)]
    return numpy.concatenate(rows).tolist()


def main():
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    example = (torch.rand(1, 3, SIDE, SIDE),)
    any_batch = {"images": {0: "batch"}, "logits": {0: "batch"}}
    named = dict(input_names=["images"], output_names=["logits"])
    torch.onnx.export(
        network(), example, FOLDER / "torchscript.onnx", dynamo=False, opset_version=17, dynamic_axes=any_batch, **named
    )
    torch.onnx.export(network(), example, FOLDER / "dynamo.onnx", dynamo=True, external_data=False, **named)
    torch.onnx.export(network(), example, FOLDER / "external.onnx", dynamo=True, external_data=True, **named)
    for name in ["dynamo", "external"]:
        # Names of files and functions of this machine.
        model = onnx.load(FOLDER / f"{name}.onnx", load_external_data=False)
        for node in [*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output, model.graph]:
            del node.metadata_props[:]
        (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString())
    channels_last(FOLDER / "channels_last.onnx")
    pixels = noise(IMAGES * 3 * SIDE * SIDE, 7).reshape(IMAGES, 3, SIDE, SIDE)
    found = {
        name: outputs(FOLDER / f"{name}.onnx", pixels, last=name == "channels_last")
        for name in ["torchscript", "dynamo", "external", "channels_last"]
    }
    with torch.no_grad():
        found["pytorch"] = network()(torch.from_numpy(pixels)).tolist()
    (FOLDER / "outputs.json").write_text(json.dumps(found, indent=1) + "\n")


main()
