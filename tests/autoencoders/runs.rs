//! Runs: metrics, reports and refusals.

use serde_json::Value;

use super::common::{Bench, assert_self_contained, assert_well_formed};

fn config(model: &str) -> String {
    format!(
        r#"{{"data": {{"kind": "glyphs", "size": 16, "train": 288, "valid": 144, "test": 144}}, "model": {model},
            "training": {{"epochs": 2, "batch_size": 50}}}}"#
    )
}

const CONV: &str = r#"{"kind": "conv_autoencoder", "channels": [4, 6], "code": 8}"#;

fn line(bench: &Bench, run: &str, epoch: usize) -> Value {
    let text = String::from_utf8(bench.read(&format!("{run}/metrics.jsonl"))).unwrap();
    serde_json::from_str(text.lines().nth(epoch - 1).unwrap()).unwrap()
}

#[test]
fn a_run_reports_metrics_and_reconstructions() {
    let bench = Bench::new();
    bench.write("conv.json", config(CONV));
    bench.write(
        "connected.json",
        config(r#"{"kind": "autoencoder", "hidden": [20, 8, 20]}"#),
    );
    for name in ["conv", "connected"] {
        let out = bench.output(&format!("train {name}.json --run-dir {name}"));
        assert!(out.contains("test PSNR") && out.contains(" dB"), "{out}");
        let summary: Value =
            serde_json::from_slice(&bench.read(&format!("{name}/summary.json"))).unwrap();
        // Training, evaluation and summary agree on the kept weights.
        let best = summary["best_epoch"].as_u64().unwrap() as usize;
        let during = &line(&bench, name, best)["valid"];
        let after = bench.json(&format!("eval {name} --split valid --json"));
        for metric in ["psnr", "loss"] {
            let (during, after) = (during[metric].as_f64(), after[metric].as_f64());
            let (during, after) = (during.unwrap(), after.unwrap());
            assert!(
                (during / after - 1.0).abs() < 1e-5,
                "{metric}: {during}, {after}"
            );
        }
        let test = bench.json(&format!("eval {name} --json"));
        for metric in ["psnr", "ssim", "loss"] {
            assert_eq!(test[metric], summary["test"][metric]);
        }
        assert!(test["ssim"].as_f64().unwrap() < 1.0);
        for list in ["per_class", "most_confused"] {
            assert_eq!(test[list], Value::Array(Vec::new()), "{list}");
            assert_eq!(summary[list], Value::Array(Vec::new()), "{list}");
        }
        assert!(test.get("accuracy").is_none());
        let text = bench.output(&format!("eval {name}"));
        assert!(
            text.contains("psnr") && !text.contains("precision"),
            "{text}"
        );
        let page = String::from_utf8(bench.read(&format!("{name}/report.html"))).unwrap();
        assert_well_formed(&page);
        assert_self_contained(&page);
        // Five of the 36 classes, evenly spread, two samples of each.
        for what in ["original of ", "reconstruction of "] {
            let shown: Vec<&str> = page
                .split(&format!("alt=\"{what}"))
                .skip(1)
                .map(|rest| &rest[..rest.find('"').unwrap()])
                .collect();
            assert_eq!(shown, ["A", "A", "H", "H", "O", "O", "V", "V", "2", "2"]);
        }
        assert_two_sheets(&page);
        assert!(!page.contains("Confusion matrix") && !page.contains("Worst mistakes"));
    }
}

/// The page has the first layer's weights before and after training, and they differ.
fn assert_two_sheets(page: &str) {
    let picture = |when: &str| {
        let end = page.find(&format!("alt=\"first-layer weights {when} training\""));
        let end = end.unwrap_or_else(|| panic!("no weights {when} training"));
        let start = page[..end].rfind("base64,").unwrap();
        &page[start..end]
    };
    assert!(picture("before") != picture("after"), "nothing has changed");
    assert_eq!(page.matches("alt=\"first-layer weights").count(), 2);
}

#[test]
fn every_report_shows_the_first_layer_before_and_after_training() {
    let bench = Bench::new();
    for (name, model, size) in [
        ("mlp", r#"{"kind": "mlp", "hidden": [70]}"#, 16),
        (
            "cnn",
            r#"{"kind": "cnn", "channels": [4, 6], "hidden": 8}"#,
            16,
        ),
        ("squeezenet", r#"{"kind": "squeezenet"}"#, 25),
    ] {
        bench.write(&format!("{name}.json"), config(model));
        bench.output(&format!(
            "train {name}.json --run-dir {name} --set data.size={size} --set training.epochs=1 --set data.train=108"
        ));
        let page = String::from_utf8(bench.read(&format!("{name}/report.html"))).unwrap();
        assert_well_formed(&page);
        assert_two_sheets(&page);
        assert_eq!(page.contains("first 64 of 70 units"), name == "mlp");
        assert!(!page.contains("Reconstructions"));
    }
}

#[test]
fn the_same_autoencoder_has_the_same_bytes_on_any_number_of_threads() {
    let bench = Bench::new();
    bench.write("conv.json", config(CONV));
    for (run, threads) in [("a", "2"), ("b", "1"), ("c", "2")] {
        bench
            .kiln(&format!("train conv.json --run-dir {run}"))
            .env("RAYON_NUM_THREADS", threads)
            .assert()
            .success();
        for file in ["model.safetensors", "metrics.jsonl", "summary.json"] {
            let of = |run: &str| bench.read(&format!("{run}/{file}"));
            assert!(of("a") == of(run), "{file} of {run}");
        }
    }
}

#[test]
fn commands_that_name_classes_refuse_an_autoencoder_in_one_line() {
    let bench = Bench::new();
    bench.write("conv.json", config(CONV));
    bench.output("train conv.json --run-dir run --set training.epochs=1");
    bench.output("data page --text HI page.png");
    let before = bench.listing();
    for verb in ["predict run page.png", "ocr page.png --model run"] {
        let assert = bench.kiln(verb).assert().code(2);
        let output = assert.get_output();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("run: this model is an autoencoder"), "{text}");
        assert!(output.stdout.is_empty());
    }
    assert_eq!(bench.listing(), before);
    let info = bench.json("model info run --json");
    assert_eq!(info["classes"], Value::Null);
    assert!(
        bench
            .output("model info run")
            .starts_with("conv_autoencoder: 1x16x16 -> 1x16x16\n")
    );
}

#[test]
fn an_autoencoder_does_not_need_the_number_of_classes() {
    let bench = Bench::new();
    bench.write(
        "folder.json",
        r#"{"data": {"kind": "image_folder", "folder": "nowhere"}, "model": {"kind": "autoencoder"}}"#,
    );
    assert_eq!(
        bench.json("model info folder.json --json")["model"],
        "autoencoder"
    );
}

#[test]
fn configs_that_contradict_themselves_are_refused_by_key() {
    let bench = Bench::new();
    bench.write("conv.json", config(CONV));
    bench.write("connected.json", config(r#"{"kind": "autoencoder"}"#));
    bench.write("squeezenet.json", config(r#"{"kind": "squeezenet"}"#));
    for (arguments, key, says) in [
        (
            "conv.json --set loss.label_smoothing=0.1",
            "loss.label_smoothing",
            "without labels",
        ),
        (
            "connected.json --set loss.label_smoothing=0.1",
            "loss.label_smoothing",
            "0.1",
        ),
        (
            "conv.json --set data.size=18",
            "model.channels",
            "multiples of 4",
        ),
        (
            "conv.json --set model.channels=[2,2,2,2,2]",
            "model.channels",
            "multiples of 32",
        ),
        (
            "squeezenet.json --set data.size=24",
            "model.kind",
            "at least 25 pixels",
        ),
        ("connected.json --set model.hidden=[]", "model.hidden", "1"),
        (
            "connected.json --set model.classes=36",
            "model.classes",
            "unknown key",
        ),
        (
            "conv.json --set init.except=[\"x\"]",
            "init.except",
            "init.weights",
        ),
    ] {
        let assert = bench
            .kiln(&format!("config check {arguments}"))
            .assert()
            .code(2);
        let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(
            text.contains(key) && text.contains(says),
            "{arguments}: {text}"
        );
    }
    bench.output("config check squeezenet.json --set data.size=25");
    bench.output("config check connected.json --set data.size=17");
}
