"""Loads the PyTorch code that kiln wrote and runs it: python check_torch.py FOLDER/cases.json

Prints one line of JSON for each case: the largest difference between its outputs and kiln's, as a part of the largest output where
that is above 1; for the whole batch, for one image, and after softmax. A difference no larger than three
times PyTorch's own rounding (its outputs against the same in double precision) counts as none: deep networks of random weights
amplify the last bits.
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


def difference(found, expected, rounding):
    found = relative(found, expected)
    return found if found > 3 * rounding else 0.0


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
        found = network(images)
        finish = getattr(module, "probabilities", lambda values: values)
        exact = module.load().double()(images.double())
        rounding = relative(found, exact.numpy())
        # Another size of batch is computed in another order.
        one = network(images[:1])
        rounding_of_one = relative(one, exact[:1].numpy())
        answer = {
            "name": name,
            "outputs": difference(found, outputs, rounding),
            "one": difference(one, outputs[:1], rounding_of_one),
            "finished": difference(finish(found), read("finished", (-1,)), rounding),
        }
    # It trains as well: every weight has a gradient.
    network.train()
    network(images[:2]).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())
    print(json.dumps(answer))
