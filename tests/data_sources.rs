//! What a user may rely on when reading data sets: the course's MATLAB files, folders of images, and how they are
//! divided. Real files are used where `KILN_DATA` names them; numbers come from scipy, numpy or hand calculation.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base64::Engine;
use common::real_data;
use image::{GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use kiln::data::MemorySource;
use kiln::data::formats::mat::{MatFile, read_matrix};
use kiln::data::image_folder::ImageFolder;
use kiln::data::{DataError, DataSource, Split, info, nist26, nist36, split_rule};
use kiln::data::{
    Fit, ImageFolderConfig, Nist26Config, Nist36Config, NumberConfig, ShareConfig, SplitRule,
};
use kiln::shape::ImageShape;
use proptest::prelude::*;
use tempfile::TempDir;

// ---- Helpers ----

/// The real NIST36 files, opened once for all tests.
fn real_nist36() -> &'static MemorySource {
    static SOURCE: OnceLock<MemorySource> = OnceLock::new();
    SOURCE.get_or_init(|| nist36::open(&Nist36Config::default(), &real_data()).unwrap())
}

fn sample(source: &dyn DataSource, split: Split, index: usize) -> Vec<f32> {
    let mut values = vec![f32::NAN; source.shape().values()];
    source.read(split, index, 0, &mut values).unwrap();
    values
}

fn counts(source: &dyn DataSource) -> [usize; 3] {
    Split::ALL.map(|split| source.len(split))
}

fn per_class(source: &dyn DataSource, split: Split) -> Vec<usize> {
    let mut counts = vec![0; source.classes().len()];
    for index in 0..source.len(split) {
        counts[source.label(split, index)] += 1;
    }
    counts
}

/// Sums of rows 8, 12, 16, 20, 24 and then of the same columns.
fn sums(image: &[f32]) -> Vec<f32> {
    const PLACES: [usize; 5] = [8, 12, 16, 20, 24];
    let row = |y: usize| image[y * 32..][..32].iter().sum::<f32>();
    let column = |x: usize| image.iter().skip(x).step_by(32).sum::<f32>();
    PLACES
        .map(row)
        .into_iter()
        .chain(PLACES.map(column))
        .collect()
}

fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= tolerance, "{found:?} is not {expected:?}");
    }
}

