//! Event files, read by a reader of the tests' own, after the formats' documentation.

use std::collections::BTreeMap;
use std::path::Path;

use super::{bench, bytes, numbers};

/// A value of a summary.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Number(f32),
    Picture(Vec<u8>),
    Other,
}

/// What the files of a folder say: values by tag and step, in the order of the files.
#[derive(Debug, Default)]
struct Read {
    values: Vec<(String, u64, Value)>,
    versions: usize,
}

/// CRC-32C bit by bit.
fn crc32c(data: &[u8]) -> u32 {
    let mut sum = !0u32;
    for byte in data {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 {
                sum >> 1 ^ 0x82f6_3b78
            } else {
                sum >> 1
            };
        }
    }
    !sum
}

fn masked(data: &[u8]) -> [u8; 4] {
    let sum = crc32c(data);
    sum.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

fn read(folder: &Path) -> Read {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    let mut read = Read::default();
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let mut rest = bytes.as_slice();
        while rest.len() >= 12 {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            assert_eq!(rest[8..12], masked(&rest[..8]));
            if rest.len() < 16 + length {
                break; // torn
            }
            let data = &rest[12..12 + length];
            assert_eq!(rest[12 + length..16 + length], masked(data));
            read.event(data);
            rest = &rest[16 + length..];
        }
    }
    read
}

impl Read {
    fn event(&mut self, event: &[u8]) {
        let fields = fields(event);
        let find = |number: u64| {
            fields
                .iter()
                .find(|(n, _)| *n == number)
                .map(|(_, f)| f.clone())
        };
        let step = find(2).map_or(0, |step| step.integer);
        if let Some(version) = find(3) {
            assert_eq!(version.bytes, b"brain.Event:2");
            self.versions += 1;
        }
        for (_, value) in fields_of(find(5)).into_iter().filter(|(n, _)| *n == 1) {
            let parts = self::fields(&value.bytes);
            let mut tag = String::new();
            let mut found = Value::Other;
            for (number, part) in parts {
                match number {
                    1 => tag = String::from_utf8(part.bytes).unwrap(),
                    2 => found = Value::Number(f32::from_le_bytes(part.bytes.try_into().unwrap())),
                    4 => {
                        let image = self::fields(&part.bytes);
                        let file = image.into_iter().find(|(n, _)| *n == 4).unwrap().1;
                        found = Value::Picture(file.bytes);
                    }
                    _ => {}
                }
            }
            self.values.push((tag, step, found));
        }
    }

    /// The numbers by tag and epoch; fails where one is there twice.
    fn numbers(&self) -> BTreeMap<(String, u64), f32> {
        let mut all = BTreeMap::new();
        for (tag, step, value) in &self.values {
            if let Value::Number(value) = value {
                let before = all.insert((tag.clone(), *step), *value);
                assert!(before.is_none(), "{tag} is there twice at step {step}");
            }
        }
        all
    }
}

#[derive(Debug, Clone, Default)]
struct Field {
    integer: u64,
    bytes: Vec<u8>,
}

fn fields_of(field: Option<Field>) -> Vec<(u64, Field)> {
    field.map_or(Vec::new(), |field| fields(&field.bytes))
}

/// The fields of a message of protocol buffers.
fn fields(mut rest: &[u8]) -> Vec<(u64, Field)> {
    fn varint(rest: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let byte = rest[0];
            *rest = &rest[1..];
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                break;
            }
        }
        value
    }
    let mut found = Vec::new();
    while !rest.is_empty() {
        let key = varint(&mut rest);
        let mut field = Field::default();
        let length = match key & 7 {
            0 => {
                field.integer = varint(&mut rest);
                0
            }
            1 => 8,
            2 => varint(&mut rest) as usize,
            5 => 4,
            other => panic!("wire type {other}"),
        };
        field.bytes = rest[..length].to_vec();
        rest = &rest[length..];
        found.push((key >> 3, field));
    }
    found
}

