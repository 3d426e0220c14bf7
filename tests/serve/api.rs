//! The API gives what the command line gives.

use std::sync::Arc;

use serde_json::json;

use crate::common::{Bench, SMALL};
use crate::support::{Server, page};

#[test]
fn a_page_is_answered_with_the_bytes_of_the_command_line() {
    let server = Server::start(Bench::new(), "");
    let texts = ["HELLO", "KILN 73", "A1B2", "ZEBRA\nQUARTZ", "THE END 0"];
    for (number, text) in texts.iter().enumerate() {
        let name = format!("page{number}.png");
        let bytes = page(&server.bench, text, &name);
        for (format, flag) in [("json", "--json"), ("alto", "--format alto"), ("text", "")] {
            let expected = server.bench.output(&format!("ocr {name} {flag}"));
            let answer = server.post(&format!("/api/ocr?name={name}&format={format}"), &bytes);
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(answer.text(), expected, "{name} {format}");
        }
    }
    let scans = std::fs::read(crate::common::repository().join("tests/fixtures/pages/three.tiff"));
    let scans = scans.unwrap();
    server.bench.write("three.tiff", &scans);
    let expected = server
        .bench
        .output("ocr three.tiff --json --case upper --context off");
    let answer = server.post("/api/ocr?name=three.tiff&case=upper&context=off", &scans);
    assert_eq!(answer.text(), expected, "all pages of a file");
}

/// Photographs and scans of KILN_DATA/pages.
const PHOTOGRAPHS: [&str; 10] = [
    "alphabet.tiff",
    "alphabet.webp",
    "boxes_band.png",
    "digits_abc.jpg",
    "fours.jpg",
    "letters_12px.png",
    "list_mixed.jpg",
    "torn_mixed.jpg",
    "turned90.jpg",
    "white_on_black.jpg",
];

#[test]
#[cfg_attr(not(kiln_data = "pages"), ignore = "needs pages in KILN_DATA")]
fn ten_photographs_at_once_are_answered_with_the_bytes_of_the_command_line() {
    let server = Arc::new(Server::start(Bench::new(), ""));
    let threads = PHOTOGRAPHS.map(|name| {
        let bytes = std::fs::read(crate::common::real_data().join("pages").join(name)).unwrap();
        server.bench.write(name, &bytes);
        let server = server.clone();
        std::thread::spawn(move || server.post(&format!("/api/ocr?name={name}"), &bytes))
    });
    for (name, thread) in PHOTOGRAPHS.into_iter().zip(threads) {
        let expected = server.bench.output(&format!("ocr {name} --json"));
        let answer = thread.join().unwrap();
        assert_eq!((answer.status, answer.text()), (200, expected), "{name}");
    }
}

#[test]
fn an_image_is_classified_as_on_the_command_line_also_with_many_at_once() {
    let server = Arc::new(Server::with_run(""));
    let mut images = Vec::new();
    for (number, letter) in "ABCDEFGHJK".chars().enumerate() {
        let name = format!("letter{number}.png");
        let bytes = page(&server.bench, &letter.to_string(), &name);
        let expected = server
            .bench
            .output(&format!("predict runs/small-1 {name} --top-k 3 --json"));
        images.push((name, bytes, expected));
    }
    let asked = |server: &Server, (name, bytes, expected): &(String, Vec<u8>, String)| {
        let target = format!("/api/predict?run=small-1&top_k=3&name={name}");
        let answer = server.post(&target, bytes);
        assert_eq!(answer.text(), *expected);
    };
    for image in &images {
        asked(&server, image);
    }
    let threads: Vec<_> = (0..3)
        .flat_map(|_| images.clone())
        .map(|image| {
            let server = server.clone();
            std::thread::spawn(move || asked(&server, &image))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn in_bfloat16_all_is_answered_as_on_the_command_line() {
    let bench = Bench::new();
    let config = SMALL.replace(
        "\"mlp\", \"hidden\": [32], \"activation\": \"relu\"",
        "\"cnn\", \"channels\": [8, 16], \"hidden\": 32",
    );
    bench.write("small.json", config);
    bench.output("train small.json");
    let server = Server::start(bench, "--model runs/small-1 --precision bf16");
    let image = page(&server.bench, "A", "a.png");
    let answer = server.post("/api/predict?name=a.png", &image).text();
    let command = "predict runs/small-1 a.png --json";
    let output = |arguments: &str| server.bench.output(arguments);
    assert_eq!(answer, output(&format!("{command} --precision bf16")));
    assert_ne!(answer, output(command), "in 32 bits");
    // The models of kiln.
    let server = Server::start(Bench::new(), "--precision bf16");
    let image = page(&server.bench, "KILN 73", "b.png");
    let answer = server.post("/api/ocr?name=b.png", &image).text();
    let output = |arguments: &str| server.bench.output(arguments);
    assert_eq!(answer, output("ocr b.png --json --precision bf16"));
    assert_ne!(answer, output("ocr b.png --json"), "in 32 bits");
}

#[test]
fn what_is_wrong_with_a_request_is_said_in_one_line() {
    let server = Server::with_run("");
    let image = page(&server.bench, "A", "a.png");
    for (target, body, status, word) in [
        ("/api/ocr", &b"not an image"[..], 422, "image"),
        ("/api/ocr", b"", 400, "empty"),
        ("/api/ocr?fromat=text", &image, 400, "fromat"),
        ("/api/ocr?format=docx", &image, 400, "hocr"),
        ("/api/ocr?alphabet=A-Z", &image, 400, "ranges"),
        ("/api/ocr?run=nothing-1", &image, 404, "nothing-1"),
        ("/api/predict", &image, 400, "--model"),
        ("/api/predict?run=small-1&top_k=0", &image, 400, "top_k"),
        ("/api/explain?run=small-1", &image, 422, "feature maps"),
    ] {
        let answer = server.post(target, body);
        assert_eq!(answer.status, status, "{target}: {}", answer.text());
        let error = answer.json()["error"].as_str().unwrap().to_string();
        assert!(
            error.contains(word) && !error.contains('\n'),
            "{target}: {error}"
        );
    }
    let asset = server.get("/assets/%ff");
    assert_eq!(asset.status, 400);
    assert!(asset.json()["error"].is_string());
    assert_eq!(server.get("/api/ocr").status, 405);
    assert_eq!(server.get("/nothing").status, 404);
    assert_eq!(server.get("/api/runs?sort=best").status, 400);
}

#[test]
fn the_api_describes_and_measures_itself() {
    let server = Server::with_run("--model runs/small-1");
    assert_eq!(server.get("/healthz").text(), "ok\n");
    let document = server.get("/api/openapi.json").json();
    assert_eq!(document["openapi"], json!("3.1.0"));
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    let image = page(&server.bench, "A", "a.png");
    assert_eq!(server.post("/api/predict", &image).status, 200);
    assert_eq!(server.post("/api/predict", b"x").status, 422);
    let metrics = server.get("/metrics");
    assert!(metrics.headers["content-type"].starts_with("application/openmetrics-text"));
    let text = metrics.text();
    for line in [
        "kiln_requests_total{route=\"/api/predict\",method=\"POST\",status=\"200\"} 1",
        "kiln_errors_total{route=\"/api/predict\",method=\"POST\"} 1",
        "kiln_request_seconds_count{route=\"/api/predict\",method=\"POST\"} 2",
        "kiln_queue_requests{queue=\"read\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}
