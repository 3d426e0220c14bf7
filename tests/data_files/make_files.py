"""Writes tests/fixtures/data: small sets in the formats in which people have them, by the writers that they use
(numpy 2.4, scipy 1.17, pandas 3.1, pillow 13, pyarrow 26).

    python tests/data_files/make_files.py

The value of image n in channel c, row y and column x is (37 n + 11 y + 5 x + 50 c) % 251; its class is n % 3. Training sets have
nine images, test sets three (n = 20, 21, 22).
"""

import gzip
import io
import json
import pickle
import struct
from pathlib import Path

import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.io
from PIL import Image

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


def in_other_types():
    """The images in several types and orders: name, images, labels."""
    grey, labels = GREY["train"], LABELS["train"]
    colour = images(TRAIN, 3)
    names = np.array(["ant", "bee", "cat"])[labels]
    return {
        "fortran": (np.asfortranarray(grey), labels),
        "unit_f16": ((grey / 255).astype(np.float16), labels.astype(">i8")),
        "big_endian_f32": ((grey / 255).astype(">f4"), labels[:, None]),
        "signed_f64": (grey / 127.5 - 1, np.eye(3)[labels]),
        "word_u16": (grey.astype(">u2") * 257, names),
        "i32_rows": (grey.reshape(9, -1).astype(np.int32), names.astype("S")),
        "last": (colour.transpose(0, 2, 3, 1), labels.astype(np.int8)),
        "first": (colour, labels.astype(np.uint64)),
    }


