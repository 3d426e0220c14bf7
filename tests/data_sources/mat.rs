//! MATLAB files as scipy writes them, and damaged ones.

use crate::support::{compressed, doubles, element, error_at, file_with, mat_bytes};
use base64::Engine;
use kiln::data::DataError;
use kiln::data::Nist36Config;
use kiln::data::formats::mat::MatFile;
use kiln::data::formats::mat::read_matrix;
use kiln::data::nist36;
use proptest::prelude::*;
use std::path::Path;

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
                0 => "the file is empty",
                _ if boundaries.contains(&length) => "has no variable",
                _ => "truncated",
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
    assert!(read(b"").contains("the file is empty"));
    let long = "lorem ipsum ".repeat(100);
    assert!(read(long.as_bytes()).contains("(starts with \"lorem ipsum lorem ip\")"));
    let mut hdf5 = b"MATLAB 7.3 MAT-file".to_vec();
    hdf5.resize(124, b' ');
    hdf5.extend(b"\x00\x02IM\x89HDF");
    assert!(read(&hdf5).contains("\"-v7\""));
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
