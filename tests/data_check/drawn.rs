//! A folder of drawn pictures with one mistake of each kind.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::{Bench, assert_well_formed, noise};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, Rgb, RgbImage};
use serde_json::Value;

const SIDE: u32 = 60;
const CLASSES: [(&str, [f64; 3]); 3] = [
    ("red", [1.0, 0.3, 0.3]),
    ("green", [0.3, 1.0, 0.3]),
    ("blue", [0.3, 0.3, 1.0]),
];

/// A scene of eight blobs that is another one for each number, in the colour of a class.
fn scene(tint: [f64; 3], number: usize) -> RgbImage {
    let random = noise(24, number + 1);
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let blobs = random.chunks(3).map(|blob| {
            let (dx, dy) = (f64::from(x) / 60.0 - blob[0], f64::from(y) / 60.0 - blob[1]);
            let light = if blob[2] > 0.5 { 1.0 } else { -1.0 };
            light * (-(dx * dx + dy * dy) / 0.015).exp()
        });
        let value = (0.5 + 0.35 * blobs.sum::<f64>()).clamp(0.0, 1.0);
        Rgb(tint.map(|part| (255.0 * part * value) as u8))
    })
}

fn save(image: &RgbImage, path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image.save(path).unwrap();
}

/// 12 training, 6 validation and 6 test pictures of each class, and the mistakes.
fn folder(bench: &Bench) {
    let at = |name: &str| bench.path(&format!("images/{name}"));
    let mut number = 0;
    for (split, count) in [("train", 12), ("val", 6), ("test", 6)] {
        for (class, tint) in CLASSES {
            for index in 0..count {
                number += 1;
                if (split, class) != ("val", "blue") {
                    save(
                        &scene(tint, number),
                        &at(&format!("{split}/{class}/{index}.png")),
                    );
                }
            }
        }
    }
    // A copy across splits.
    fs::copy(at("train/red/1.png"), at("test/red/copy.png")).unwrap();
    // Cropped, brighter, and stored anew as JPEG.
    let image = image::open(at("train/green/2.png")).unwrap();
    let cropped = image.crop_imm(2, 1, SIDE - 3, SIDE - 3).to_rgb8();
    let brighter = RgbImage::from_fn(cropped.width(), cropped.height(), |x, y| {
        Rgb(cropped
            .get_pixel(x, y)
            .0
            .map(|v| (f64::from(v) * 1.1).min(255.0) as u8))
    });
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 85)
        .encode_image(&brighter)
        .unwrap();
    fs::write(at("test/green/near.jpg"), file).unwrap();
    // A green picture among the red ones.
    save(&scene(CLASSES[1].1, 900), &at("train/red/wrong.png"));
    // Grey, large, and cut off.
    let grey = DynamicImage::ImageRgb8(scene(CLASSES[2].1, 901)).to_luma8();
    grey.save(at("train/blue/grey.png")).unwrap();
    let large = image::imageops::resize(
        &scene(CLASSES[2].1, 902),
        600,
        600,
        image::imageops::FilterType::Triangle,
    );
    save(&large, &at("train/blue/large.png"));
    let whole = fs::read(at("train/red/0.png")).unwrap();
    fs::write(at("train/red/cut.png"), &whole[..whole.len() / 2]).unwrap();
    bench.write(
        "config.json",
        r#"{"data": {"kind": "image_folder", "folder": "images", "channels": 3, "height": 24, "width": 24, "fit": "stretch"},
            "model": {"kind": "cnn"}}"#,
    );
}

fn kiln(bench: &Bench, arguments: &str) -> assert_cmd::Command {
    let mut command = bench.kiln(arguments);
    command.env("KILN_DATA", bench.folder.path());
    command
}

fn json(bench: &Bench, arguments: &str) -> Value {
    let output = kiln(bench, arguments)
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    serde_json::from_slice(&output).expect("JSON")
}

fn name(sample: &Value) -> &str {
    sample["name"].as_str().unwrap()
}