/// The error's text; it has one line and names `path`.
fn error_at<T>(result: Result<T, DataError>, path: &Path) -> String {
    let text = result.err().expect("an error").to_string();
    assert!(text.contains(&path.display().to_string()), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

// ---- MATLAB files made by scipy 1.18.1 (`savemat`) ----
// a = [[1, 2, 3], [4, 5, -6.5]], i = int32 [[-1], [2147483647]], b = int8 [[-7, 8]], h = int16 [[-300, 301]],
// u = uint16 [[1, 65535]], q = int64 [[-2^40]], s = single [[0.25, -0.5]], flag = [[True, False]], text = 'hello',
// z = [[1+2j]], cube = zeros((2, 2, 2)), c = {'x', 1.0}

const SCIPY_COMPRESSED: &str = "\
    TUFUTEFCIDUuMCBNQVQtZmlsZSwgd3JpdHRlbiBieSBzY2lweS5pby5zYXZlbWF0ICAgICAgICAgICAgICAgICAgICAgICAgICAg\
    ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAAAAAAAAAAAAABSU0PAAAAOAAAAHic42NgYEgAYjYg5oDS\
    IMAK5TMBMTMQMwJhIpDmBGIDBhj4YA+hBRygAlBaBEpzQGmpAwCmSQRmDwAAACcAAAB4nONjYGCwAGI2IOYAYh4GCGCF8pmAmBGM\
    GRkykcT/Q0A9AETCCGEPAAAAJgAAAHic42NgYDAAYjYg5oBiEGCFshmBmAlMMzIkgWkmhp9ACQAbTgHNDwAAACsAAAB4nONjYGAw\
    AGI2IOYAYi4GCGCF8hmBmAlMMzJkAGlmBhaGK/90GQEeqwLYDwAAACoAAAB4nONjYGAwAGI2IOYAYm4GCGCF8hmBmAlMMzKUAmkW\
    IGRk+P8fABvTAuYPAAAAKAAAAHic42NgYLAAYjYg5gBiPgYIYIXyGeGYkaEQSPNAxcHg////ACiwA/YPAAAAKwAAAHic42NgYLAA\
    YjYg5gBidgYIYIXyGYGYCUwzMhRD5TnAKhrsgMR+ACZPAm0PAAAAKgAAAHic42NgYDAAYjYg5gBiTiYGMGCF8hmBmAlMszCk5SSm\
    MwF5IDEAJDsCDA8AAAAsAAAAeJzjY2BgsABiNiDmAGIWBghghfIZoWxGoExJakWJAJSfkZqTkw+kAUXmBF8PAAAAKwAAAHic42Ng\
    YPAAYjYg5gDRIAIIWKF8RjhmZKgC0pxQcQj4YI/KZ3AAAE4hAo8PAAAALQAAAHic42NgYKgAYjYg5oDSIMAKxDxAzISEQYCRgYUh\
    uTQplRPIdmCgHAAA4WwCnw8AAABAAAAAeJzjY2BgWADEbEDMAcSMDBDAisRnAtOMDMlAmg+IDZDUs2BRz4hkjgCQVQHVZ4Gkj42A\
    Pk6oOAR8sAcAG54Dxg==";

const SCIPY_PLAIN: &str = "\
    TUFUTEFCIDUuMCBNQVQtZmlsZSwgd3JpdHRlbiBieSBzY2lweS5pby5zYXZlbWF0ICAgICAgICAgICAgICAgICAgICAgICAgICAg\
    ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAAAAAAAAAAAAABSU0OAAAAYAAAAAYAAAAIAAAABgAAAAAA\
    AAAFAAAACAAAAAIAAAADAAAAAQABAGEAAAAJAAAAMAAAAAAAAAAAAPA/AAAAAAAAEEAAAAAAAAAAQAAAAAAAABRAAAAAAAAACEAA\
    AAAAAAAawA4AAAA4AAAABgAAAAgAAAAMAAAAAAAAAAUAAAAIAAAAAgAAAAEAAAABAAEAaQAAAAUAAAAIAAAA/////////38OAAAA\
    MAAAAAYAAAAIAAAACAAAAAAAAAAFAAAACAAAAAEAAAACAAAAAQABAGIAAAABAAIA+QgAAA4AAAAwAAAABgAAAAgAAAAKAAAAAAAA\
    AAUAAAAIAAAAAQAAAAIAAAABAAEAaAAAAAMABADU/i0BDgAAADAAAAAGAAAACAAAAAsAAAAAAAAABQAAAAgAAAABAAAAAgAAAAEA\
    AQB1AAAABAAEAAEA//8OAAAAOAAAAAYAAAAIAAAADgAAAAAAAAAFAAAACAAAAAEAAAABAAAAAQABAHEAAAAMAAAACAAAAAAAAAAA\
    ////DgAAADgAAAAGAAAACAAAAAcAAAAAAAAABQAAAAgAAAABAAAAAgAAAAEAAQBzAAAABwAAAAgAAAAAAIA+AAAAvw4AAAAwAAAA\
    BgAAAAgAAAAJAgAAAAAAAAUAAAAIAAAAAQAAAAIAAAABAAQAZmxhZwIAAgABAAAADgAAADgAAAAGAAAACAAAAAQAAAAAAAAABQAA\
    AAgAAAABAAAABQAAAAEABAB0ZXh0EAAAAAUAAABoZWxsbwAAAA4AAABIAAAABgAAAAgAAAAGCAAAAAAAAAUAAAAIAAAAAQAAAAEA\
    AAABAAEAegAAAAkAAAAIAAAAAAAAAAAA8D8JAAAACAAAAAAAAAAAAABADgAAAHgAAAAGAAAACAAAAAYAAAAAAAAABQAAAAwAAAAC\
    AAAAAgAAAAIAAAAAAAAAAQAEAGN1YmUJAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAOAAAAoAAAAAYAAAAIAAAAAQAAAAAAAAAFAAAACAAAAAEAAAACAAAAAQABAGMAAAAOAAAAMAAA\
    AAYAAAAIAAAABAAAAAAAAAAFAAAACAAAAAEAAAABAAAAAQAAAAAAAAAQAAEAeAAAAA4AAAA4AAAABgAAAAgAAAAGAAAAAAAAAAUA\
    AAAIAAAAAQAAAAEAAAABAAAAAAAAAAkAAAAIAAAAAAAAAAAA8D8=";

/// The variables of the two files that are real matrices: name, rows, columns, values column by column.
const SCIPY_MATRICES: [(&str, usize, usize, &[f32]); 8] = [
    ("a", 2, 3, &[1.0, 4.0, 2.0, 5.0, 3.0, -6.5]),
    ("i", 2, 1, &[-1.0, 2_147_483_647.0]),
    ("b", 1, 2, &[-7.0, 8.0]),
    ("h", 1, 2, &[-300.0, 301.0]),
    ("u", 1, 2, &[1.0, 65_535.0]),
    ("q", 1, 1, &[-1_099_511_627_776.0]),
    ("s", 1, 2, &[0.25, -0.5]),
    ("flag", 1, 2, &[1.0, 0.0]),
];

fn scipy(encoded: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .unwrap()
}

/// A file in a folder that is removed with the returned guard.
fn file_with(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.mat");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// Reads every matrix of the scipy files.
fn read_all(bytes: Vec<u8>) -> Result<Vec<Vec<f32>>, DataError> {
    let file = MatFile::from_bytes(bytes, Path::new("some.mat"))?;
    SCIPY_MATRICES
        .iter()
        .map(|(name, ..)| Ok(file.matrix(name)?.values))
        .collect()
}

#[test]
fn every_numeric_class_that_scipy_writes_is_read() {
    for encoded in [SCIPY_COMPRESSED, SCIPY_PLAIN] {
        let (_guard, path) = file_with(&scipy(encoded));
        for (name, rows, columns, values) in SCIPY_MATRICES {
            let matrix = read_matrix(&path, name).unwrap();
            assert_eq!((matrix.rows, matrix.columns), (rows, columns), "{name}");
            assert_eq!(matrix.values, values, "{name}");
        }
        let matrix = read_matrix(&path, "a").unwrap();
        assert_eq!(matrix.column(2), [3.0, -6.5]);
        assert!(matrix.column(3).is_empty());
    }
}

#[test]
fn what_is_not_a_real_matrix_is_refused_by_its_name() {
    for encoded in [SCIPY_COMPRESSED, SCIPY_PLAIN] {
        let (_guard, path) = file_with(&scipy(encoded));
        let problem = |name| error_at(read_matrix(&path, name), &path);
        assert!(problem("text").contains("text, not a numeric matrix"));
        assert!(problem("z").contains("z is complex"));
        assert!(problem("cube").contains("cube has 3 dimensions"));
        assert!(problem("c").contains("c is a cell array"));
        let missing = problem("train_data");
        assert!(
            missing.contains(
                "has no variable train_data; it has a, i, b, h, u, q, s, flag, text, z, cube, c"
            ),
            "{missing}"
        );
    }
}

#[test]
fn a_mat_file_cut_at_any_length_is_refused_by_name() {
    let first = element(&doubles("first", 2, 2, |row, column| (row + column) as f64));
    let second = element(&doubles("second", 1, 3, |_, column| column as f64 / 3.0));
    let path = Path::new("some.mat");
    let both = |bytes: &[u8]| {
        let file = MatFile::from_bytes(bytes.to_vec(), path)?;
        Ok((file.matrix("first")?, file.matrix("second")?))
    };
    for elements in [
        [first.clone(), second.clone()],
        [compressed(&first), compressed(&second)],
    ] {
        let bytes = mat_bytes(&elements);
        assert!(both(&bytes).is_ok());
        // Between two variables, the file is one with fewer variables.
        let boundaries = [128, 128 + elements[0].len()];
        for length in 0..bytes.len() {
            let text = error_at(both(&bytes[..length]), path);
            let expected = match length {
                0 => "is not a MATLAB v5 file",
                _ if boundaries.contains(&length) => "has no variable",
                _ => "ends early",
            };
            assert!(text.contains(expected), "{length}: {text}");
        }
    }
}

#[test]
fn a_scipy_file_cut_at_any_length_never_panics() {
    for encoded in [SCIPY_COMPRESSED, SCIPY_PLAIN] {
        let bytes = scipy(encoded);
        for length in 0..bytes.len() {
            let _ = read_all(bytes[..length].to_vec());
        }
    }
}

#[test]
fn a_file_of_another_kind_is_refused_with_what_it_starts_with() {
    let read = |bytes: &[u8]| {
        let (_guard, path) = file_with(bytes);
        error_at(read_matrix(&path, "a"), &path)
    };
    let text = read(b"name,age\nAda,36\n");
    assert!(
        text.contains("is not a MATLAB v5 file (starts with \"name,age\\nAda,36\\n\")"),
        "{text}"
    );
    assert!(read(b"").contains("is not a MATLAB v5 file"));
    let long = "lorem ipsum ".repeat(100);
    assert!(read(long.as_bytes()).contains("(starts with \"lorem ipsum lorem ip\")"));
    let mut hdf5 = b"MATLAB 7.3 MAT-file".to_vec();
    hdf5.resize(124, b' ');
    hdf5.extend(b"\x00\x02IM\x89HDF");
    assert!(read(&hdf5).contains("option -v7"));
}

#[test]
fn a_missing_file_is_named_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let config = Nist36Config::default();
    let path = folder.path().join("nist36").join("nist36_train.mat");
    let text = error_at(nist36::open(&config, folder.path()), &path);
    assert!(text.contains("KILN_DATA"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// zlib's checksum covers the numbers, so damage is found or is without effect.
    #[test]
    fn a_damaged_compressed_file_never_gives_wrong_numbers(at in 116usize..763, flip in 1u8..) {
        let mut bytes = scipy(SCIPY_COMPRESSED);
        bytes[at] ^= flip;
        if let Ok(read) = read_all(bytes) {
            for (values, (_, _, _, expected)) in read.iter().zip(SCIPY_MATRICES) {
                prop_assert_eq!(values, expected);
            }
        }
    }

    #[test]
    fn a_damaged_plain_file_gives_numbers_or_an_error(
        flips in prop::collection::vec((116usize..1088, any::<u8>()), 1..4),
    ) {
        let mut bytes = scipy(SCIPY_PLAIN);
        for (at, value) in flips {
            bytes[at] = value;
        }
        let _ = read_all(bytes);
    }

    #[test]
    fn random_bytes_behind_a_valid_header_give_an_error_or_no_variable(
        tail in prop::collection::vec(any::<u8>(), 0..200), kind in 14u8..16,
    ) {
        let mut bytes = scipy(SCIPY_PLAIN)[..128].to_vec();
        bytes.extend([kind, 0, 0, 0, tail.len() as u8, 0, 0, 0]);
        bytes.extend(tail);
        let file = MatFile::from_bytes(bytes, Path::new("some.mat"));
        prop_assert!(file.and_then(|file| file.matrix("a")).is_err());
    }
}

// ---- MATLAB files made here ----

/// A matrix to write: name, array class (6 double, 9 uint8), data type (9 double, 2 uint8), size, bytes.
struct Variable<'a> {
    name: &'a str,
    class: u32,
    kind: u32,
    rows: usize,
    columns: usize,
    bytes: Vec<u8>,
}

fn doubles<'a>(
    name: &'a str,
    rows: usize,
    columns: usize,
    value: impl Fn(usize, usize) -> f64,
) -> Variable<'a> {
    let places = (0..columns).flat_map(|column| (0..rows).map(move |row| (row, column)));
    Variable {
        name,
        class: 6,
        kind: 9,
        rows,
        columns,
        bytes: places
            .flat_map(|(row, column)| value(row, column).to_le_bytes())
            .collect(),
    }
}

fn part(kind: u32, bytes: &[u8]) -> Vec<u8> {
    let mut part = kind.to_le_bytes().to_vec();
    part.extend((bytes.len() as u32).to_le_bytes());
    part.extend(bytes);
    part.resize(part.len().next_multiple_of(8), 0);
    part
}

fn element(variable: &Variable) -> Vec<u8> {
    let words = |words: [u32; 2]| words.map(u32::to_le_bytes).concat();
    let mut body = part(6, &words([variable.class, 0]));
    body.extend(part(
        5,
        &words([variable.rows as u32, variable.columns as u32]),
    ));
    body.extend(part(1, variable.name.as_bytes()));
    body.extend(part(variable.kind, &variable.bytes));
    part(14, &body)
}

fn compressed(element: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(element).unwrap();
    let packed = encoder.finish().unwrap();
    let mut tagged = 15u32.to_le_bytes().to_vec();
    tagged.extend((packed.len() as u32).to_le_bytes());
    tagged.extend(packed);
    tagged
}

fn mat_bytes(elements: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"MATLAB 5.0 MAT-file".to_vec();
    bytes.resize(124, b' ');
    bytes.extend(b"\x00\x01IM");
    bytes.extend(elements.concat());
    bytes
}

/// A NIST26 folder with these two matrices, opened.
fn open_nist26(
    data: &Variable,
    labels: &Variable,
) -> (TempDir, PathBuf, Result<MemorySource, DataError>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nist26_valid.mat");
    fs::write(
        &path,
        mat_bytes(&[compressed(&element(data)), compressed(&element(labels))]),
    )
    .unwrap();
    let config = Nist26Config {
        folder: ".".into(),
        // Everything to training, in the order of the file.
        split: shares(0.0, 0.0),
        ..Nist26Config::default()
    };
    // The folder's name as the error prints it.
    let shown = folder.path().join(".").join("nist26_valid.mat");
    let source = nist26::open(&config, folder.path());
    (folder, shown, source)
}

fn shares(valid: f64, test: f64) -> SplitRule {
    SplitRule::Share(ShareConfig { valid, test })
}

fn identity_labels<'a>(rows: usize, columns: usize) -> Variable<'a> {
    doubles("valid_labels", rows, columns, |row, column| {
        f64::from(u8::from(row == column))
    })
}

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

// ---- The real course files ----

#[test]
#[cfg_attr(not(kiln_data = "nist36"), ignore = "needs nist36 in KILN_DATA")]
fn nist36_has_its_classes_and_counts() {
    let source = real_nist36();
    assert_eq!(
        source.classes().concat(),
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    );
    assert_eq!(counts(source), [10_800, 3_600, 1_800]);
    for (split, count) in Split::ALL.into_iter().zip([300, 100, 50]) {
        assert_eq!(per_class(source, split), vec![count; 36]);
    }
}

#[test]
#[cfg_attr(not(kiln_data = "nist36"), ignore = "needs nist36 in KILN_DATA")]
fn nist36_images_are_upright() {
    let source = real_nist36();
    // numpy: img = row.reshape(32, 32).T; img.sum(1)[[8, 12, 16, 20, 24]], then the same of img.sum(0).
    let expected: [(Split, usize, usize, [f32; 10]); 4] = [
        (
            Split::Train,
            0,
            0,
            [
                19.06275, 20.3451, 9.86275, 21.10588, 23.83529, 15.36078, 20.98824, 24.07059,
                20.11765, 21.82745,
            ],
        ),
        (
            Split::Train,
            10_799,
            35,
            [
                22.4549, 22.23922, 26.78039, 28.93725, 28.76078, 32.0, 24.49412, 24.72549,
                10.59216, 32.0,
            ],
        ),
        (
            Split::Valid,
            1_807,
            18,
            [
                26.7098, 26.86275, 27.76471, 28.36863, 20.5098, 23.69804, 19.48627, 18.6902,
                19.86275, 17.48627,
            ],
        ),
        (
            Split::Test,
            907,
            18,
            [
                28.36078, 28.14902, 26.98039, 28.65882, 23.52549, 26.52549, 24.65098, 27.27451,
                27.21961, 26.92941,
            ],
        ),
    ];
    for (split, index, label, expected) in expected {
        assert_eq!(source.label(split, index), label);
        assert_close(&sums(&sample(source, split, index)), &expected, 1e-4);
    }
    // Pixels of training sample 5000, a Q, times 255.
    let image = sample(source, Split::Train, 5_000);
    let pixels = [(10, 4), (4, 10), (16, 9), (20, 22)].map(|(y, x)| image[y * 32 + x]);
    assert_eq!(pixels, [0.0, 246.0 / 255.0, 1.0, 0.0]);
}

#[test]
#[cfg_attr(not(kiln_data = "nist36"), ignore = "needs nist36 in KILN_DATA")]
fn nist36_statistics_are_those_of_numpy() {
    let source = real_nist36();
    let info = info::summarize(source).unwrap();
    assert_eq!(info.splits[1].samples, 3_600);
    assert!(
        (info.mean[0] - 0.830_259_728_392_224_8).abs() < 1e-8,
        "{:?}",
        info.mean
    );
    let deviation = info.standard_deviation[0];
    assert!(
        (deviation - 0.352_220_442_125_289_3).abs() < 1e-8,
        "{deviation}"
    );
}

#[test]
#[cfg_attr(not(kiln_data = "nist26"), ignore = "needs nist26 in KILN_DATA")]
fn nist26_letters_are_upright_clipped_and_divided() {
    let root = real_data();
    let config = Nist26Config {
        split: shares(0.0, 0.0),
        ..Nist26Config::default()
    };
    let source = nist26::open(&config, &root).unwrap();
    assert_eq!(source.classes().concat(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    assert_eq!(counts(&source), [1_300, 0, 0]);
    assert_eq!(per_class(&source, Split::Train), vec![50; 26]);
    // numpy, after np.clip(data, 0, 1).
    let expected: [(usize, [f32; 10]); 2] = [
        (
            0,
            [
                24.40654, 24.17014, 9.36398, 24.22303, 22.33535, 24.77119, 22.14331, 20.843,
                19.3019, 23.25443,
            ],
        ),
        (
            1_299,
            [
                28.80955, 25.65056, 23.50617, 27.31519, 20.3475, 22.47796, 21.3653, 18.4193,
                18.04501, 26.56363,
            ],
        ),
    ];
    for (index, expected) in expected {
        assert_close(
            &sums(&sample(&source, Split::Train, index)),
            &expected,
            2e-4,
        );
    }
    // The names A0..Z49, hashed by an independent program: 134 below 0.1, 137 more below 0.2.
    let divided = nist26::open(&Nist26Config::default(), &root).unwrap();
    assert_eq!(counts(&divided), [1_029, 134, 137]);
    let numbers = SplitRule::Number(NumberConfig {
        divisor: 5,
        valid: Some(1),
        test: 0,
    });
    let divided = nist26::open(
        &Nist26Config {
            split: numbers,
            ..Nist26Config::default()
        },
        &root,
    )
    .unwrap();
    assert_eq!(counts(&divided), [780, 260, 260]);
}

// ---- Division ----

#[test]
fn a_share_is_decided_by_the_name_alone() {
    // Positions by an independent program: B7 0.0781, y 0.1847, A0 0.4044, rose/image_0001 0.8141.
    let rule = shares(0.1, 0.1);
    assert_eq!(split_rule::assign(&rule, "B7"), Split::Valid);
    assert_eq!(split_rule::assign(&rule, "y"), Split::Test);
    assert_eq!(split_rule::assign(&rule, "A0"), Split::Train);
    assert_eq!(split_rule::assign(&rule, "rose/image_0001"), Split::Train);
    assert_eq!(split_rule::assign(&shares(0.4, 0.0), "A0"), Split::Train);
    assert_eq!(split_rule::assign(&shares(0.41, 0.0), "A0"), Split::Valid);
    assert_eq!(split_rule::assign(&shares(0.0, 1.0), "A0"), Split::Test);
}

#[test]
fn a_number_is_the_last_one_in_the_name() {
    let rule = |divisor| {
        SplitRule::Number(NumberConfig {
            divisor,
            valid: Some(1),
            test: 0,
        })
    };
    assert_eq!(split_rule::assign(&rule(5), "image_0420"), Split::Test);
    assert_eq!(
        split_rule::assign(&rule(5), "2024-page7_421.b"),
        Split::Valid
    );
    assert_eq!(split_rule::assign(&rule(5), "422"), Split::Train);
    // 10^29 + 1, more than any integer type holds.
    assert_eq!(
        split_rule::assign(&rule(10), &format!("x1{}1", "0".repeat(28))),
        Split::Valid
    );
    // Letters of several bytes before and after the number.
    assert_eq!(split_rule::assign(&rule(7), "é8ü"), Split::Valid);
    // No number: the same answer every time, and no panic for any divisor.
    assert_eq!(
        split_rule::assign(&rule(3), "rose"),
        split_rule::assign(&rule(3), "rose")
    );
    split_rule::assign(&rule(0), "5");
}

// ---- Folders of images ----

fn save_grey(path: PathBuf, width: u32, height: u32, value: impl Fn(u32, u32) -> u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    GrayImage::from_fn(width, height, |x, y| Luma([value(x, y)]))
        .save(path)
        .unwrap();
}

fn folder_config(size: (usize, usize), channels: usize, fit: Fit) -> ImageFolderConfig {
    ImageFolderConfig {
        folder: ".".into(),
        height: size.0,
        width: size.1,
        channels,
        fit,
        split: shares(0.0, 0.0),
        ..ImageFolderConfig::default()
    }
}

/// Opens a folder with grey 4x4 samples.
fn open_small(root: &Path) -> Result<ImageFolder, DataError> {
    ImageFolder::open(&folder_config((4, 4), 1, Fit::Stretch), root)
}

#[test]
fn split_folders_are_used_and_integer_classes_sort_by_number() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for class in ["0", "2", "10"] {
        save_grey(root.join("train").join(class).join("a.png"), 4, 4, |_, _| 0);
        save_grey(root.join("train").join(class).join("b.JPG"), 4, 4, |_, _| 0);
    }
    save_grey(root.join("val/10/c.jpeg"), 4, 4, |_, _| 0);
    save_grey(root.join("val/2/c.jpeg"), 4, 4, |_, _| 0);
    save_grey(root.join("test/2/d.png"), 4, 4, |_, _| 0);
    // Passed over: hidden files and folders, other kinds of files, files beside the class folders.
    save_grey(root.join("train/2/.thumbnail.png"), 4, 4, |_, _| 0);
    save_grey(root.join("train/.cache/e.png"), 4, 4, |_, _| 0);
    fs::write(root.join("train/2/notes.txt"), "hello").unwrap();
    fs::write(root.join("train/README.md"), "hello").unwrap();
    let source = open_small(root).unwrap();
    assert_eq!(source.classes(), ["0", "2", "10"]);
    assert_eq!(counts(&source), [6, 2, 1]);
    let labels = |split| {
        (0..source.len(split))
            .map(|i| source.label(split, i))
            .collect::<Vec<_>>()
    };
    assert_eq!(labels(Split::Train), [0, 0, 1, 1, 2, 2]);
    assert_eq!(labels(Split::Valid), [1, 2]);
    assert_eq!(labels(Split::Test), [1]);
    assert!(source.path(Split::Valid, 1).ends_with("val/10/c.jpeg"));
}

#[test]
fn class_folders_without_splits_are_divided_by_the_rule() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for class in ["rose", "10"] {
        for number in 0..10 {
            save_grey(
                root.join(class).join(format!("image_{number:04}.png")),
                4,
                4,
                |_, _| 0,
            );
        }
    }
    let mut config = folder_config((4, 4), 1, Fit::Stretch);
    config.split = SplitRule::Number(NumberConfig {
        divisor: 5,
        valid: Some(1),
        test: 0,
    });
    let source = ImageFolder::open(&config, root).unwrap();
    assert_eq!(source.classes(), ["10", "rose"]);
    assert_eq!(counts(&source), [12, 4, 4]);
    assert_eq!(per_class(&source, Split::Valid), [2, 2]);
    assert!(source.path(Split::Test, 3).ends_with("rose/image_0005.png"));
    config.split = shares(0.3, 0.3);
    let source = ImageFolder::open(&config, root).unwrap();
    for split in Split::ALL {
        for index in 0..source.len(split) {
            let path = source.path(split, index);
            let class = &source.classes()[source.label(split, index)];
            let name = format!("{class}/{}", path.file_stem().unwrap().display());
            assert_eq!(split_rule::assign(&config.split, &name), split);
        }
    }
}

#[test]
fn a_folder_that_can_not_be_used_is_named_with_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    // The default folder is ".", and the error prints it as it is joined.
    let shown = root.join(".");
    assert!(error_at(open_small(root), &shown).contains("looked for <class>/*.png"));
    fs::create_dir_all(root.join("rose")).unwrap();
    fs::write(root.join("rose/a.gif"), "GIF89a").unwrap();
    let text = error_at(open_small(root), &shown.join("rose"));
    assert!(text.contains("no images; looked for *.png"), "{text}");
    let config = ImageFolderConfig {
        folder: "nowhere".into(),
        ..ImageFolderConfig::default()
    };
    let text = error_at(ImageFolder::open(&config, root), &root.join("nowhere"));
    assert!(text.contains("not found"), "{text}");
    save_grey(root.join("train/rose/a.png"), 4, 4, |_, _| 0);
    save_grey(root.join("test/tulip/a.png"), 4, 4, |_, _| 0);
    let text = error_at(open_small(root), &shown.join("test/tulip"));
    assert!(text.contains("no such class in train/"), "{text}");
    fs::remove_dir_all(root.join("test")).unwrap();
    fs::create_dir_all(root.join("val")).unwrap();
    fs::create_dir_all(root.join("valid")).unwrap();
    assert!(error_at(open_small(root), &shown.join("val")).contains("keep one of them"));
    let text = error_at(
        ImageFolder::open(&folder_config((4, 4), 2, Fit::Pad), root),
        &shown,
    );
    assert!(text.contains("data.channels is 1 or 3"), "{text}");
}

