//! What a user may rely on when kiln reads forms.

mod common;

use common::Bench;
use kiln::handwriting::pages::{Bounds, PageOptions, compose};
use serde_json::{Value, json};

/// A page of six fields and its form; the boxes have a margin around the writing.
fn six_fields(bench: &Bench) {
    let options = PageOptions {
        seed: 5,
        letter_height: 60.0,
        ..PageOptions::default()
    };
    let page = compose("MILLER JOHN\n73205 4418\nBERLIN 2024", &options).unwrap();
    page.image.save(bench.path("page.png")).unwrap();
    let words = page.lines.iter().flat_map(|line| &line.words);
    let names = ["surname", "name", "postcode", "number", "city", "year"];
    let alphabets = [
        "letters", "letters", "digits", "digits", "letters", "digits",
    ];
    let fields = words.zip(names).zip(alphabets).map(|((word, name), alphabet)| {
        json!({"name": name, "box": widened(word.bounds), "alphabet": alphabet})
    });
    let fields: Vec<Value> = fields.collect();
    let form = json!({"size": [page.width, page.height], "fields": fields});
    bench.write("form.json", form.to_string());
}

fn widened(bounds: Bounds) -> [f32; 4] {
    let margin = 20.0;
    let [x, y] = [bounds.x, bounds.y].map(|at| (at as f32 - margin).max(0.0));
    let [width, height] = [bounds.width, bounds.height].map(|side| side as f32 + 2.0 * margin);
    [x, y, width, height]
}

#[test]
fn a_form_of_six_fields_becomes_a_row() {
    let bench = Bench::new();
    six_fields(&bench);
    let csv = bench.output("ocr page.png --form form.json");
    assert_eq!(
        csv,
        "image,surname,name,postcode,number,city,year\npage.png,MILLER,JOHN,73205,4418,BERLIN,2024\n"
    );
    let rows = bench.json("ocr page.png --form form.json --json");
    assert_eq!(rows[0]["fields"][2]["name"], "postcode");
    assert_eq!(rows[0]["fields"][2]["text"], "73205");
    let confidence = rows[0]["fields"][2]["confidence"].as_f64().unwrap();
    assert!((0.5..=1.0).contains(&confidence), "{confidence}");
}

#[test]
fn boxes_are_those_of_a_page_of_the_stated_size() {
    let bench = Bench::new();
    six_fields(&bench);
    let page = image::open(bench.path("page.png")).unwrap();
    let (width, height) = (page.width() * 2, page.height() * 2);
    let twice = page.resize_exact(width, height, image::imageops::FilterType::Triangle);
    twice.save(bench.path("twice.png")).unwrap();
    let csv = bench.output("ocr twice.png page.png --form form.json");
    let rows: Vec<&str> = csv.lines().skip(1).collect();
    assert_eq!(
        rows[0].split_once(',').unwrap().1,
        rows[1].split_once(',').unwrap().1
    );
}

#[test]
fn a_form_that_is_none_is_refused_with_its_field() {
    let bench = Bench::new();
    six_fields(&bench);
    let field = |change: Value| {
        let mut field = json!({"name": "a", "box": [0, 0, 10, 10]});
        for (key, value) in change.as_object().unwrap() {
            field[key] = value.clone();
        }
        json!({"fields": [field]}).to_string()
    };
    for (form, expected) in [
        ("{".to_string(), "not a form"),
        (r#"{"fields": []}"#.into(), "has no fields"),
        (field(json!({"name": " "})), "fields[0]: the name is empty"),
        (
            field(json!({"box": [0, 0, 0, 5]})),
            "field \"a\": the box must",
        ),
        (field(json!({"alphabet": ""})), "field \"a\": alphabet:"),
        (
            field(json!({"box": [99999, 0, 5, 5]})),
            "field \"a\": its box is outside of the page",
        ),
        (field(json!({"colour": 1})), "unknown field `colour`"),
    ] {
        bench.write("bad.json", &form);
        let output = bench.kiln("ocr page.png --form bad.json").assert().code(2);
        let error = String::from_utf8(output.get_output().stderr.clone()).unwrap();
        assert!(
            error.contains(expected) && error.lines().count() == 1,
            "{form}: {error}"
        );
    }
}
