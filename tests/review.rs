//! What a user may rely on when what was read is corrected on a page.

mod common;

use common::Bench;
use serde_json::{Value, json};

/// The attribute of each input of the page, in its order.
fn attributes(html: &str, name: &str) -> Vec<String> {
    let inputs = html.split("<input ").skip(1);
    let start = format!("{name}=\"");
    let value = |input: &str| {
        let input = input.split('>').next().unwrap();
        let (_, rest) = input.split_once(&start).unwrap();
        rest.split('"').next().unwrap().to_string()
    };
    inputs.map(value).collect()
}

/// A page that says KILN 73, its review, and what the review's script would save if nothing were changed.
fn reviewed(bench: &Bench) -> Value {
    bench.output("data page --text KILN\\n73 page.png");
    assert_eq!(
        bench.output("ocr page.png --review review.html"),
        "KILN\n73\n"
    );
    let html = String::from_utf8(bench.read("review.html")).unwrap();
    assert_eq!(attributes(&html, " value").concat(), "KILN73");
    assert!(
        !html.contains("http:") && !html.contains("https:"),
        "the page needs nothing else"
    );
    let boxes = attributes(&html, "data-box");
    let letters = boxes.iter().zip("KILN73".chars()).map(|(bounds, text)| {
        let bounds: Value = serde_json::from_str(bounds).unwrap();
        json!({"box": bounds, "text": text.to_string()})
    });
    let letters: Vec<Value> = letters.collect();
    json!({"page.png": ["KILN", "73"], "kiln_review": {"page.png": letters}})
}

#[test]
fn what_a_review_saves_is_a_ground_truth() {
    let bench = Bench::new();
    let saved = reviewed(&bench);
    bench.write("review.json", saved.to_string());
    let found = bench.json("ocr page.png --json --expect review.json");
    let accuracy = &found["score"]["characters"]["accuracy"];
    assert_eq!(accuracy.as_f64(), Some(1.0), "{found}");
}

#[test]
fn corrected_letters_become_a_folder_per_character() {
    let bench = Bench::new();
    let mut saved = reviewed(&bench);
    let letters = &mut saved["kiln_review"]["page.png"];
    letters[1]["text"] = "l".into();
    letters[5]["text"] = "".into();
    let corrected = saved.to_string();
    bench.write("review.json", &corrected);
    assert_eq!(
        bench.output("data from-review review.json letters"),
        "6 letters in letters\n"
    );
    for class in ["K", "l", "L", "N", "7", "junk"] {
        let files = std::fs::read_dir(bench.path("letters").join(class)).unwrap();
        let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{class}");
        let picture = image::open(&files[0]).unwrap().into_luma8();
        assert_eq!(picture.dimensions(), (32, 32));
        let ink = picture.pixels().filter(|pixel| pixel.0[0] < 128).count();
        assert!((20..500).contains(&ink), "{class}: {ink}");
    }
    bench
        .kiln("data from-review review.json letters")
        .assert()
        .code(2);
}

#[test]
fn a_review_of_another_image_is_told() {
    let bench = Bench::new();
    let saved = reviewed(&bench);
    bench.write("review.json", saved.to_string());
    std::fs::remove_file(bench.path("page.png")).unwrap();
    std::fs::remove_file(bench.path("page.json")).unwrap();
    bench.output("data page --text OTHER\\nPAGE --seed 9 page.png");
    let output = bench
        .kiln("data from-review review.json letters")
        .assert()
        .code(1);
    let error = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(error.contains("6 boxes match no letter"), "{error}");
    bench.write("bad.json", r#"{"page.png": ["A"]}"#);
    let output = bench
        .kiln("data from-review bad.json other")
        .assert()
        .code(1);
    let error = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(
        error.contains("bad.json: has no \"kiln_review\""),
        "{error}"
    );
}

#[test]
fn letters_of_a_review_are_all_there_or_none() {
    let bench = Bench::new();
    let mut saved = reviewed(&bench);
    // After the page that can be read comes one that is not there.
    let letters = saved["kiln_review"]["page.png"].clone();
    saved["kiln_review"]["zzz.png"] = letters;
    bench.write("review.json", saved.to_string());
    let before = bench.listing();
    let command = "data from-review review.json letters";
    let assert = bench.kiln(command).assert().failure();
    let error = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(error.contains("zzz.png"), "{error}");
    assert_eq!(bench.listing(), before);
}

#[test]
fn a_page_without_its_ground_truth_is_not_left_behind() {
    let bench = Bench::new();
    // One letter longer, the name of the JSON file is longer than file systems allow.
    let name = format!("{}.png", "n".repeat(251));
    let command = format!("data page --text HI {name}");
    let assert = bench.kiln(&command).assert().code(1);
    let error = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(error.contains("n.json: cannot be written"), "{error}");
    assert!(bench.listing().is_empty());
}