#[test]
fn a_file_that_is_no_image_is_named_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    save_grey(root.join("rose/a.png"), 4, 4, |_, _| 0);
    fs::write(root.join("rose/b.png"), "not an image").unwrap();
    let source = open_small(root).unwrap();
    let mut out = [0.0; 16];
    source.read(Split::Train, 0, 0, &mut out).unwrap();
    let text = error_at(
        source.read(Split::Train, 1, 0, &mut out),
        &root.join("./rose/b.png"),
    );
    assert!(text.contains("replace or remove this file"), "{text}");
}

#[test]
fn a_second_reading_does_not_need_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rose/a.png");
    save_grey(path.clone(), 9, 7, |x, y| (x * 20 + y) as u8);
    let source = open_small(folder.path()).unwrap();
    let first = sample(&source, Split::Train, 0);
    fs::remove_file(path).unwrap();
    assert_eq!(sample(&source, Split::Train, 0), first);
}

#[test]
fn padding_keeps_proportions_and_takes_the_colour_of_the_border() {
    let folder = tempfile::tempdir().unwrap();
    // Twice as high as wide: paper of 200 with a black block in the middle half.
    save_grey(folder.path().join("a/a.png"), 20, 40, |x, y| {
        if (5..15).contains(&x) && (10..30).contains(&y) {
            0
        } else {
            200
        }
    });
    let config = folder_config((32, 32), 1, Fit::Pad);
    let source = ImageFolder::open(&config, folder.path()).unwrap();
    let image = sample(&source, Split::Train, 0);
    let paper = 200.0 / 255.0;
    // 16 of 32 columns are the image, so the block is columns 12..20 and rows 8..24.
    assert_eq!(image[16 * 32..][..8], [paper; 8]);
    assert_eq!(image[16 * 32 + 24..][..8], [paper; 8]);
    assert_eq!(image[16 * 32 + 14..][..4], [0.0; 4]);
    assert_eq!([image[16], image[31 * 32 + 16]], [paper; 2]);
    let ink: f32 = image.iter().map(|v| 1.0 - v / paper).sum();
    // 8 x 16 pixels of ink, whatever the edges look like.
    assert!((ink - 128.0).abs() < 2.0, "{ink}");
}

