//! Sets of images in the formats in which people have them: what is used of each, what is told, and how the program ends.
//!
//! The files are in tests/fixtures/data; `make_files.py` wrote them with the programs that people write them with. Its formula for
//! the pixels is the one here.

#[path = "../common/mod.rs"]
mod common;

mod arrays_table;
mod convert;
mod damage;
mod empty;
mod label_columns;
mod parquet_table;
mod pixel_tables;
mod python;
mod small_tables;
mod table;
mod value_ranges;

use common::{Bench, repository};
use kiln::data::{DataConfig, DataSource, Split, open_in};
use kiln::progress::Monitor;
use table::{Then, cases};

/// Half a step of the coarsest type that they are stored in, 16-bit floating point; a step of 8 bits is 16 times as much.
const TOLERANCE: f32 = 2.5e-4;

/// The folder of the files.
fn fixtures() -> std::path::PathBuf {
    repository().join("tests/fixtures/data")
}

/// The value of a pixel, as make_files.py has it.
fn pixel(n: usize, c: usize, y: usize, x: usize) -> f32 {
    ((37 * n + 11 * y + 5 * x + 50 * c) % 251) as f32 / 255.0
}

/// The numbers of the images of a split: validation has the last of training.
fn numbers(source: &dyn DataSource, split: Split) -> std::ops::Range<usize> {
    let first = match split {
        Split::Train => 0,
        Split::Valid => source.len(Split::Train),
        Split::Test => 20,
    };
    first..first + source.len(split)
}

/// Every value of every sample is that of its image.
fn assert_pixels(source: &dyn DataSource, case: &str) {
    let shape = source.shape();
    let mut values = vec![0.0; shape.values()];
    for split in Split::ALL {
        for (index, n) in numbers(source, split).enumerate() {
            source.read(split, index, 0, &mut values).unwrap();
            let mut found = values.iter();
            for c in 0..shape.channels {
                for y in 0..shape.height {
                    for x in 0..shape.width {
                        let (found, expected) = (found.next().unwrap(), pixel(n, c, y, x));
                        assert!(
                            (found - expected).abs() < TOLERANCE,
                            "{case}: image {n} has {found} at {c}, {y}, {x}; expected {expected}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn each_set_is_read_as_its_writer_meant_it() {
    for case in cases() {
        let Then::Used(counts, classes, _) = case.then else {
            continue;
        };
        let config: DataConfig = serde_json::from_str(case.data).unwrap();
        let source = open_in(&config, &fixtures(), &Monitor::default())
            .unwrap_or_else(|e| panic!("{}: {e}", case.name));
        let found = Split::ALL.map(|split| source.len(split));
        assert_eq!(found, counts, "{}", case.name);
        assert_eq!(source.classes().join(" "), classes, "{}", case.name);
        for split in Split::ALL {
            for (index, n) in numbers(source.as_ref(), split).enumerate() {
                assert_eq!(source.label(split, index), n % 3, "{}: {n}", case.name);
            }
        }
        assert_pixels(source.as_ref(), case.name);
        source.check(&Split::ALL, &Monitor::default()).unwrap();
    }
}

#[test]
fn each_set_is_told_about_in_a_line_with_the_right_exit_code() {
    for case in cases() {
        let bench = Bench::new();
        let config = format!(r#"{{"data": {}, "model": {{"kind": "mlp"}}}}"#, case.data);
        bench.write("run.json", config);
        let output = bench
            .kiln("data info run.json")
            .env("KILN_DATA", fixtures())
            .output()
            .unwrap();
        let (out, err) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        match case.then {
            Then::Used(_, _, told) => {
                assert_eq!(output.status.code(), Some(0), "{}: {err}", case.name);
                assert!(out.contains(told), "{}: {out}", case.name);
            }
            Then::Refused(told, code) => {
                assert_eq!(output.status.code(), Some(code), "{}: {err}", case.name);
                assert_eq!(err.lines().count(), 1, "{}: {err}", case.name);
                assert!(err.contains(told), "{}: {err}", case.name);
            }
        }
    }
}

#[test]
fn in_svhn_the_label_10_is_the_digit_0() {
    let data = r#"{"kind": "mat", "train": {"file": "mat/digits.mat"}, "height": 6, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#;
    let config: DataConfig = serde_json::from_str(data).unwrap();
    let source = open_in(&config, &fixtures(), &Monitor::default()).unwrap();
    assert_eq!(source.classes().join(""), "0123456789");
    for n in 0..10 {
        assert_eq!(source.label(Split::Train, n), n);
    }
    let notes = source.notes().join("; ");
    assert!(notes.contains("10 is the digit 0, as in SVHN"), "{notes}");
}
