"""What other programs read of the files that `kiln data convert` writes: pyarrow and pandas of Parquet, Pillow of PNG, pandas of CSV.

    python tests/data_files/read_back.py FOLDER

Prints a line of JSON for each Parquet file, and one for the list of the class folders.
"""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pandas
import pyarrow.parquet as pq
from PIL import Image


def pixels(file):
    image = Image.open(file)
    image.load()
    return {"mode": image.mode, "size": image.size, "values": np.asarray(image).ravel().tolist()}


def parquet(path):
    file = pq.ParquetFile(path)
    table, frame = file.read(), pandas.read_parquet(path)
    assert table.schema.names == ["image", "label"], table.schema
    assert str(table.schema.field("label").type) == "int64", table.schema
    assert table.column("label").to_pylist() == frame["label"].tolist()
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    return {
        "file": path.name,
        "rows": file.metadata.num_rows,
        "groups": file.metadata.num_row_groups,
        "names": features["label"]["names"],
        "labels": frame["label"].tolist(),
        "paths": [image["path"] for image in frame["image"]],
        "images": [pixels(io.BytesIO(image["bytes"])) for image in frame["image"]],
    }


def folders(path):
    frame = pandas.read_csv(path, dtype=str, keep_default_na=False)
    assert frame.columns.tolist() == ["file", "label", "split"], frame.columns
    return {
        "labels": frame["label"].tolist(),
        "splits": frame["split"].tolist(),
        "images": [pixels(path.parent / file) for file in frame["file"]],
    }


def main():
    folder = Path(sys.argv[1])
    for path in sorted(folder.glob("data/*.parquet")):
        print(json.dumps(parquet(path)))
    if (folder / "labels.csv").exists():
        print(json.dumps(folders(folder / "labels.csv")))


main()