#[test]
fn cropping_takes_the_middle_and_stretching_takes_all() {
    let folder = tempfile::tempdir().unwrap();
    // Black, then white in the middle, then black: 40 wide, 20 high. Two columns more than are cut out are white, because
    // the image is reduced by two before it is cut, and so its edge takes a little from beyond.
    save_grey(folder.path().join("a/a.png"), 40, 20, |x, _| {
        if (8..32).contains(&x) { 255 } else { 0 }
    });
    let read = |fit| {
        let source = ImageFolder::open(&folder_config((10, 10), 1, fit), folder.path()).unwrap();
        sample(&source, Split::Train, 0)
    };
    assert_eq!(read(Fit::Crop), [1.0; 100]);
    let stretched = read(Fit::Stretch);
    assert_eq!([stretched[0], stretched[5], stretched[9]], [0.0, 1.0, 0.0]);
}

#[test]
fn shrinking_averages_over_the_area() {
    let folder = tempfile::tempdir().unwrap();
    // Single black and white pixels in turn: any point sampling gives black or white, the average is grey.
    save_grey(folder.path().join("a/a.png"), 64, 64, |x, y| {
        if (x + y) % 2 == 0 { 255 } else { 0 }
    });
    let source = ImageFolder::open(&folder_config((8, 8), 1, Fit::Stretch), folder.path()).unwrap();
    for value in sample(&source, Split::Train, 0) {
        assert!((value - 0.5).abs() < 0.01, "{value}");
    }
}

