//! What a run gets wrong is shown with its images.

use std::time::{Duration, Instant};

use crate::support::{PATIENCE, Server};

#[test]
fn a_cell_of_the_confusion_matrix_opens_its_images_the_most_certain_first() {
    let server = Server::with_run("");
    let began = Instant::now();
    let found = loop {
        let answer = server.get("/api/runs/small-1/mistakes?split=test");
        if answer.status == 200 {
            break answer.json();
        }
        assert_eq!(answer.status, 202, "{}", answer.text());
        assert!(began.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(50));
    };
    let evaluated = server.bench.json("eval runs/small-1 --json");
    let found = &found["found"];
    assert_eq!(found["per_class"], evaluated["per_class"]);
    let pair = &evaluated["most_confused"][0];
    let (truth, predicted) = (
        pair["truth"].as_str().unwrap(),
        pair["predicted"].as_str().unwrap(),
    );
    let query = format!("split=test&truth={truth}&predicted={predicted}");
    let cell = server
        .get(&format!("/api/runs/small-1/mistakes?{query}"))
        .json();
    let samples = cell["found"]["samples"].as_array().unwrap();
    assert_eq!(samples.len() as u64, pair["count"].as_u64().unwrap());
    let values: Vec<f64> = samples
        .iter()
        .map(|one| one["value"].as_f64().unwrap())
        .collect();
    assert!(values.is_sorted_by(|a, b| a >= b), "{values:?}");
    let index = samples[0]["index"].as_u64().unwrap();
    let image = server.get(&format!("/api/runs/small-1/samples/test/{index}.png"));
    assert!(image.body.starts_with(b"\x89PNG"));
    let page = server
        .get(&format!("/runs/small-1/mistakes?{query}"))
        .text();
    assert!(page.contains(&format!("/api/runs/small-1/samples/test/{index}.png")));
    assert!(page.contains(&format!("{truth} predicted as {predicted}")));
    assert_eq!(
        server
            .get("/api/runs/small-1/samples/test/99999.png")
            .status,
        404
    );
    assert_eq!(
        server.get("/api/runs/small-1/mistakes?split=all").status,
        400
    );
}
