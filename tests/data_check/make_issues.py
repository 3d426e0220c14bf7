"""Writes issues.json: probabilities, labels, and the issues that cleanlab (2.9.0, by the authors of confident learning) finds."""

import json
from pathlib import Path

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_normalized_margin_for_each_label

draw = np.random.default_rng(3)
CLASSES, SAMPLES = 4, 80
truth = draw.integers(0, CLASSES, SAMPLES)
logits = draw.normal(0, 1.3, (SAMPLES, CLASSES))
logits[np.arange(SAMPLES), truth] += 3
probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
# A model with its rounding: every number is exact in a file.
probabilities = np.round(probabilities, 4)
labels = truth.copy()
changed = draw.choice(SAMPLES, 16, replace=False)
labels[changed] = (labels[changed] + draw.integers(1, CLASSES, 16)) % CLASSES
issues = find_label_issues(labels, probabilities, filter_by="confident_learning",
                           return_indices_ranked_by="normalized_margin", n_jobs=1)
(Path(__file__).parent / "issues.json").write_text(json.dumps({
    "probabilities": probabilities.tolist(),
    "labels": labels.tolist(),
    "issues": [int(i) for i in issues],
}) + "\n")
print(len(issues), sorted(set(issues.tolist()) & set(changed.tolist())))