#[test]
fn colours_come_channel_by_channel_and_transparency_shows_white() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("a")).unwrap();
    RgbImage::from_pixel(6, 6, Rgb([51, 102, 255]))
        .save(folder.path().join("a/0.png"))
        .unwrap();
    RgbaImage::from_pixel(6, 6, Rgba([0, 0, 0, 0]))
        .save(folder.path().join("a/1.png"))
        .unwrap();
    RgbaImage::from_pixel(6, 6, Rgba([0, 51, 0, 204]))
        .save(folder.path().join("a/2.png"))
        .unwrap();
    let config = folder_config((2, 3), 3, Fit::Stretch);
    let source = ImageFolder::open(&config, folder.path()).unwrap();
    assert_eq!(
        source.shape(),
        ImageShape {
            channels: 3,
            height: 2,
            width: 3
        }
    );
    let planes = |r: f32, g: f32, b: f32| [[r; 6], [g; 6], [b; 6]].concat();
    assert_eq!(sample(&source, Split::Train, 0), planes(0.2, 0.4, 1.0));
    assert_eq!(sample(&source, Split::Train, 1), planes(1.0, 1.0, 1.0));
    // 0.8 of the colour and 0.2 of white: 51, 0.8 * 51 + 51 = 91.8, 51.
    assert_eq!(
        sample(&source, Split::Train, 2),
        planes(0.2, 92.0 / 255.0, 0.2)
    );
    // One channel of the same files.
    let grey = ImageFolder::open(&folder_config((2, 3), 1, Fit::Pad), folder.path()).unwrap();
    assert_eq!(sample(&grey, Split::Train, 1), [1.0; 6]);
}