/// Fails unless the folder has exactly the numbers of the run's `metrics.jsonl`, as 32-bit floats.
fn assert_same_numbers(bench: &crate::common::Bench, run: &str) {
    let found = read(&bench.path(&format!("{run}/tensorboard"))).numbers();
    let is_of_epoch = |tag: &str| {
        !["time/", "test/", "final/"]
            .iter()
            .any(|p| tag.starts_with(p))
    };
    let found: BTreeMap<_, _> = found
        .into_iter()
        .filter(|((tag, _), _)| is_of_epoch(tag))
        .collect();
    let expected: BTreeMap<_, _> = numbers(bench, run)
        .into_iter()
        .map(|(key, value)| (key, value as f32))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_event_files_of_a_run_have_every_number_of_its_metrics() {
    let bench = bench();
    bench.output("train small.json --run-dir run --log tensorboard");
    assert_same_numbers(&bench, "run");
    let read = read(&bench.path("run/tensorboard"));
    let tags: Vec<&str> = read.values.iter().map(|(tag, _, _)| tag.as_str()).collect();
    for tag in [
        "_hparams_/session_start_info",
        "_hparams_/session_end_info",
        "config",
        "test/accuracy",
    ] {
        assert!(tags.contains(&tag), "{tag} of {tags:?}");
    }
    let summary: serde_json::Value =
        serde_json::from_slice(&bench.read("run/summary.json")).unwrap();
    let best = summary["best_epoch"].as_u64().unwrap();
    let accuracy = summary["test"]["accuracy"].as_f64().unwrap() as f32;
    assert_eq!(read.numbers()[&("test/accuracy".into(), best)], accuracy);
}

#[test]
fn the_pictures_of_the_report_are_in_the_event_files() {
    let bench = bench();
    bench.output("train small.json --run-dir run --log tensorboard");
    let read = read(&bench.path("run/tensorboard"));
    let mut names = Vec::new();
    for (tag, _, value) in &read.values {
        if let Value::Picture(file) = value {
            image::load_from_memory(file).unwrap_or_else(|error| panic!("{tag}: {error}"));
            names.push(tag.as_str());
        }
    }
    for start in [
        "confusion matrix",
        "mistakes/01 ",
        "first-layer weights/after training",
    ] {
        assert!(
            names.iter().any(|name| name.starts_with(start)),
            "{start}: {names:?}"
        );
    }
}

#[test]
fn event_files_do_not_change_the_bytes_of_a_run() {
    let bench = bench();
    bench.output("train small.json --run-dir with --log tensorboard");
    bench.output("train small.json --run-dir without");
    assert!(bytes(&bench, "with") == bytes(&bench, "without"));
    assert!(!bench.path("without/tensorboard").exists());
}

#[test]
fn a_resumed_run_goes_on_in_the_same_folder_without_doubled_steps() {
    let bench = bench();
    bench.output("train small.json --run-dir run --log tensorboard");
    // Epoch 3 is trained again, with the same result; 4 and 5 are new.
    bench.output("train --resume run@2 --set training.epochs=5");
    assert_same_numbers(&bench, "run");
    assert_eq!(read(&bench.path("run/tensorboard")).versions, 2);
    bench.output("train small.json --run-dir at_once --set training.epochs=5");
    assert!(bytes(&bench, "run") == bytes(&bench, "at_once"));
}

#[test]
fn a_file_that_was_torn_by_a_crash_loses_nothing() {
    let bench = bench();
    bench.output("train small.json --run-dir run --log tensorboard --set training.epochs=2");
    let folder = bench.path("run/tensorboard");
    let file = std::fs::read_dir(&folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    // As if the machine had died in the middle of the first epoch's event, whatever else was written later.
    let bytes = std::fs::read(&file).unwrap();
    let at = bytes
        .windows(10)
        .position(|part| part == b"train/loss")
        .unwrap();
    std::fs::write(&file, &bytes[..at]).unwrap();
    bench.output("train --resume run --set training.epochs=3");
    assert_same_numbers(&bench, "run");
}

#[test]
fn a_run_without_logging_can_be_logged_later() {
    let bench = bench();
    bench.output("train small.json --run-dir run");
    bench.output("track run --log tensorboard");
    assert_same_numbers(&bench, "run");
    bench.output("track run --log tensorboard");
    assert_same_numbers(&bench, "run");
}
