//! The sets in Parquet files.

use crate::table::Then::{Refused, Used};
use crate::table::{Case, case};

/// The sets.
pub const PARQUET: &[Case] = &[
    case(
        "a set of the hub in three files",
        r#"{"kind": "parquet", "path": "parquet/hub", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used(
            [9, 0, 3],
            "ant bee cat",
            "12 images: columns image and label",
        ),
    ),
    case(
        "Parquet: none, version 1, dictionary",
        r#"{"kind": "parquet", "path": "parquet/none_1_dictionary.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "columns img and fine_label"),
    ),
    case(
        "Parquet: none, version 1, plain",
        r#"{"kind": "parquet", "path": "parquet/none_1_plain.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "columns img and fine_label"),
    ),
    case(
        "Parquet: none, version 2, dictionary",
        r#"{"kind": "parquet", "path": "parquet/none_2_dictionary.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "columns img and fine_label"),
    ),
    case(
        "Parquet: none, version 2, plain",
        r#"{"kind": "parquet", "path": "parquet/none_2_plain.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "columns img and fine_label"),
    ),
    case(
        "Parquet: snappy, version 1, dictionary",
        r#"{"kind": "parquet", "path": "parquet/snappy_1_dictionary.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "columns img and fine_label"),
    ),
    case(
        "Parquet: snappy, version 1, plain",
        r#"{"kind": "parquet", "path": "parquet/snappy_1_plain.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "columns img and fine_label"),
    ),
    case(
        "Parquet: snappy, version 2, dictionary",
        r#"{"kind": "parquet", "path": "parquet/snappy_2_dictionary.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "columns img and fine_label"),
    ),
    case(
        "Parquet: snappy, version 2, plain",
        r#"{"kind": "parquet", "path": "parquet/snappy_2_plain.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "columns img and fine_label"),
    ),
    case(
        "Parquet: gzip, version 1, dictionary",
        r#"{"kind": "parquet", "path": "parquet/gzip_1_dictionary.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "columns img and fine_label"),
    ),
    case(
        "Parquet: gzip, version 1, plain",
        r#"{"kind": "parquet", "path": "parquet/gzip_1_plain.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "columns img and fine_label"),
    ),
    case(
        "Parquet: gzip, version 2, dictionary",
        r#"{"kind": "parquet", "path": "parquet/gzip_2_dictionary.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "columns img and fine_label"),
    ),
    case(
        "Parquet: gzip, version 2, plain",
        r#"{"kind": "parquet", "path": "parquet/gzip_2_plain.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "columns img and fine_label"),
    ),
    case(
        "Parquet: zstd, version 1, dictionary",
        r#"{"kind": "parquet", "path": "parquet/zstd_1_dictionary.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "columns img and fine_label"),
    ),
    case(
        "Parquet: zstd, version 1, plain",
        r#"{"kind": "parquet", "path": "parquet/zstd_1_plain.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "columns img and fine_label"),
    ),
    case(
        "Parquet: zstd, version 2, dictionary",
        r#"{"kind": "parquet", "path": "parquet/zstd_2_dictionary.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "columns img and fine_label"),
    ),
    case(
        "Parquet: zstd, version 2, plain",
        r#"{"kind": "parquet", "path": "parquet/zstd_2_plain.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used([9, 0, 0], "ant bee cat", "columns img and fine_label"),
    ),
    case(
        "a column of images with texts as labels, one of them missing",
        r#"{"kind": "parquet", "path": "parquet/texts.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used(
            [9, 0, 0],
            "ant bee cat",
            "rows without a label, not used: 1",
        ),
    ),
    case(
        "the images as labels",
        r#"{"kind": "parquet", "path": "parquet/hub", "label": "image", "channels": 1, "height": 6, "width": 5}"#,
        Refused(
            "data.label is the column of images, image; set it to the column of labels",
            1,
        ),
    ),
    case(
        "one column for both",
        r#"{"kind": "parquet", "path": "parquet/hub", "image": "image", "label": "image", "channels": 1, "height": 6, "width": 5}"#,
        Refused(
            "data.label: is the column of data.image; set it to the column of labels",
            2,
        ),
    ),
    case(
        "Brotli",
        r#"{"kind": "parquet", "path": "parquet/brotli_1_plain.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "compressed with Brotli; write it with compression=\"zstd\" or \"snappy\"",
            1,
        ),
    ),
    case(
        "a part that is missing",
        r#"{"kind": "parquet", "path": "parquet/lacking", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "parquet/lacking: has 1 of the 2 files train-*-of-00002.parquet; fetch the others",
            1,
        ),
    ),
    case(
        "names of files without their bytes",
        r#"{"kind": "parquet", "path": "parquet/paths.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "paths.parquet: no column of encoded images found (data.image)",
            1,
        ),
    ),
    case(
        "a table without images",
        r#"{"kind": "parquet", "path": "parquet/numbers.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "no column of encoded images found (data.image); it has a, b.list.element",
            1,
        ),
    ),
    case(
        "a table that is no Parquet file",
        r#"{"kind": "parquet", "path": "csv/train.csv", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "csv/train.csv: is not a Parquet file, or was cut off: it does not end with PAR1",
            1,
        ),
    ),
    case(
        "a folder without Parquet files",
        r#"{"kind": "parquet", "path": "csv", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused("csv: no .parquet files", 1),
    ),
    case(
        "booleans as labels",
        r#"{"kind": "parquet", "path": "parquet/labels/bool.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "label: holds booleans; write labels as whole numbers or texts, in pandas df[\"label\"] = df[\"label\"].astype(\"int64\")",
            1,
        ),
    ),
    case(
        "fractions as labels",
        r#"{"kind": "parquet", "path": "parquet/labels/float.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "label: holds floating-point numbers; write labels as whole numbers or texts",
            1,
        ),
    ),
    case(
        "a text as label that is empty",
        r#"{"kind": "parquet", "path": "parquet/labels/empty.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used(
            [9, 0, 0],
            "ant bee cat",
            "rows without a label, not used: 1 (the first is row 10 of ",
        ),
    ),
    case(
        "several columns of labels, one of them called label",
        r#"{"kind": "parquet", "path": "parquet/labels/best.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Used(
            [9, 0, 0],
            "ant bee cat",
            "columns image and label, not \"class\"",
        ),
    ),
    case(
        "two columns of labels, neither better than the other",
        r#"{"kind": "parquet", "path": "parquet/labels/equal.parquet", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "labels may be in the columns \"class\" and \"target\"; set data.label to one of them",
            1,
        ),
    ),
    case(
        "numbers in one file and texts in another",
        r#"{"kind": "parquet", "path": "parquet/labels/mixed", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused("mixed/train-b.parquet: has texts as labels, but ", 1),
    ),
    case(
        "files with different columns",
        r#"{"kind": "parquet", "path": "parquet/labels/columns", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "columns/train-b.parquet: has the columns img and label, but the files before it the columns image and label",
            1,
        ),
    ),
    case(
        "a class that only the test split has",
        r#"{"kind": "parquet", "path": "parquet/labels/lacking", "channels": 1, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
        Refused(
            "lacking/test.parquet: row 3: class \"cat\" is in test, but not in training; every class needs training images",
            1,
        ),
    ),
];
