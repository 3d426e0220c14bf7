//! What a user may rely on when a page is read.

mod common;

use std::sync::OnceLock;

use common::Bench;
use kiln::ocr::truth;
use predicates::prelude::*;
use serde_json::Value;

/// A bench with a run that knows drawn glyphs, trained once for all tests.
fn reader() -> &'static Bench {
    static BENCH: OnceLock<Bench> = OnceLock::new();
    BENCH.get_or_init(|| {
        let bench = Bench::new();
        let config = common::repository().join("configs/glyphs_mlp.json");
        bench.output(&format!("train {} --run-dir run", config.display()));
        bench
    })
}

/// `kiln data page` with a text that holds spaces.
fn draw(bench: &Bench, text: &str, seed: u64, name: &str) {
    let seed = seed.to_string();
    bench
        .kiln("data page")
        .args(["--text", text, "--seed", &seed, name])
        .assert()
        .success();
}

#[test]
fn the_shipped_recipe_reaches_its_accuracy() {
    let bench = reader();
    let accuracy = bench.json("eval run --json")["accuracy"].as_f64().unwrap();
    assert!(accuracy >= 0.97, "{accuracy}");
}

#[test]
fn drawn_pages_are_read_line_by_line_with_their_spaces() {
    let bench = reader();
    let (mut right, mut length) = (0.0, 0.0);
    for (seed, text) in [
        "KILN READS\nBLOCK CAPITALS",
        "PACK MY BOX WITH\nFIVE DOZEN JUGS",
        "BURN 22 AND 1\nTHEN 4567890",
    ]
    .iter()
    .enumerate()
    {
        let name = format!("page{seed}.png");
        draw(bench, text, seed as u64, &name);
        let read = bench.json(&format!(
            "ocr {name} --model run --expect page{seed}.json --json"
        ));
        assert_eq!(read["lines"].as_array().unwrap().len(), 2, "{read}");
        let letters: usize = read["lines"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|line| line["words"].as_array().unwrap())
            .map(|word| word["letters"].as_array().unwrap().len())
            .sum();
        let truth = text.chars().filter(|c| c.is_alphanumeric()).count();
        assert_eq!(letters, truth, "letters found on {text:?}");
        let score = &read["score"]["characters"];
        right += score["length"].as_f64().unwrap() - score["distance"].as_f64().unwrap();
        length += score["length"].as_f64().unwrap();
    }
    let accuracy = right / length;
    eprintln!("characters with spaces on drawn pages: {accuracy:.4}");
    assert!(accuracy >= 0.9, "{accuracy}");
}

#[test]
fn every_letter_has_a_box_on_its_ink_and_a_confidence() {
    let bench = reader();
    draw(bench, "BOXES 1 2", 5, "boxes.png");
    let read = bench.json("ocr boxes.png --model run --json");
    let truth: Value = serde_json::from_slice(&bench.read("boxes.json")).unwrap();
    let collect = |page: &Value| -> Vec<[f64; 4]> {
        page["lines"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|line| line["words"].as_array().unwrap())
            .flat_map(|word| word["letters"].as_array().unwrap())
            .map(|letter| {
                ["x", "y", "width", "height"].map(|key| letter["bounds"][key].as_f64().unwrap())
            })
            .collect()
    };
    let (found, drawn) = (collect(&read), collect(&truth));
    assert_eq!(found.len(), drawn.len());
    for (f, d) in found.iter().zip(&drawn) {
        let left = f[0].max(d[0]);
        let top = f[1].max(d[1]);
        let right = (f[0] + f[2]).min(d[0] + d[2]);
        let bottom = (f[1] + f[3]).min(d[1] + d[3]);
        let common = (right - left).max(0.0) * (bottom - top).max(0.0);
        let union = f[2] * f[3] + d[2] * d[3] - common;
        assert!(common / union > 0.7, "box {f:?} drawn at {d:?}");
    }
    for word in read["lines"][0]["words"].as_array().unwrap() {
        for letter in word["letters"].as_array().unwrap() {
            let confidence = letter["confidence"].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&confidence));
            assert_eq!(letter["alternatives"].as_array().unwrap().len(), 2);
            assert!(letter["alternatives"][0]["confidence"].as_f64().unwrap() <= confidence);
        }
    }
}

#[test]
fn overlay_and_stages_are_pictures_of_the_page() {
    let bench = reader();
    draw(bench, "LOOK", 2, "look.png");
    bench.output("ocr look.png --model run --overlay overlay.png --stages stages");
    let page = image::open(bench.path("look.png")).unwrap();
    let overlay = image::open(bench.path("overlay.png")).unwrap();
    assert_eq!(
        (page.width(), page.height()),
        (overlay.width(), overlay.height())
    );
    assert_ne!(page.to_rgb8(), overlay.to_rgb8());
    let stages = std::fs::read_dir(bench.path("stages")).unwrap().count();
    assert!(stages >= 6, "{stages} pictures");
}

