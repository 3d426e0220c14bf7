"""Loads the PyTorch code that kiln wrote and runs it: python check_torch.py FOLDER/cases.json

Prints one line of JSON for each case: the largest difference between its outputs in double precision and kiln's, as a part of the
largest output where that is above 1; for the whole batch, for one image, and after softmax; and between its outputs in
single and in double precision.
"""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import torch

torch.set_num_threads(1)


def relative(found, expected):
    found = found.numpy()
    assert found.size == expected.size, (found.shape, expected.shape)
    expected = expected.reshape(found.shape)
    assert np.isfinite(found).all()
    return float(np.abs(found - expected).max() / max(1, np.abs(expected).max()))


cases = Path(sys.argv[1])
sys.path.insert(0, str(cases.parent))
for case in json.loads(cases.read_text()):
    name, batch = case["name"], case["batch"]
    read = lambda ending, shape: np.fromfile(cases.parent / f"{name}.{ending}", np.float32).reshape(batch, *shape)
    images = torch.from_numpy(read("input", case["shape"]))
    outputs = read("outputs", (-1,))
    module = importlib.import_module(name)
    network = module.load()
    with torch.no_grad():
        finish = getattr(module, "probabilities", lambda values: values)
        # Deep networks of random weights amplify the last bits: in single precision, PyTorch's own answers differ by the size of a batch.
        double = module.load().double()
        exact, one = double(images.double()), double(images[:1].double())
        answer = {
            "name": name,
            "outputs": relative(exact, outputs),
            "one": relative(one, outputs[:1]),
            "finished": relative(finish(exact), read("finished", (-1,))),
            "single": relative(network(images), exact.numpy()),
        }
    # It trains as well: every weight has a gradient.
    network.train()
    network(images[:2]).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())
    print(json.dumps(answer))
