//! Ctrl-C while data is being read: honoured within a second, with nothing left behind.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use image::{Rgb, RgbImage};
use rustix::process::Signal;

use super::watched::{end_of, kiln, send, wait_until_handled};
use crate::common::{Bench, noise};

/// Images that are read for much longer than a test waits: 5,000 took 1.5 seconds on two fast cores.
const IMAGES: usize = 20_000;
/// Pages, of which each takes some hundredths of a second or more.
const PAGES: usize = 300;
/// From when a command handles Ctrl-C to Ctrl-C: by then it reads.
const HEADSTART: Duration = Duration::from_millis(700);
/// What people wait for.
const PATIENCE: Duration = Duration::from_secs(1);

const FOLDER: &str = r#"{
  "data": {"kind": "image_folder", "folder": "many", "height": 32, "width": 32, "channels": 3},
  "model": {"kind": "mlp", "hidden": [8]},
  "optimizer": {"kind": "adam", "lr": 1e-3},
  "training": {"epochs": 1}
}"#;

/// An image of noise, which no decoder finishes quickly.
fn write_noise(path: &Path) {
    let side = 1024;
    let values = noise((side * side * 3) as usize, 1);
    let image = RgbImage::from_fn(side, side, |x, y| {
        let at = ((y * side + x) * 3) as usize;
        Rgb([0, 1, 2].map(|channel| (values[at + channel] * 256.0) as u8))
    });
    image.save(path).unwrap();
}

/// A bench with a run of a few images in `few/`, [`IMAGES`] files in `many/` and [`PAGES`] in `pages/`.
fn bench() -> Bench {
    let bench = Bench::new();
    // Whole paths: others start at KILN_DATA.
    for name in ["many", "few"] {
        let folder = bench.path(name).display().to_string();
        bench.write(&format!("{name}.json"), FOLDER.replace("many", &folder));
    }
    let image = bench.path("noise.png");
    write_noise(&image);
    bench.output("data page --text HELLO page.png");
    let link =
        |from: &str, to: String| std::fs::hard_link(bench.path(from), bench.path(&to)).unwrap();
    for (folder, count) in [("few", 40), ("many", IMAGES)] {
        for class in ["a", "b"] {
            std::fs::create_dir_all(bench.path(&format!("{folder}/{class}"))).unwrap();
            for index in 0..count / 2 {
                link("noise.png", format!("{folder}/{class}/{index:05}.png"));
            }
        }
    }
    std::fs::create_dir(bench.path("pages")).unwrap();
    for index in 0..PAGES {
        link("page.png", format!("pages/{index:03}.png"));
    }
    bench.output("train few.json --run-dir run --set data.split={\"by\":\"share\",\"valid\":0.3,\"test\":0.3}");
    bench
}

#[test]
fn ctrl_c_ends_reading_within_a_second_in_every_command_that_reads_much() {
    let bench = bench();
    let before = bench.listing();
    for arguments in [
        "train many.json --run-dir new",
        "train many.json --dry-run",
        "sweep many.json --grid optimizer.lr=1e-3,1e-4 --dir sweep",
        "data info many.json",
        "eval run --data many.json --split train",
        "bench many.json --mode epoch",
        "predict run many/a",
        "ocr pages -o read.pdf",
    ] {
        let mut command = kiln(&bench, arguments);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        wait_until_handled(&child, Signal::INT);
        std::thread::sleep(HEADSTART);
        assert!(
            child.try_wait().unwrap().is_none(),
            "{arguments}: over already"
        );
        send(&child, Signal::INT);
        let asked = Instant::now();
        let status = end_of(&mut child);
        let waited = asked.elapsed();
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(status.code(), Some(130), "{arguments}: {errors}");
        assert!(waited < PATIENCE, "{arguments}: {waited:?}");
        assert!(errors.ends_with("interrupted\n"), "{arguments}: {errors}");
        assert_eq!(
            bench.listing(),
            before,
            "{arguments}: something was written"
        );
    }
}

#[test]
fn long_reading_tells_how_far_it_is_where_there_is_no_terminal() {
    let bench = bench();
    let mut command = kiln(&bench, "data info many.json");
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The first line comes after two seconds, later on a busy machine; without any the command ends by itself.
    let told = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut before = Vec::new();
    let mut told = told.map(Result::unwrap);
    let line = told.find(|line| {
        before.push(line.clone());
        line.starts_with("reading samples: ")
    });
    send(&child, Signal::INT);
    let end = end_of(&mut child);
    let line = line.unwrap_or_else(|| panic!("no progress among {before:?}, {end}"));
    assert!(line.contains(" of ") && line.ends_with(" left"), "{line}");
}
