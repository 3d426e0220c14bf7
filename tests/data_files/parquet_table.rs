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
            "row 1 has no bytes, only the name of a file; write the set with its images embedded",
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
];