#[test]
fn text_and_score_are_printed_for_each_page_and_for_all() {
    let bench = reader();
    draw(bench, "ONE", 1, "one.png");
    draw(bench, "TWO", 1, "two.png");
    bench.write("truth.json", r#"{"one.png": ["ONE"], "two.png": ["TWO"]}"#);
    let out = bench.output("ocr one.png two.png --model run --expect truth.json");
    assert!(out.starts_with("== one.png\n"), "{out}");
    assert!(out.contains("== all 2"), "{out}");
    assert_eq!(
        out.matches("character accuracy without spaces").count(),
        3,
        "{out}"
    );
}

#[test]
fn an_empty_page_is_not_an_error() {
    let bench = reader();
    let white = image::RgbImage::from_pixel(300, 200, image::Rgb([250, 250, 250]));
    white.save(bench.path("white.png")).unwrap();
    bench
        .kiln("ocr white.png --model run")
        .assert()
        .success()
        .stdout("")
        .stderr(predicate::str::contains(
            "no writing that kiln can read: the page is blank",
        ));
    // Several pages have a line each.
    let assert = bench.kiln("ocr white.png white.png --model run").assert();
    let output = assert.success().get_output().clone();
    let lines = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        lines
            .matches("no writing that kiln can read: the page is blank")
            .count(),
        2,
        "{lines}"
    );
    assert_eq!(lines.lines().count(), 2, "{lines}");
}

#[test]
fn a_model_that_cannot_read_letters_is_refused() {
    let bench = reader();
    for class in ["cat", "dog"] {
        for split in ["train", "valid", "test"] {
            for number in 0..4 {
                let shade = if class == "cat" { 60 } else { 200 };
                let image = image::RgbImage::from_pixel(8, 8, image::Rgb([shade, 90, number * 40]));
                let folder = bench.path("animals").join(split).join(class);
                std::fs::create_dir_all(&folder).unwrap();
                image.save(folder.join(format!("{number}.png"))).unwrap();
            }
        }
    }
    let config = serde_json::json!({
        "data": {"kind": "image_folder", "folder": bench.path("animals"), "channels": 3, "width": 8, "height": 8},
        "model": {"kind": "mlp", "hidden": [4]},
        "training": {"epochs": 2, "batch_size": 4},
    });
    bench.write("animals.json", config.to_string());
    bench.output("train animals.json --run-dir animals_run");
    draw(bench, "CAT", 1, "cat.png");
    bench
        .kiln("ocr cat.png --model animals_run")
        .assert()
        .code(2)
        .stderr(predicate::str::contains("square greyscale input"))
        .stderr(predicate::str::contains(
            "--model animals_run/model.safetensors: ",
        ));
}

#[test]
fn the_truth_may_be_text_a_map_of_file_names_or_the_json_of_a_drawn_page() {
    let lines = vec!["HELLO".to_string(), "WORLD 1".to_string()];
    for truth in [
        "HELLO\nWORLD 1\n",
        "  HELLO  \r\n\n WORLD 1",
        r#"{"a.jpg": ["X"], "b.jpg": ["HELLO", "WORLD 1"]}"#,
        r#"{"image": "b.jpg", "text": ["HELLO", "WORLD 1"], "lines": []}"#,
    ] {
        assert_eq!(truth::lines(truth, "b.jpg"), Ok(lines.clone()), "{truth}");
    }
    assert!(
        truth::lines(r#"{"a.jpg": ["X"]}"#, "b.jpg")
            .unwrap_err()
            .to_string()
            .contains("a.jpg")
    );
    assert!(
        truth::lines(r#"{"b.jpg": "X"}"#, "b.jpg")
            .unwrap_err()
            .to_string()
            .contains("list of lines")
    );
}

#[test]
#[cfg_attr(
    not(kiln_data = "hw4-images"),
    ignore = "needs hw4-images in KILN_DATA"
)]
fn the_course_pages_are_cut_into_as_many_letters_as_they_have() {
    let data = common::real_data();
    let bench = reader();
    let truth = data.join("hw4-images/ground-truth.json");
    for name in ["01_list", "02_letters", "03_haiku", "04_deep"] {
        let image = data.join(format!("hw4-images/{name}.jpg"));
        let read = bench.json(&format!(
            "ocr {} --model run --expect {} --json",
            image.display(),
            truth.display()
        ));
        let expected = truth::lines(
            &std::fs::read_to_string(&truth).unwrap(),
            &format!("{name}.jpg"),
        )
        .unwrap();
        let found: Vec<usize> = read["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| {
                line["text"]
                    .as_str()
                    .unwrap()
                    .replace(' ', "")
                    .chars()
                    .count()
            })
            .collect();
        let letters: Vec<usize> = expected
            .iter()
            .map(|line| line.replace(' ', "").chars().count())
            .collect();
        assert_eq!(found, letters, "{name}");
    }
}
