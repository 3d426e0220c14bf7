//! The course's files, made here: layout, ranges, limits.

use crate::support::{
    Variable, assert_close, compressed, counts, doubles, element, error_at, file_with,
    identity_labels, mat_bytes, open_nist26, sample,
};
use kiln::data::DataSource;
use kiln::data::Split;
use kiln::data::formats::mat::read_matrix;

#[test]
fn columns_of_the_course_files_become_rows_and_overshoot_is_clipped() {
    // Column x * 32 + y of a row is the pixel at row y, column x.
    let data = doubles("valid_data", 2, 1024, |row, column| match (row, column) {
        (0, 1) => 0.25, // x = 0, y = 1
        (0, 96) => 0.5, // x = 3, y = 0
        (0, 1023) => 1.12,
        (1, 0) => -0.14,
        (1, 33) => 51.0 / 255.0, // x = 1, y = 1
        _ => 0.75,
    });
    let (_guard, _, source) = open_nist26(&data, &identity_labels(2, 26));
    let source = source.unwrap();
    assert_eq!(counts(&source), [2, 0, 0]);
    assert_eq!(source.label(Split::Train, 1), 1);
    let first = sample(&source, Split::Train, 0);
    assert_close(&[first[32], first[3], first[1]], &[0.25, 0.5, 0.75], 1e-5);
    assert_eq!(first[1023], 1.0);
    let second = sample(&source, Split::Train, 1);
    assert_eq!(second[0], 0.0);
    // Values of 8-bit images are kept exactly.
    assert_eq!(second[33], 51.0 / 255.0);
}

/// Values of a matrix by row and column.
type Values = fn(usize, usize) -> f64;

const GOOD: Values = |_, _| 0.5;
const IDENTITY: Values = |row, column| f64::from(u8::from(row == column));

/// A matrix of a course file: name, rows, columns and values.
type Table = (&'static str, usize, usize, Values);

/// Data and labels of which one is wrong, and a part of the message.
const WRONG_FILES: &[(Table, Table, &str)] = &[
    (
        ("valid_data", 3, 784, GOOD),
        ("valid_labels", 3, 26, IDENTITY),
        "valid_data is 3x784; expected Nx1024",
    ),
    (
        ("valid_data", 3, 1024, GOOD),
        ("valid_labels", 3, 36, IDENTITY),
        "valid_labels is 3x36; expected 3x26",
    ),
    (
        ("valid_data", 3, 1024, GOOD),
        ("valid_labels", 2, 26, IDENTITY),
        "valid_labels is 2x26; expected 3x26",
    ),
    (
        ("data", 3, 1024, GOOD),
        ("valid_labels", 3, 26, IDENTITY),
        "has no variable valid_data; it has data, valid_labels",
    ),
    (
        ("valid_data", 0, 1024, GOOD),
        ("valid_labels", 0, 26, GOOD),
        "valid_data is 0x1024",
    ),
    (
        ("valid_data", 3, 1024, GOOD),
        ("valid_labels", 3, 26, |_, column| {
            f64::from(u8::from(column < 2))
        }),
        "valid_labels, row 1: label is not one-hot: more than one class",
    ),
    (
        ("valid_data", 3, 1024, GOOD),
        ("valid_labels", 3, 26, |row, column| {
            f64::from(u8::from(column == 0 && row != 1))
        }),
        "valid_labels, row 2: label is not one-hot: no class",
    ),
    (
        ("valid_data", 3, 1024, GOOD),
        (
            "valid_labels",
            3,
            26,
            |row, _| if row == 2 { 0.5 } else { 0.0 },
        ),
        "valid_labels, row 3: label is not one-hot: found 0.5",
    ),
    (
        ("valid_data", 3, 1024, |row, column| {
            if (row, column) == (2, 7) {
                f64::NAN
            } else {
                0.5
            }
        }),
        ("valid_labels", 3, 26, IDENTITY),
        "valid_data, row 3: found NaN in column 8",
    ),
    (
        ("valid_data", 3, 1024, |row, column| {
            if (row, column) == (2, 7) { 255.0 } else { 0.5 }
        }),
        ("valid_labels", 3, 26, IDENTITY),
        "row 3: found 255 in column 8; expected values in [0, 1]",
    ),
    (
        ("valid_data", 3, 1024, |_, column| {
            if column % 4 == 0 { 1.4 } else { 0.2 }
        }),
        ("valid_labels", 3, 26, IDENTITY),
        "valid_data, 768 of 3072 values are beyond [0, 1], as in standardized images; undo the standardization (value * std + mean)",
    ),
];

#[test]
fn the_course_files_are_checked_and_the_row_is_named() {
    let table = |(name, rows, columns, values): Table| doubles(name, rows, columns, values);
    for &(data, labels, says) in WRONG_FILES {
        let (_guard, path, source) = open_nist26(&table(data), &table(labels));
        let text = error_at(source, &path);
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn a_file_that_unpacks_to_more_than_it_says_or_more_than_memory_is_refused() {
    let variable = |rows, columns, bytes: Vec<u8>| Variable {
        name: "m",
        class: 6,
        kind: 9,
        rows,
        columns,
        bytes,
    };
    let problem = |element: Vec<u8>| {
        let (_guard, path) = file_with(&mat_bytes(&[element]));
        error_at(read_matrix(&path, "m"), &path)
    };
    // 16 MB of zeros behind one number, in 70 kB.
    let mut bomb = element(&variable(1, 1, vec![0; 8]));
    bomb.resize(16 << 20, 0);
    let text = problem(compressed(&bomb));
    assert!(text.contains("has more data than its 1x1 values"), "{text}");
    let text = problem(compressed(&element(&variable(65_535, 65_535, vec![0; 8]))));
    assert!(
        text.contains("claims 65535x65535 values, 34358689800 bytes as doubles"),
        "{text}"
    );
    let text = problem(compressed(&element(&variable(2, 2, vec![0; 8]))));
    assert!(
        text.contains("claims 2x2 values of 8 bytes but has 8 bytes"),
        "{text}"
    );
    // A size that is honest about the matrix and not about what follows.
    let whole = element(&variable(100, 100, vec![0; 80_000]));
    let text = problem(compressed(&whole[..40_000]));
    assert!(text.contains("m is truncated: "), "{text}");
    // Compressed data in compressed data, as deep as one likes, is not unpacked.
    let text = problem(compressed(&compressed(&whole)));
    assert!(
        text.contains("compressed data that is not an array"),
        "{text}"
    );
    let text = problem(element(&Variable {
        kind: 16,
        ..variable(1, 8, vec![0; 8])
    }));
    assert!(text.contains("data of unknown type 16"), "{text}");
}

#[test]
fn a_big_endian_file_is_read() {
    // A 1x2 double matrix [1.5, -2] called "m", every word with its high byte first.
    let words: [u32; 18] = [
        14,
        64,
        6,
        8,
        6,
        0,
        5,
        8,
        1,
        2,
        (1 << 16) | 1,
        0x6d00_0000,
        9,
        16,
        0x3ff8_0000,
        0,
        0xc000_0000,
        0,
    ];
    let mut bytes = vec![b' '; 124];
    bytes.extend(b"\x01\x00MI");
    bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    let (_guard, path) = file_with(&bytes);
    let matrix = read_matrix(&path, "m").unwrap();
    assert_eq!((matrix.rows, matrix.columns), (1, 2));
    assert_eq!(matrix.values, [1.5, -2.0]);
}
