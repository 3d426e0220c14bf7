"""Writes tests/fixtures/data: small sets in the formats in which people have them, by the writers that they use
(numpy 2.4, scipy 1.17, pillow 13, pyarrow 26).

    python tests/data_files/make_files.py

The value of image n in channel c, row y and column x is (37 n + 11 y + 5 x + 50 c) % 251; its class is n % 3. Training sets have
nine images, test sets three (n = 20, 21, 22).
"""

import gzip
import io
import pickle
import struct
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[1] / "fixtures/data"


def image(n, channels, height, width):
    c, y, x = np.ogrid[:channels, :height, :width]
    return ((37 * n + 11 * y + 5 * x + 50 * c) % 251).astype(np.uint8)


def images(numbers, channels=1, height=6, width=5):
    return np.stack([image(n, channels, height, width) for n in numbers])


TRAIN, TEST = range(9), range(20, 23)
LABELS = {"train": np.array([n % 3 for n in TRAIN], np.uint8), "test": np.array([n % 3 for n in TEST], np.uint8)}
GREY = {"train": images(TRAIN)[:, 0], "test": images(TEST)[:, 0]}


def folder(name):
    path = FOLDER / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def packed(content):
    return gzip.compress(content, mtime=0)


def idx(array):
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def mnist():
    path = folder("mnist")
    (path / "train-images-idx3-ubyte.gz").write_bytes(packed(idx(GREY["train"])))
    (path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS["train"]))
    (path / "t10k-images.idx3-ubyte").write_bytes(idx(GREY["test"]))
    (path / "t10k-labels-idx1-ubyte.gz").write_bytes(packed(idx(LABELS["test"])))


def emnist():
    path = folder("emnist")
    for split in ["train", "test"]:
        pixels = np.ascontiguousarray(GREY[split].transpose(0, 2, 1))
        start = path / f"emnist-letters-{split}"
        Path(f"{start}-images-idx3-ubyte.gz").write_bytes(packed(idx(pixels)))
        Path(f"{start}-labels-idx1-ubyte.gz").write_bytes(packed(idx(LABELS[split] + 1)))
        for kind, array in [("images-idx3", pixels), ("labels-idx1", LABELS[split])]:
            (path / f"emnist-balanced-{split}-{kind}-ubyte.gz").write_bytes(packed(idx(array)))
    (path / "emnist-letters-mapping.txt").write_text("1 65 97\n2 66 98\n3 67 99\n")
    (path / "emnist-balanced-mapping.txt").write_text("0 48\n1 65\n2 97\n")


class Pickler2(pickle._Pickler):
    """Writes bytes as Python 2 wrote its texts."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_bytes(self, value):
        short = len(value) < 256
        self.write(b"U" + bytes([len(value)]) if short else b"T" + struct.pack("<I", len(value)))
        self.write(value)
        self.memoize(value)

    dispatch[bytes] = save_bytes


def pickled2(value):
    """A pickle as CIFAR's are: of Python 2 and the NumPy of its time."""
    file = io.BytesIO()
    Pickler2(file, 2).dump(value)
    return file.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def cifar():
    binary, python = folder("cifar-10-batches-bin"), folder("cifar-10-batches-py")
    batches = {f"data_batch_{i + 1}": TRAIN[2 * i : 2 * i + 2] for i in range(5)}
    for name, numbers in {**batches, "test_batch": TEST}.items():
        rows = images(numbers, 3, 32, 32).reshape(len(numbers), -1)
        labels = [n % 3 for n in numbers]
        records = b"".join(bytes([label]) + row.tobytes() for label, row in zip(labels, rows))
        (binary / f"{name}.bin").write_bytes(records)
        names = [b"image_%d.png" % n for n in numbers]
        batch = {b"batch_label": name.encode(), b"labels": labels, b"data": rows, b"filenames": names}
        (python / name).write_bytes(pickled2(batch))
    binary, python = folder("cifar-100-binary"), folder("cifar-100-python")
    for name, numbers in {"train": TRAIN, "test": TEST}.items():
        rows = images(numbers, 3, 32, 32).reshape(len(numbers), -1)
        labels = [n % 3 for n in numbers]
        records = b"".join(bytes([label, label]) + row.tobytes() for label, row in zip(labels, rows))
        (binary / f"{name}.bin").write_bytes(records)
        entries = {"filenames": [str(n) for n in numbers], "fine_labels": labels, "coarse_labels": labels, "data": rows}
        if name == "train":
            content = pickled2({key.encode(): value for key, value in entries.items()})
        else:
            # As people write it again with a new Python.
            content = pickle.dumps(entries, 5)
        (python / name).write_bytes(content)
    evil = folder("cifar-evil")
    for name in ["train", "test"]:
        (evil / name).write_bytes(b"cos\nsystem\n(S'touch executed'\ntR.")


def main():
    mnist()
    emnist()
    cifar()


if __name__ == "__main__":
    main()
