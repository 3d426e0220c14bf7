//! Files and sets without content: that they are empty is what is said, with the key that names them.

use kiln::data::{DataConfig, open_in};
use kiln::progress::Monitor;

use crate::common::Bench;

/// The error of a source in a folder.
fn refused(folder: &std::path::Path, data: &str) -> String {
    let config: DataConfig = serde_json::from_str(data).unwrap();
    let error = open_in(&config, folder, &Monitor::default()).err();
    error
        .unwrap_or_else(|| panic!("{data}: opened"))
        .to_string()
}

#[test]
fn a_file_of_no_bytes_is_called_empty_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    for (file, data) in [
        ("a.csv", r#"{"kind": "csv", "train": "a.csv"}"#),
        ("a.npz", r#"{"kind": "npz", "train": {"file": "a.npz"}}"#),
        (
            "npy/x_train.npy",
            r#"{"kind": "npz", "train": {"file": "npy", "images": "x_train", "labels": "x_train"}}"#,
        ),
        ("a.mat", r#"{"kind": "mat", "train": {"file": "a.mat"}}"#),
        (
            "train_32x32.mat",
            r#"{"kind": "mat", "train": {"file": "train_32x32.mat"}}"#,
        ),
        ("a.parquet", r#"{"kind": "parquet", "path": "a.parquet"}"#),
        (
            "nist36/nist36_train.mat",
            r#"{"kind": "nist36", "folder": "nist36"}"#,
        ),
        (
            "cifar/data_batch_1.bin",
            r#"{"kind": "cifar10", "folder": "cifar"}"#,
        ),
        (
            "unipen/strokes.jsonl.gz",
            r#"{"kind": "unipen", "folder": "unipen"}"#,
        ),
        ("a.zip", r#"{"kind": "image_folder", "folder": "a.zip"}"#),
    ] {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "").unwrap();
        let error = refused(folder.path(), data);
        assert!(error.contains("the file is empty"), "{file}: {error}");
        assert!(error.contains(file.rsplit('/').next().unwrap().split('.').next().unwrap()));
    }
    let idx = folder.path().join("idx");
    std::fs::create_dir(&idx).unwrap();
    for file in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"] {
        std::fs::write(idx.join(file), "").unwrap();
    }
    let error = refused(folder.path(), r#"{"kind": "idx", "folder": "idx"}"#);
    assert!(error.ends_with("the file is empty"), "{error}");
}

#[test]
fn a_set_without_samples_is_refused_with_the_key_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let npy = |shape: &str, kind: &str| {
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes
    };
    let pair = folder.path().join("pair");
    std::fs::create_dir(&pair).unwrap();
    std::fs::write(pair.join("x_train.npy"), npy("(0, 28, 28)", "|u1")).unwrap();
    std::fs::write(pair.join("y_train.npy"), npy("(0,)", "|u1")).unwrap();
    let error = refused(
        folder.path(),
        r#"{"kind": "npz", "train": {"file": "pair"}}"#,
    );
    assert_eq!(error, "the data has no samples; change data.train.file");
}

#[test]
fn an_exclude_list_that_leaves_nothing_and_wrong_kinds_of_paths_are_told_in_words() {
    let bench = Bench::new();
    bench.write("set.csv", "0,0,0,0,0\n1,0,0,0,9\n");
    bench.write("all.txt", "train/0\ntrain/1\n");
    bench.write("folder/some.txt", "");
    let csv = r#""kind": "csv", "train": "set.csv", "height": 2, "width": 2, "split": {"by": "share", "valid": 0, "test": 0}"#;
    for (data, code, told) in [
        (
            format!(r#"{csv}, "exclude": "all.txt""#),
            2,
            "all.txt: data.exclude leaves no samples; delete some of its lines, or remove the key",
        ),
        (
            format!(r#"{csv}, "exclude": "folder""#),
            2,
            "folder: data.exclude: is a folder, where a list of samples is expected",
        ),
        (
            r#""kind": "image_folder", "folder": "set.csv""#.into(),
            1,
            "set.csv: is a file, where a folder is expected",
        ),
        (
            r#""kind": "csv", "train": "folder""#.into(),
            1,
            "folder: is a folder, where a file is expected",
        ),
        (
            r#""kind": "parquet", "path": "set.csv/below""#.into(),
            1,
            "set.csv/below: not found",
        ),
    ] {
        bench.write(
            "run.json",
            format!(r#"{{"data": {{{data}}}, "model": {{"kind": "mlp"}}}}"#),
        );
        let mut info = bench.kiln("data info run.json");
        let output = info.env_remove("KILN_DATA").output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{err}");
        assert!(err.contains(told), "{err}");
        assert!(!err.contains("os error"), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
}