def npz():
    path = folder("npz")
    pairs = {"x_train": GREY["train"], "y_train": LABELS["train"], "x_test": GREY["test"], "y_test": LABELS["test"]}
    np.savez(path / "mnist.npz", **pairs)
    np.savez_compressed(path / "packed.npz", **pairs)
    medical = {f"{split}_{kind}": array for split in ["train", "test"] for kind, array in [("images", GREY[split]), ("labels", LABELS[split][:, None])]}
    np.savez_compressed(path / "medical.npz", **medical)
    members = {}
    for name, (pixels, labels) in in_other_types().items():
        members[f"{name}_pixels"], members[f"{name}_names"] = pixels, labels
    np.savez_compressed(path / "types.npz", **members)
    objects = np.empty(9, object)
    objects[:] = list(GREY["train"])
    np.savez_compressed(path / "objects.npz", x_train=objects, y_train=LABELS["train"])
    pair = folder("npz/pair")
    np.save(pair / "images.npy", GREY["train"])
    np.save(pair / "labels.npy", LABELS["train"])
    with open(folder("npz/huge") / "x.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (137_438_953_472,)})
    np.save(path / "huge/y.npy", LABELS["train"])


def csv():
    path = folder("csv")
    train = pandas.DataFrame(GREY["train"].reshape(9, -1), columns=[f"pixel{i}" for i in range(30)])
    test = pandas.DataFrame(GREY["test"].reshape(3, -1), columns=train.columns)
    test.to_csv(path / "test.csv", index=False)
    train.insert(0, "label", LABELS["train"])
    train.to_csv(path / "train.csv", index=False)
    test["label"] = LABELS["test"]
    test.to_csv(path / "labelled_test.csv.gz", index=False, compression={"method": "gzip", "mtime": 0})
    train.to_csv(path / "bare.csv", index=False, header=False, lineterminator="\r\n")
    pixels = train.drop(columns="label") / 255
    pixels.assign(letter=np.array(["a", "b", "c"])[LABELS["train"]]).to_csv(path / "last.csv", index=False, sep=";")
    rows = images(TRAIN, 3).transpose(0, 2, 3, 1).reshape(9, -1)
    colour = pandas.DataFrame(rows, columns=[f"pixel{i:04}" for i in range(90)])
    colour.assign(label=LABELS["train"]).to_csv(path / "colour.csv", index=False)
    lines = (path / "train.csv").read_text().splitlines()
    (path / "short.csv").write_text("\n".join(lines[:4] + [lines[4].rsplit(",", 1)[0]] + lines[5:]) + "\n")
    (path / "words.csv").write_text("\n".join(lines[:3] + [lines[3].rsplit(",", 1)[0] + ",white"]) + "\n")


def twofold():
    """Arrays of which it is not clear what they are, and wrong ones."""
    wild = GREY["train"].astype(np.float32)
    wild[2, 5, 0] = -5
    names = np.array(["ant", "bee", "cat"])[LABELS["train"]]
    names[8] = ""
    np.savez_compressed(
        folder("npz") / "twofold.npz",
        x_train=GREY["train"], train_images=GREY["train"], y_train=LABELS["train"],
        names=names, more=LABELS["train"] + 1, wild=wild,
    )


def savemat(path, content, do_compression=False):
    """Without the time that scipy writes into the header."""
    scipy.io.savemat(path, content, do_compression=do_compression)
    written = path.read_bytes()
    path.write_bytes(b"MATLAB 5.0 MAT-file, written by scipy.io.savemat".ljust(116) + written[116:])


def mat():
    path = folder("mat")
    for split, numbers in {"train": TRAIN, "test": TEST}.items():
        colour = images(numbers, 3).transpose(2, 3, 1, 0)
        labels = LABELS[split][:, None] + 1
        savemat(path / f"{split}_32x32.mat", {"X": colour, "y": labels}, do_compression=True)
        rows = np.stack([image.ravel(order="F") for image in GREY[split]])
        # The course's form, but from 0 to 255 and of labels from 1.
        savemat(path / f"other_{split}.mat", {f"{split}_data": rows.astype(float), f"{split}_labels": LABELS[split][:, None] + 1})
        savemat(path / f"hot_{split}.mat", {f"{split}_data": rows / 255, f"{split}_labels": np.eye(3)[LABELS[split]]}, do_compression=True)
    digits = np.stack([image(n, 1, 6, 5)[0] for n in range(10)])
    savemat(path / "digits.mat", {"X": digits.transpose(1, 2, 0), "y": np.array([10, *range(1, 10)])[:, None]})
    savemat(path / "stack.mat", {"images": GREY["train"], "labels": LABELS["train"][None] + 1, "words": np.array(["x"], object)})
    parts = {
        split: {"images": np.stack([i.ravel(order="F") for i in GREY[split]]), "labels": LABELS[split][:, None], "writers": np.zeros((1, 1))}
        for split in ["train", "test"]
    }
    emnist = {"dataset": {**parts, "mapping": np.array([[0, 48], [1, 65], [2, 97]])}}
    savemat(path / "emnist.mat", emnist, do_compression=True)
    savemat(path / "emnist_plain.mat", emnist)
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\2IM"
    (path / "hdf5.mat").write_bytes(header + b"\0" * 384 + b"\x89HDF\r\n\x1a\n")


def encoded(pixels, format="PNG"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format)
    return file.getvalue()


def hub_table(numbers, names=("ant", "bee", "cat"), image="image", label="label"):
    """A table as the datasets library writes it."""
    files = [{"bytes": encoded(image_of(n)), "path": f"{n}.png"} for n in numbers]
    features = {image: {"_type": "Image"}, label: {"names": list(names), "_type": "ClassLabel"}}
    kind = pa.schema(
        [(image, pa.struct([("bytes", pa.binary()), ("path", pa.string())])), (label, pa.int64())],
        metadata={"huggingface": json.dumps({"info": {"features": features}})},
    )
    return pa.table({image: files, label: [n % 3 for n in numbers]}, schema=kind)


def image_of(n):
    return image(n, 1, 6, 5)[0]


def parquet():
    path = folder("parquet/hub/data")
    pq.write_table(hub_table(TRAIN[:5]), path / "train-00000-of-00002.parquet", row_group_size=2)
    pq.write_table(hub_table(TRAIN[5:]), path / "train-00001-of-00002.parquet")
    pq.write_table(hub_table(TEST), path / "test-00000-of-00001.parquet")
    lacking = folder("parquet/lacking")
    pq.write_table(hub_table(TRAIN[:1]), lacking / "train-00000-of-00002.parquet")
    path = folder("parquet")
    for codec in ["none", "snappy", "gzip", "zstd", "brotli"]:
        for version in ["1.0", "2.0"]:
            for dictionary in [True, False]:
                name = f"{codec}_{version[0]}_{'dictionary' if dictionary else 'plain'}.parquet"
                pq.write_table(
                    hub_table(TRAIN, image="img", label="fine_label"), path / name,
                    compression=codec, data_page_version=version, use_dictionary=dictionary,
                )
    plain = pa.table({
        "picture": [encoded(image_of(n)) for n in TRAIN] + [encoded(image_of(0))],
        "other": [[n] for n in range(10)],
        "class": [["ant", "bee", "cat"][n % 3] for n in TRAIN] + [None],
    })
    pq.write_table(plain, path / "texts.parquet")
    paths = hub_table(TRAIN).set_column(0, "image", [[{"bytes": None, "path": "a.png"}] * 9])
    pq.write_table(paths, path / "paths.parquet")
    pq.write_table(pa.table({"a": [1], "b": [[2]]}), path / "numbers.parquet")


def other_labels():
    """Labels that are refused or not used."""
    path = folder("parquet/labels")
    names = ["ant", "bee", "cat"]

    def write(name, numbers, image="image", **labels):
        files = [{"bytes": encoded(image_of(n)), "path": f"{n}.png"} for n in numbers]
        file = path / f"{name}.parquet"
        file.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table({image: files, **labels}), file)

    three = TRAIN[:3]
    write("bool", three, label=[n % 2 == 0 for n in three])
    write("float", three, label=[float(n) for n in three])
    write("empty", [*TRAIN, 0], label=[names[n % 3] for n in TRAIN] + [" "])
    write("best", TRAIN, **{"class": [7 for _ in TRAIN]}, label=[names[n % 3] for n in TRAIN])
    write("equal", three, **{"class": list(three)}, target=list(three))
    write("mixed/train-a", three, label=list(three))
    write("mixed/train-b", three, label=names)
    write("columns/train-a", three, label=list(three))
    write("columns/train-b", three, image="img", label=list(three))
    write("lacking/train", three[:2], label=names[:2])
    write("lacking/test", three, label=names)
    scipy.io.savemat(folder("mat") / "version4.mat", {"X": GREY["train"].reshape(9, -1).astype(float), "y": LABELS["train"][:, None].astype(float)}, format="4")


def main():
    mnist()
    emnist()
    cifar()
    npz()
    csv()
    mat()
    parquet()
    twofold()
    other_labels()


if __name__ == "__main__":
    main()