#[test]
#[cfg_attr(
    not(kiln_data = "handwritten36"),
    ignore = "needs handwritten36 in KILN_DATA"
)]
fn the_photographed_characters_are_all_there() {
    let root = real_data();
    let config = ImageFolderConfig {
        folder: "handwritten36".into(),
        ..ImageFolderConfig::default()
    };
    let source = ImageFolder::open(&config, &root).unwrap();
    assert_eq!(
        source.classes().concat(),
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    );
    assert_eq!(counts(&source).iter().sum::<usize>(), 3_346);
    // A tenth each, within four standard deviations (17 files each).
    assert!(
        counts(&source)[1..].iter().all(|n| n.abs_diff(335) < 70),
        "{:?}",
        counts(&source)
    );
    // Dark pen on light paper.
    let image = sample(&source, Split::Train, 0);
    let mean = image.iter().sum::<f32>() / image.len() as f32;
    assert!((0.4..1.0).contains(&mean), "{mean}");
}

#[test]
#[cfg_attr(not(kiln_data = "flowers17"), ignore = "needs flowers17 in KILN_DATA")]
fn the_flowers_come_in_their_own_split() {
    let root = real_data();
    let mut config = folder_config((24, 24), 3, Fit::Crop);
    config.folder = "flowers17".into();
    let source = ImageFolder::open(&config, &root).unwrap();
    assert_eq!(
        source.classes().join(" "),
        "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"
    );
    assert_eq!(counts(&source), [680, 340, 340]);
    assert_eq!(per_class(&source, Split::Train), [40; 17]);
    assert_eq!(per_class(&source, Split::Test), [20; 17]);
    assert!(
        sample(&source, Split::Valid, 339)
            .iter()
            .all(|v| (0.0..=1.0).contains(v))
    );
}

