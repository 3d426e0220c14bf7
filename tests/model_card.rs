//! What a user may rely on about the model card: a model file alone is enough to classify images, prepared as in validation.

mod common;

use std::path::Path;

use burn::prelude::*;
use common::Bench;
use kiln::data::{Fit, View};
use kiln::inference::{Classifier, OpenedModel};
use safetensors::SafeTensors;
use serde_json::{Value, json};

/// Photographs of two classes, 24x16 pixels with a bright stripe, and a run on them that takes the middle.
fn cropping() -> Bench {
    let bench = Bench::new();
    for (class, bright) in [("left", 4u32), ("right", 18)] {
        for index in 0..3u32 {
            let image = image::GrayImage::from_fn(24, 16, |x, y| {
                let stripe = if x.abs_diff(bright) < 4 { 180 } else { 0 };
                image::Luma([(stripe + (3 * x + y + 7 * index) % 50) as u8])
            });
            for split in ["train", "valid", "test"] {
                let folder = bench.path("stripes").join(split).join(class);
                std::fs::create_dir_all(&folder).unwrap();
                image.save(folder.join(format!("{index}.png"))).unwrap();
            }
        }
    }
    let config = json!({
        "data": {
            "kind": "image_folder", "folder": bench.path("stripes"), "height": 8, "width": 8,
            "fit": "crop", "centre": 0.75,
        },
        "model": {"kind": "mlp", "hidden": [4]},
        "training": {"epochs": 2},
    });
    bench.write("stripes.json", config.to_string());
    bench.output("train stripes.json --renderer plain --run-dir run");
    bench
}

/// The card in a model file.
fn card(file: &[u8]) -> Value {
    let (_, header) = SafeTensors::read_metadata(file).unwrap();
    let entries = header.metadata().clone().unwrap();
    serde_json::from_str(&entries["kiln"]).unwrap()
}

#[test]
fn a_model_file_alone_prepares_images_as_its_run_does() {
    let bench = cropping();
    let file = bench.read("run/model.safetensors");
    assert_eq!(card(&file)["view"], json!({"fit": "crop", "centre": 0.75}));
    bench.write("alone.safetensors", &file);
    let of = |model: &str| {
        bench.output(&format!(
            "predict {model} stripes/test/left stripes/test/right --top-k 2 --json"
        ))
    };
    assert_eq!(of("run"), of("alone.safetensors"));
    // Padded, the same image looks different to the network.
    let device = Device::flex();
    let model = Classifier::load(&bench.path("alone.safetensors"), &device).unwrap();
    model
        .with_view(View::PAD)
        .save(&bench.path("padded.safetensors"))
        .unwrap();
    assert_ne!(of("run"), of("padded.safetensors"));
}

#[test]
fn a_file_without_a_view_takes_it_from_the_config_of_its_run() {
    let bench = cropping();
    let expected = bench.output("predict run stripes/test/left stripes/test/right --json");
    let device = Device::flex();
    let path = bench.path("run/model.safetensors");
    let model = Classifier::load(&path, &device).unwrap();
    model.with_view(View::PAD).save(&path).unwrap();
    assert_eq!(card(&bench.read("run/model.safetensors")).get("view"), None);
    assert_eq!(
        bench.output("predict run stripes/test/left stripes/test/right --json"),
        expected
    );
    let open = |path: &Path| OpenedModel::open(path, &device).unwrap().for_image_files();
    let of_run = open(&bench.path("run")).unwrap();
    assert_eq!(of_run.card().view.fit, Fit::Crop);
    assert!(open(&path).unwrap().card().is_padded());
}

#[test]
fn a_model_file_is_evaluated_on_the_data_of_a_config() {
    let bench = cropping();
    let of_run = bench.json("eval run --json");
    let of_file = bench.json("eval run/model.safetensors --data stripes.json --json");
    assert_eq!(of_run["accuracy"], of_file["accuracy"]);
    assert_eq!(of_run["loss"], of_file["loss"]);
    let assert = bench.kiln("eval run/model.safetensors").assert().code(2);
    let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(
        text.contains("--data") && text.lines().count() == 1,
        "{text}"
    );
}

#[test]
fn a_damaged_view_is_refused() {
    let bench = cropping();
    let file = bench.read("run/model.safetensors");
    let text = String::from_utf8_lossy(&file).into_owned();
    assert!(text.contains(r#"\"centre\":0.75"#));
    for (from, to) in [
        (r#"\"centre\":0.75"#, r#"\"centre\":9.75"#),
        ("crop", "drop"),
    ] {
        let (from, to) = (from.as_bytes(), to.as_bytes());
        let at = file
            .windows(from.len())
            .position(|part| part == from)
            .unwrap();
        let mut changed = file.clone();
        changed[at..at + from.len()].copy_from_slice(to);
        bench.write("damaged.safetensors", changed);
        let assert = bench
            .kiln("predict damaged.safetensors stripes/test/left/0.png")
            .assert()
            .code(1);
        let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(text.contains("damaged.safetensors: not a model"), "{text}");
    }
}

#[test]
fn a_card_that_lacks_its_network_is_refused_by_the_name_of_the_part() {
    let bench = Bench::new();
    for (card, says) in [
        (r#"{}"#, "its `kiln` metadata: model: found null"),
        (
            r#"{"model": {"kind": "mlp", "hidden": [0]}}"#,
            "its `kiln` metadata: model.hidden[0]: found 0",
        ),
        (
            r#"{"model": {"kind": "mlp"}, "normalize": {"mean": 1}}"#,
            "its `kiln` metadata: normalize.",
        ),
    ] {
        let header = json!({"__metadata__": {"kiln": card}}).to_string();
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.bytes());
        bench.write("bad.safetensors", file);
        let assert = bench.kiln("eval bad.safetensors").assert().failure();
        let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert_eq!(err.lines().count(), 1, "{err}");
        assert!(err.contains(says), "{err}");
    }
}
