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

#[test]
fn the_course_files_are_checked_and_the_row_is_named() {
    let good = |_: usize, _: usize| 0.5;
    let problem = |data: Variable, labels: Variable| {
        let (_guard, path, source) = open_nist26(&data, &labels);
        error_at(source, &path)
    };
    let data = |value: &dyn Fn(usize, usize) -> f64| doubles("valid_data", 3, 1024, value);
    let labels = |value: &dyn Fn(usize, usize) -> f64| doubles("valid_labels", 3, 26, value);

    let text = problem(doubles("valid_data", 3, 784, good), identity_labels(3, 26));
    assert!(
        text.contains("valid_data is 3x784; expected Nx1024"),
        "{text}"
    );
    let text = problem(data(&good), identity_labels(3, 36));
    assert!(
        text.contains("valid_labels is 3x36; expected 3x26"),
        "{text}"
    );
    let text = problem(data(&good), identity_labels(2, 26));
    assert!(
        text.contains("valid_labels is 2x26; expected 3x26"),
        "{text}"
    );
    let text = problem(doubles("data", 3, 1024, good), identity_labels(3, 26));
    assert!(
        text.contains("has no variable valid_data; it has data, valid_labels"),
        "{text}"
    );

    let text = problem(
        data(&good),
        labels(&|_, column| f64::from(u8::from(column < 2))),
    );
    assert!(text.contains("valid_labels, row 1: two classes"), "{text}");
    let text = problem(
        data(&good),
        labels(&|row, column| f64::from(u8::from(column == 0 && row != 1))),
    );
    assert!(text.contains("valid_labels, row 2: no class"), "{text}");
    let text = problem(
        data(&good),
        labels(&|row, _| if row == 2 { 0.5 } else { 0.0 }),
    );
    assert!(text.contains("valid_labels, row 3: holds 0.5"), "{text}");

    let bad = |bad: f64| move |row, column| if (row, column) == (2, 7) { bad } else { 0.5 };
    let text = problem(data(&bad(f64::NAN)), identity_labels(3, 26));
    assert!(
        text.contains("valid_data, row 3: holds NaN in column 8"),
        "{text}"
    );
    let text = problem(data(&bad(255.0)), identity_labels(3, 26));
    assert!(
        text.contains("row 3: holds 255 in column 8; expected values in [0, 1]"),
        "{text}"
    );
    let text = problem(
        doubles("valid_data", 0, 1024, good),
        doubles("valid_labels", 0, 26, good),
    );
    assert!(text.contains("valid_data is 0x1024"), "{text}");
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
        text.contains("claims 65535x65535 values, more than"),
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
    assert!(text.contains("m ends early: "), "{text}");
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