// ---- Information ----

/// Training: two white images of `a`, one black one and one half black of `b`; test: one of `b`.
fn little_source(root: &Path) -> ImageFolder {
    save_grey(root.join("train/a/0.png"), 4, 4, |_, _| 255);
    save_grey(root.join("train/a/1.png"), 4, 4, |_, _| 255);
    save_grey(root.join("train/b/0.png"), 4, 4, |_, _| 0);
    save_grey(root.join("train/b/1.png"), 4, 4, |x, _| {
        if x < 2 { 0 } else { 255 }
    });
    save_grey(root.join("test/b/0.png"), 4, 4, |_, _| 0);
    open_small(root).unwrap()
}

#[test]
fn the_summary_agrees_with_a_calculation_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let info = info::summarize(&little_source(folder.path())).unwrap();
    assert_eq!(info.classes, ["a", "b"]);
    let per_class: Vec<_> = info.splits.iter().map(|s| s.per_class.as_slice()).collect();
    assert_eq!(per_class, [[2, 2], [0, 0], [0, 1]]);
    // 40 of 64 values are 1: mean 0.625, variance 0.625 * 0.375.
    assert_eq!(info.mean, [0.625]);
    assert!((info.standard_deviation[0] - 0.234_375f64.sqrt()).abs() < 1e-12);
    let table = info::format(&info);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[0],
        "2 classes, samples of 1 x 4 x 4 (channels x height x width)"
    );
    assert_eq!(
        lines[1],
        "train values: mean 0.6250, standard deviation 0.4841"
    );
    assert_eq!(lines[3], "class      train    valid     test");
    // Three of `b` fill the bar; two of `a` are two thirds of it, rounded up.
    assert_eq!(
        lines[4],
        format!("a              2        0        0  {}", "#".repeat(27))
    );
    assert_eq!(
        lines[5],
        format!("b              2        0        1  {}", "#".repeat(40))
    );
    assert_eq!(lines[6], "samples        4        0        1");
}

