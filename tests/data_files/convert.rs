//! `kiln data convert`: any source as class folders.

use kiln::data::{DataConfig, DataSource, Split, open_in};
use kiln::progress::Monitor;

use crate::common::Bench;
use crate::fixtures;

fn open(data: &str, root: &std::path::Path) -> Box<dyn DataSource> {
    let config: DataConfig = serde_json::from_str(data).unwrap();
    open_in(&config, root, &Monitor::default()).unwrap()
}

/// The samples of a split, each with the name of its class, sorted.
fn samples(source: &dyn DataSource, split: Split) -> Vec<(String, Vec<f32>)> {
    let mut found = Vec::new();
    for index in 0..source.len(split) {
        let mut values = vec![0.0; source.shape().values()];
        source.read(split, index, 0, &mut values).unwrap();
        found.push((source.classes()[source.label(split, index)].clone(), values));
    }
    found.sort_by(|a, b| a.partial_cmp(b).unwrap());
    found
}

fn assert_same(before: &dyn DataSource, after: &dyn DataSource, what: &str) {
    for split in Split::ALL {
        let (before, after) = (samples(before, split), samples(after, split));
        assert_eq!(before.len(), after.len(), "{what}");
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.0, after.0, "{what}");
            for (before, after) in before.1.iter().zip(&after.1) {
                assert!(
                    (before - after).abs() <= 0.501 / 255.0,
                    "{what}: {before}, {after}"
                );
            }
        }
    }
}

