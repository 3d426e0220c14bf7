"""Plants mistakes in a copy of a real data set, and counts how many of them `kiln data check --json` finds.

  plant.py flowers17 KILN_DATA OUT    # 5 % of the labels changed, 20 near duplicates across splits
  plant.py copies KILN_DATA OUT       # nist26: every R is a copy of a U
  plant.py others KILN_DATA OUT       # nist26: every R is another U, from nist36
  plant.py judge OUT CHECK.json       # {"labels": found, "of_labels": n, ...}, labels among the first 2 n suspects

OUT becomes a folder for KILN_DATA, with a config.json. Needs Pillow, NumPy and SciPy.
"""

import json
import random
import shutil
import sys
from pathlib import Path

SEED = 17
DUPLICATES = 20
SHARE = 0.05
R, U = ord("R") - ord("A"), ord("U") - ord("A")


def flowers17(data, out):
    from PIL import Image, ImageEnhance

    draw = random.Random(SEED)
    folder = out / "flowers17"
    splits = {"train", "val", "test"}
    for split in splits:
        shutil.copytree(data / "flowers17" / split, folder / split)
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    classes = sorted({p.parent.name for p in files})
    changed = []
    for path in draw.sample(files, round(SHARE * len(files))):
        other = draw.choice([c for c in classes if c != path.parent.name])
        to = path.parent.parent / other / path.name
        assert not to.exists(), to
        path.rename(to)
        changed.append(str(to.relative_to(folder)))
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    pairs = []
    for number, path in enumerate(draw.sample(files, DUPLICATES)):
        image = Image.open(path).convert("RGB")
        width, height = image.size
        cut = [draw.uniform(0.01, 0.05) for _ in range(4)]
        box = (cut[0] * width, cut[1] * height, (1 - cut[2]) * width, (1 - cut[3]) * height)
        image = image.crop(tuple(round(edge) for edge in box))
        if number % 2:
            image = image.resize((round(image.width * 0.8), round(image.height * 0.8)))
        image = ImageEnhance.Brightness(image).enhance(draw.uniform(0.85, 1.15))
        split = path.parent.parent.name
        other = draw.choice(sorted(splits - {split}))
        to = folder / other / path.parent.name / f"planted_{number}.jpg"
        image.save(to, quality=draw.randint(70, 90))
        pairs.append([str(p.relative_to(folder)) for p in (path, to)])
    config = json.loads((Path(__file__).parents[2] / "configs/flowers17_squeezenet.json").read_text())
    del config["$schema"]
    if (data / "squeezenet1_1").is_dir():
        (out / "squeezenet1_1").symlink_to((data / "squeezenet1_1").resolve())
    return config, {"labels": changed, "duplicates": pairs}


def nist26(data, out, others):
    import numpy
    import scipy.io

    content = scipy.io.loadmat(data / "nist26/nist26_valid.mat")
    images, labels = content["valid_data"], content["valid_labels"].argmax(1)
    if others:
        more = scipy.io.loadmat(data / "nist36/nist36_train.mat")
        filling = more["train_data"][more["train_labels"].argmax(1) == U]
    else:
        filling = images[labels == U]
    images[labels == R] = filling[: (labels == R).sum()]
    (out / "nist26").mkdir(parents=True)
    kept = {"valid_data": images, "valid_labels": content["valid_labels"]}
    scipy.io.savemat(out / "nist26/nist26_valid.mat", kept, do_compression=True)
    assert isinstance(images, numpy.ndarray)
    config = {"data": {"kind": "nist26"}, "model": {"kind": "cnn"}}
    return config, {"taken": ["R", "U"], "copies": 0 if others else int((labels == R).sum())}


def judge(planted, check):
    found = {}
    if "labels" in planted:
        n = len(planted["labels"])
        suspects = check["labels"]["suspects"] + check["labels"]["doubtful"]
        names = [s["sample"]["name"] for s in suspects[: 2 * n]]
        found |= {"of_labels": n, "labels": len(set(names) & set(planted["labels"])), "suspects": len(check["labels"]["suspects"])}
    if "duplicates" in planted:
        n = len(planted["duplicates"])
        groups = [{s["name"] for s in d["samples"]} for d in check["duplicates"]]
        hit = [pair for pair in planted["duplicates"] if any(set(pair) <= group for group in groups)]
        # Flowers-17 has pairs of its own.
        other = [sorted(g) for g in groups if not any(set(pair) <= g for pair in planted["duplicates"])]
        found |= {"of_duplicates": n, "duplicates": len(hit), "other_duplicates": len(other)}
    if "taken" in planted:
        both = [t for t in check["taken"] if {t["class"], t["other"]} == set(planted["taken"])]
        first = check["taken"][:1] == both[:1] and bool(both)
        exact = [d for d in check["duplicates"] if d["different_classes"] and d["likeness"] == "exact"]
        found |= {"taken_first": first, "taken": len(check["taken"]), "of_copies": planted["copies"], "copies": len(exact),
                  "near": sum(d["likeness"] == "near" for d in check["duplicates"])}
    return found


def main(what, *paths):
    if what == "judge":
        out, check = map(Path, paths)
        planted = json.loads((out / "planted.json").read_text())
        print(json.dumps(judge(planted, json.loads(check.read_text()))))
        return
    data, out = map(Path, paths)
    out.mkdir(parents=True, exist_ok=True)
    config, planted = flowers17(data, out) if what == "flowers17" else nist26(data, out, what == "others")
    (out / "config.json").write_text(json.dumps(config, indent=2))
    (out / "planted.json").write_text(json.dumps(planted, indent=2))


main(*sys.argv[1:])