#[test]
fn a_sheet_shows_each_class_in_its_row_as_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let source = little_source(folder.path());
    let sheet = info::grid(&source, Split::Train, 2, &|index, values| {
        if index == 0 {
            values.fill(0.2);
            return Ok(());
        }
        source.read(Split::Train, index, 0, values)
    })
    .unwrap();
    let pixel = |value: u8| sheet.pixels().filter(|p| p.0 == [value; 3]).count();
    // Tiles of 32x32: sample 0 as it was filled in, 1 white, 2 black, 3 half and half.
    assert_eq!(pixel(51), 1024);
    assert_eq!(pixel(255), 1024 + 512);
    assert_eq!(pixel(0), 1024 + 512);
    let error = info::grid(&source, Split::Valid, 2, &|_, _| Ok(()))
        .err()
        .unwrap();
    assert!(error.to_string().contains("the valid split has no samples"));
}

#[test]
fn a_summary_without_training_samples_is_of_the_first_split_that_has_some() {
    let folder = tempfile::tempdir().unwrap();
    save_grey(folder.path().join("a/0.png"), 4, 4, |_, _| 255);
    let mut config = folder_config((4, 4), 1, Fit::Pad);
    config.split = shares(0.0, 1.0);
    let source = ImageFolder::open(&config, folder.path()).unwrap();
    let info = info::summarize(&source).unwrap();
    assert_eq!((info.statistics_of, info.mean), (Split::Test, vec![1.0]));
}