#[test]
fn a_converted_source_has_the_same_samples_to_half_a_step_of_8_bits() {
    let sources = [
        r#"{"kind": "idx", "folder": "mnist", "height": 6, "width": 5}"#,
        r#"{"kind": "npz", "train": {"file": "npz/types.npz", "images": "unit_f16_pixels", "labels": "word_u16_names"}, "height": 6, "width": 5}"#,
        r#"{"kind": "mat", "train": {"file": "mat/train_32x32.mat"}, "test": {"file": "mat/test_32x32.mat"}, "channels": 3, "height": 6, "width": 5}"#,
    ];
    for (number, data) in sources.iter().enumerate() {
        let bench = Bench::new();
        bench.write(
            "run.json",
            format!(r#"{{"data": {data}, "model": {{"kind": "mlp"}}}}"#),
        );
        let out = format!("out{number}");
        let before = open(data, &fixtures());
        let channels = before.shape().channels;
        let size = format!(r#""channels": {channels}, "height": 6, "width": 5"#);
        for (arguments, written) in [
            (
                format!("{out} --format folders"),
                format!(r#""kind": "image_folder", "folder": "{out}""#),
            ),
            (
                format!("{out}p --format parquet"),
                format!(r#""kind": "parquet", "path": "{out}p""#),
            ),
        ] {
            let mut convert = bench.kiln(&format!("data convert run.json {arguments}"));
            convert.env("KILN_DATA", fixtures()).assert().success();
            let after = open(&format!("{{{written}, {size}}}"), bench.folder.path());
            assert_same(&*before, &*after, data);
        }
        let list = String::from_utf8(bench.read(&format!("{out}/labels.csv"))).unwrap();
        let images: usize = Split::ALL.map(|split| before.len(split)).iter().sum();
        assert_eq!(list.lines().count(), images + 1);
        for line in list.lines().skip(1) {
            let [file, label, split] = line.split(',').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            assert!(file.starts_with(&format!("{split}/{label}/")), "{line}");
            assert!(bench.path(&format!("{out}/{file}")).is_file(), "{line}");
        }
    }
}

#[test]
fn a_kind_of_source_can_be_converted_without_a_config() {
    let bench = Bench::new();
    let arguments = "data convert npz out --set data.train.file=npz/mnist.npz --set data.height=6 --set data.width=5";
    let mut convert = bench.kiln(arguments);
    let output = convert.env("KILN_DATA", fixtures()).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("test images in 3 classes"), "{told}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "out\n");
    assert!(bench.path("out/train/0/000001.png").is_file());
}

#[test]
fn nothing_is_overwritten_and_nothing_is_left_of_a_failure() {
    let bench = Bench::new();
    bench.write("full/note.txt", "mine");
    bench.write("file", "mine");
    let glyphs = "--set data.train=36 --set data.valid=36 --set data.test=36";
    for (out, told) in [("full", "is not empty"), ("file", "is not a folder")] {
        let before = bench.listing();
        let assert = bench
            .kiln(&format!("data convert glyphs {out} {glyphs}"))
            .assert()
            .code(2);
        let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(err.contains(told), "{err}");
        assert_eq!(bench.listing(), before);
    }
    let before = bench.listing();
    let wrong = [
        (
            "data convert nonsense out",
            "neither a config file nor a kind of source",
        ),
        (
            "data convert glyphs none/out --set data.train=36",
            "none/out",
        ),
        ("data convert npz out", "mnist.npz"),
    ];
    for (arguments, told) in wrong {
        let output = bench.kiln(arguments).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && err.contains(told),
            "{arguments}: {err}"
        );
        assert_eq!(bench.listing(), before, "{arguments}");
    }
    // An empty folder is free.
    std::fs::create_dir(bench.path("empty")).unwrap();
    bench
        .kiln(&format!("data convert glyphs empty {glyphs}"))
        .assert()
        .success();
    assert!(bench.path("empty/labels.csv").is_file());
}

#[test]
fn a_class_of_any_name_comes_back_from_folders_and_from_parquet() {
    let bench = Bench::new();
    let names = [
        "a/b", ".", "..", "50%", "%2F", "a:b?", "\u{e4}\\", "CON", "aux.1", "Lpt9",
    ];
    let rows: String = (0..2 * names.len())
        .map(|row| format!("{},{row},0,0,255\n", names[row / 2]))
        .collect();
    bench.write("set.csv", rows);
    let data = r#"{"kind": "csv", "train": "set.csv", "height": 2, "width": 2, "split": {"by": "share", "valid": 0, "test": 0}}"#;
    bench.write(
        "run.json",
        format!(r#"{{"data": {data}, "model": {{"kind": "mlp"}}}}"#),
    );
    let before = open(data, bench.folder.path());
    let size = r#""channels": 1, "height": 2, "width": 2, "split": {"by": "share", "valid": 0, "test": 0}"#;
    for (arguments, read) in [
        (
            "out --format folders",
            r#""kind": "image_folder", "folder": "out""#,
        ),
        (
            "packed --format parquet",
            r#""kind": "parquet", "path": "packed""#,
        ),
    ] {
        let mut convert = bench.kiln(&format!("data convert run.json {arguments}"));
        convert.env_remove("KILN_DATA").assert().success();
        let after = open(&format!("{{{read}, {size}}}"), bench.folder.path());
        assert_same(&*before, &*after, arguments);
    }
    // The list has the classes as they are.
    let list = String::from_utf8(bench.read("out/labels.csv")).unwrap();
    assert!(list.contains("train/a%2Fb/000001.png,a/b,train"), "{list}");
    // Windows has devices of these names.
    for folder in ["CON", "aux.1", "Lpt9"] {
        assert!(!bench.path(&format!("out/train/{folder}")).exists());
    }
}

#[test]
fn a_folder_is_not_made_below_one_that_is_missing() {
    let bench = Bench::new();
    let assert = bench
        .kiln("data convert glyphs none/out --set data.train=36")
        .assert()
        .code(2);
    let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    let told = "none/out: cannot be created: there is no folder none; create it first, or choose another path";
    assert!(err.contains(told), "{err}");
    bench.write("ps.png", "mine");
    for arguments in [
        "data convert glyphs ps.png/out --set data.train=36",
        "data convert glyphs ps.png/a/b --set data.train=36",
    ] {
        let assert = bench.kiln(arguments).assert().code(2);
        let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        let told = "cannot be created: ps.png is a file, not a folder; choose another path";
        assert!(err.contains(told), "{err}");
    }
}

/// Nothing can be created in /proc, whoever one is.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_called_by_the_name_that_the_user_gave() {
    let bench = Bench::new();
    let small = "--set data.train=36 --set data.valid=36 --set data.test=36";
    for format in ["folders", "parquet"] {
        let arguments = format!("data convert glyphs /proc/out --format {format} {small}");
        let assert = bench.kiln(&arguments).assert().code(1);
        let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(err.contains("/proc/out: cannot be created"), "{err}");
        assert!(!err.contains(".kiln-"), "{err}");
    }
}