#[test]
fn every_kind_of_mistake_is_found_shown_listed_and_left_out_of_training() {
    let bench = Bench::new();
    folder(&bench);
    let found = json(
        &bench,
        "data check config.json --json --html page.html --exclude-out list.txt",
    );

    let unreadable = found["unreadable"].as_array().unwrap();
    assert_eq!(unreadable.len(), 1);
    assert_eq!(name(&unreadable[0]["sample"]), "train/red/cut.png");

    let duplicates: Vec<(&str, Vec<&str>)> = found["duplicates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            (
                d["likeness"].as_str().unwrap(),
                d["samples"].as_array().unwrap().iter().map(name).collect(),
            )
        })
        .collect();
    assert_eq!(
        duplicates,
        [
            ("exact", vec!["train/red/1.png", "test/red/copy.png"]),
            ("near", vec!["train/green/2.png", "test/green/near.jpg"]),
        ]
    );

    let suspects = found["labels"]["suspects"].as_array().unwrap();
    assert_eq!(name(&suspects[0]["sample"]), "train/red/wrong.png");
    assert_eq!(suspects[0]["suggested"], "green");

    let absent = &found["classes_in_splits"].as_array().unwrap()[0];
    assert_eq!(
        (&absent["class"], &absent["split"], &absent["problem"]),
        (&"blue".into(), &"valid".into(), &"absent".into())
    );

    let unusual: Vec<(&str, &str)> = found["unusual"]
        .as_array()
        .unwrap()
        .iter()
        .map(|u| (u["property"].as_str().unwrap(), name(&u["sample"])))
        .collect();
    for expected in [
        ("mode", "train/blue/grey.png"),
        ("colour", "train/blue/grey.png"),
        ("size", "train/blue/large.png"),
    ] {
        assert!(unusual.contains(&expected), "{unusual:?}");
    }

    let page = String::from_utf8(bench.read("page.html")).unwrap();
    assert_well_formed(&page);
    assert!(page.contains("train/red/wrong.png") && page.contains("data:image/png;base64,"));
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"));

    let list = String::from_utf8(bench.read("list.txt")).unwrap();
    let listed: Vec<&str> = list
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').next().unwrap())
        .collect();
    // Of the duplicates, those of training; test stays as it is.
    for expected in [
        "train/red/cut.png",
        "train/red/1.png",
        "train/green/2.png",
        "train/red/wrong.png",
    ] {
        assert!(listed.contains(&expected), "{list}");
    }
    assert!(
        !listed
            .iter()
            .any(|name| name.contains("copy") || name.contains("near") || name.contains("large")),
        "{list}"
    );
    kiln(&bench, "data check config.json --exclude-out list.txt")
        .assert()
        .code(2);

    let again = json(
        &bench,
        "data check config.json --json --set data.exclude=list.txt",
    );
    assert_eq!(again["unreadable"].as_array().unwrap().len(), 0);
    assert_eq!(again["duplicates"].as_array().unwrap().len(), 0);
    assert!(
        again["notes"]
            .to_string()
            .contains(&format!("excluded: {} samples", listed.len())),
        "{}",
        again["notes"]
    );
}

#[test]
fn the_same_seed_gives_the_same_findings_on_any_number_of_threads() {
    let bench = Bench::new();
    folder(&bench);
    let with_threads = |threads: &str| {
        let mut command = kiln(&bench, "data check config.json --json");
        let output = command.env("RAYON_NUM_THREADS", threads).assert().success();
        output.get_output().stdout.clone()
    };
    assert!(with_threads("1") == with_threads("3"));
}

#[test]
fn the_summary_counts_each_kind_and_names_the_first() {
    let bench = Bench::new();
    folder(&bench);
    let output = kiln(&bench, "data check config.json").assert().success();
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    for line in [
        "unreadable: 1",
        "duplicates: 2",
        "  train/red/1.png = test/red/copy.png (exact, across splits)",
        "  blue is absent in valid",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
}

#[test]
fn a_run_checks_what_it_has_not_learned_from_and_says_so() {
    let bench = Bench::new();
    folder(&bench);
    fs::remove_file(bench.path("images/train/red/cut.png")).unwrap();
    // A wrong label in test, of which the run knows nothing.
    fs::rename(
        bench.path("images/test/green/0.png"),
        bench.path("images/test/red/wrong.png"),
    )
    .unwrap();
    bench.write(
        "mlp.json",
        r#"{"name": "mlp", "data": {"kind": "image_folder", "folder": "images", "channels": 3, "height": 24, "width": 24, "fit": "stretch"},
            "model": {"kind": "mlp", "hidden": [16], "activation": "relu"}, "training": {"epochs": 30, "batch_size": 8}}"#,
    );
    kiln(&bench, "train mlp.json").assert().success();
    let found = json(&bench, "data check mlp.json --json --run runs/mlp-1");
    let suspects = found["labels"]["suspects"].as_array().unwrap();
    assert_eq!(name(&suspects[0]["sample"]), "test/red/wrong.png");
    assert!(
        suspects.iter().all(|s| s["sample"]["split"] != "train"),
        "{suspects:?}"
    );
    // 39 training samples, and the copy of one of them in test.
    assert!(
        found["notes"]
            .to_string()
            .contains("labels of 40 samples are not checked"),
        "{}",
        found["notes"]
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_check_within_a_second() {
    let bench = Bench::new();
    bench.write(
        "config.json",
        r#"{"data": {"kind": "glyphs", "train": 7200, "valid": 720, "test": 720}, "model": {"kind": "cnn"}}"#,
    );
    for wait in [300, 4000] {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_kiln"))
            .args(["data", "check", "config.json"])
            .current_dir(bench.folder.path())
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        let began = Instant::now();
        // SAFETY: the process is a child that has not been waited for.
        assert_eq!(unsafe { libc::kill(child.id() as i32, libc::SIGINT) }, 0);
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(130), "after {wait} ms");
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "{:?}",
            began.elapsed()
        );
    }
}
