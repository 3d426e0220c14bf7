#!/usr/bin/env python3
"""Trains the head of SqueezeNet on a folder of JPEGs with kiln and with PyTorch (ImageFolder and DataLoader), in turns.

Neither keeps decoded images, so that every image is decoded in every epoch. Prints samples per second of the training part, and the
peak of the process's memory (PyTorch: of all its processes). FOLDER has train/ and val/ with a folder for each class. Needs torch and
torchvision, KILN_DATA with squeezenet1_1/ (kiln data fetch squeezenet1_1) and a quiet machine.

    benches/loader.py FOLDER --kiln target/release/kiln --images 5000
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

TORCH = """
import sys, time, resource
import torch, torchvision
from torchvision import transforms as T
folder, weights, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
transform = T.Compose([T.RandomResizedCrop(224, scale=(0.25, 1)), T.RandomHorizontalFlip(), T.ColorJitter(0.2, 0.2, 0.2), T.ToTensor(),
                       T.Normalize(mean, std)])
data = torchvision.datasets.ImageFolder(folder + '/train', transform)
loader = torch.utils.data.DataLoader(data, batch_size=32, shuffle=True, num_workers=workers, persistent_workers=True)
model = torchvision.models.squeezenet1_1()
state = {k: v for k, v in torch.load(weights, weights_only=True).items() if k.startswith('features.')}
model.load_state_dict(state, strict=False)
model.classifier[1] = torch.nn.Conv2d(512, len(data.classes), 1)
for parameter in model.features.parameters():
    parameter.requires_grad = False
optimizer = torch.optim.Adam(model.classifier.parameters(), lr=2e-3)
loss = torch.nn.CrossEntropyLoss()
model.train()
began, samples = time.time(), 0
for images, labels in loader:
    optimizer.zero_grad()
    loss(model(images), labels).backward()
    optimizer.step()
    samples += len(labels)
seconds = time.time() - began
del loader
own, children = (resource.getrusage(w).ru_maxrss / 1024 for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(samples / seconds, own + workers * children)
"""


def subset(folder, count, target):
    """Links to `count` images of train/ and one of val/ per class."""
    for split, total in (("train", count), ("val", 0)):
        classes = sorted(p for p in (folder / split).iterdir() if p.is_dir())
        each = max(total // len(classes), 1)
        for source in classes:
            place = target / split / source.name
            place.mkdir(parents=True)
            for image in sorted(source.iterdir())[:each]:
                (place / image.name).symlink_to(image.resolve())
    return len(classes)


def kiln(program, folder, classes, runs, number):
    """Samples per second and peak MB of an epoch."""
    data = {
        "kind": "image_folder", "folder": str(folder), "channels": 3, "height": 224, "width": 224, "fit": "crop", "centre": 0.875,
        "random_crop": {"scale": [0.25, 1.0]}, "memory_mb": 0,
        "normalize": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
        "augment": {"flip": 0.5, "brightness": 0.2, "contrast": 0.2, "saturation": 0.2},
    }
    config = {
        "data": data, "model": {"kind": "squeezenet", "classes": classes},
        "init": {"weights": "squeezenet1_1/squeezenet1_1.pth", "except": ["classifier.*"]},
        "parameters": [{"names": "features.*", "frozen": True}],
        "optimizer": {"kind": "adam", "lr": 2e-3}, "training": {"epochs": 1, "batch_size": 32},
    }
    path = runs / "config.json"
    path.write_text(json.dumps(config))
    process = subprocess.Popen([program, "train", path, "--run-dir", runs / str(number)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = 0
    while process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            peak = max([peak] + [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")])
        except (OSError, ProcessLookupError):
            pass
        time.sleep(0.2)
    if process.returncode:
        sys.exit(process.stderr.read().decode())
    timing = json.loads((runs / str(number) / "timing.jsonl").read_text().splitlines()[0])
    return timing["samples_per_second"], peak / 1024


def torch(folder, workers):
    weights = pathlib.Path(os.environ["KILN_DATA"]) / "squeezenet1_1" / "squeezenet1_1.pth"
    output = subprocess.run([sys.executable, "-c", TORCH, folder, weights, str(workers)], check=True, capture_output=True, text=True)
    speed, peak = map(float, output.stdout.split())
    return speed, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--kiln", required=True)
    parser.add_argument("--images", type=int, default=5000, help="training images (default 5000)")
    parser.add_argument("--workers", type=int, default=2, help="processes of the DataLoader (default 2)")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / "images"
        classes = subset(args.folder, args.images, folder)
        found = {"kiln": [], "PyTorch": []}
        for number in range(args.rounds):
            found["kiln"].append(kiln(args.kiln, folder, classes, pathlib.Path(name), number))
            found["PyTorch"].append(torch(folder, args.workers))
            for program, results in found.items():
                print(f"round {number + 1}: {program} {results[-1][0]:.1f} samples/s, peak {results[-1][1]:.0f} MB", flush=True)
        kilns, torches = ([speed for speed, _ in results] for results in found.values())
        print(f"medians: kiln {statistics.median(kilns):.1f}, PyTorch {statistics.median(torches):.1f} samples/s")


if __name__ == "__main__":
    main()
