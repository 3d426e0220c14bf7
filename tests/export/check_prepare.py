"""Prepares photographs as exported PyTorch code does: python check_prepare.py FOLDER/samples.json

Prints one line of JSON for each sample: the largest difference from kiln's, and the part of its values that differ.
"""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

samples = Path(sys.argv[1])
sys.path.insert(0, str(samples.parent))
for sample in json.loads(samples.read_text()):
    name = sample["name"]
    module = importlib.import_module(name)
    # kiln's sample is not normalized yet.
    module.MEAN = None
    found = module.prepare(Image.open(sample["photograph"])).numpy()
    expected = np.fromfile(samples.parent / name, np.float32).reshape(found.shape)
    differences = np.abs(found - expected)
    answer = {"name": name, "largest": float(differences.max()), "different": float((differences > 1e-4).mean())}
    print(json.dumps(answer))
