"""Checks ONNX files that kiln wrote and runs them: python check_onnx.py FOLDER/cases.json

Prints one line of JSON for each case: the largest difference between ONNX Runtime's answers and kiln's, as a part of the largest
answer where that is above 1; for the whole batch and for one image, without preprocessing and with it.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3


def run(path, images):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (batch,) = session.run(None, {"images": images})
    (one,) = session.run(None, {"images": images[:1]})
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    return batch, one, session.get_outputs()[0].name, metadata


def difference(found, expected):
    assert found.size == expected.size, (found.shape, expected.shape)
    expected = expected.reshape(found.shape)
    assert np.isfinite(found).all()
    return float(np.abs(found - expected).max() / max(1, np.abs(expected).max()))


cases = Path(sys.argv[1])
for case in json.loads(cases.read_text()):
    name, (channels, height, width), batch = case["name"], case["shape"], case["batch"]
    path = str(cases.parent / name)
    read = lambda ending, kind, shape: np.fromfile(f"{path}.{ending}", kind).reshape(batch, *shape)
    images = read("input", np.float32, (channels, height, width))
    logits = read("outputs", np.float32, (-1,))
    raw = read("raw", np.uint8, (height, width, channels))
    finished = read("finished", np.float32, (-1,))
    found, one, output, metadata = run(path + ".onnx", images)
    found_finished, finished_one, finished_output, _ = run(path + "_raw.onnx", raw)
    answer = {
        "name": name,
        "logits": difference(found, logits),
        "one": difference(one, logits[:1]),
        "finished": difference(found_finished, finished),
        "finished_one": difference(finished_one, finished[:1]),
        "outputs": [output, finished_output],
        "metadata": metadata,
    }
    print(json.dumps(answer))
