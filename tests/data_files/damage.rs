//! Damaged files: cut at any length, with flipped bits, or with claims that they don't keep.

use std::path::Path;

use kiln::data::{DataConfig, open_in};
use kiln::progress::Monitor;
use tempfile::TempDir;

use crate::fixtures;
use crate::table::{Then, cases};

/// The files of tests/fixtures/data whose damage is tried, each with the case that reads it.
const FILES: &[(&str, &str)] = &[
    ("mnist/train-images-idx3-ubyte.gz", "MNIST"),
    ("mnist/train-labels-idx1-ubyte", "MNIST"),
    ("mnist/t10k-images.idx3-ubyte", "MNIST"),
    ("emnist/emnist-letters-mapping.txt", "EMNIST's letters"),
    ("cifar-10-batches-py/data_batch_1", "CIFAR-10, pickles"),
    (
        "cifar-100-python/test",
        "CIFAR-100's coarse classes, pickles",
    ),
    ("npz/packed.npz", "a compressed .npz"),
    (
        "csv/labelled_test.csv.gz",
        "tables for training and testing",
    ),
    ("mat/train_32x32.mat", "SVHN's files"),
    ("mat/emnist.mat", "EMNIST's structures, compressed"),
    (
        "parquet/hub/data/train-00000-of-00002.parquet",
        "a set of the hub",
    ),
    ("mat/emnist_plain.mat", "EMNIST's plain structures"),
];

/// A copy of the folder that a file is in.
fn copy(file: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (parent, _) = file.rsplit_once('/').unwrap();
    std::fs::create_dir_all(folder.path().join(parent)).unwrap();
    for entry in std::fs::read_dir(fixtures().join(parent)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let name = path.file_name().unwrap();
            std::fs::copy(&path, folder.path().join(parent).join(name)).unwrap();
        }
    }
    folder
}

fn config(name: &str) -> DataConfig {
    let case =
        cases().find(|case| case.name.starts_with(name) && matches!(case.then, Then::Used(..)));
    serde_json::from_str(case.expect("a case").data).unwrap()
}

/// Opens what is in the folder: a source, or an error of one line that names a file in it.
fn try_open(config: &DataConfig, root: &Path, what: &str) -> bool {
    match open_in(config, root, &Monitor::default()) {
        Ok(_) => true,
        Err(error) => {
            let text = error.to_string();
            assert_eq!(text.lines().count(), 1, "{what}: {text}");
            assert!(
                text.contains(&root.display().to_string()),
                "{what}: names no file: {text}"
            );
            false
        }
    }
}

#[test]
fn a_file_that_ends_early_is_refused_by_name() {
    for (file, case) in FILES {
        let (folder, config) = (copy(file), config(case));
        assert!(try_open(&config, folder.path(), file));
        let path = folder.path().join(file);
        let whole = std::fs::read(&path).unwrap();
        let step = (whole.len() / 40).max(1);
        for length in (0..whole.len()).step_by(step) {
            std::fs::write(&path, &whole[..length]).unwrap();
            let opened = try_open(&config, folder.path(), file);
            // A list of classes may lose its last lines or letters.
            let is_list = file.ends_with(".txt");
            assert!(!opened || is_list, "{file} of {length} bytes is read");
        }
    }
}

#[test]
fn a_file_with_flipped_bits_is_read_or_refused_by_name() {
    for (file, case) in FILES {
        let (folder, config) = (copy(file), config(case));
        let path = folder.path().join(file);
        let whole = std::fs::read(&path).unwrap();
        let step = (whole.len() / 60).max(1);
        for at in (0..whole.len()).step_by(step) {
            for bit in [0, 3, 7] {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                std::fs::write(&path, &bytes).unwrap();
                try_open(&config, folder.path(), file);
            }
        }
    }
}
