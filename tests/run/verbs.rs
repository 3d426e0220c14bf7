//! The other verbs of the command line on a trained run, and what they print where.

use serde_json::Value;

use super::trained;
use crate::common::{Bench, SMALL};

#[test]
fn predict_lists_the_best_guesses_for_images_of_any_size() {
    let bench = trained();
    bench.output("data page --text X letter.png");
    let guesses = bench.json("predict run letter.png letter.png --top-k 3 --json");
    assert_eq!(guesses.as_array().unwrap().len(), 2);
    let list = guesses[0]["guesses"].as_array().unwrap();
    assert_eq!(list.len(), 3);
    let confidences: Vec<f64> = list
        .iter()
        .map(|g| g["confidence"].as_f64().unwrap())
        .collect();
    assert!(
        confidences.windows(2).all(|pair| pair[0] >= pair[1]),
        "{confidences:?}"
    );
    assert_eq!(guesses[0]["guesses"], guesses[1]["guesses"]);
}

#[test]
fn predict_takes_folders_and_continues_after_an_unreadable_image() {
    let bench = trained();
    std::fs::create_dir(bench.path("scans")).expect("a folder");
    bench.output("data page --text X scans/a.png");
    bench.output("data page --text Y scans/c.png");
    std::fs::write(bench.path("scans/b.jpg"), "no image").expect("a file");
    std::fs::write(bench.path("scans/notes.txt"), "no image either").expect("a file");
    let outcome = bench.kiln("predict run scans --json").assert().code(1);
    let output = outcome.get_output();
    let guesses: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let images: Vec<&str> = guesses
        .as_array()
        .unwrap()
        .iter()
        .map(|guess| guess["image"].as_str().unwrap())
        .collect();
    assert_eq!(images, ["scans/a.png", "scans/c.png"]);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(complaints.contains("scans/b.jpg"), "{complaints}");
    assert!(
        complaints.contains("1 of 3 images could not be read"),
        "{complaints}"
    );
}

#[test]
fn model_info_counts_parameters_as_pytorch_does() {
    let bench = Bench::new();
    let configs = crate::common::repository().join("configs");
    let info = |name: &str| {
        bench.json(&format!(
            "model info {} --json",
            configs.join(name).display()
        ))
    };
    // 1024 x 64 + 64 + 64 x 36 + 36
    assert_eq!(info("nist36_mlp.json")["parameters"], 67_940);
    // Three 3x3 convolutions with biases, their batch norms, 2048 x 256 + 256, 256 x 36 + 36 (as PyTorch counts them).
    let convolutions = (9 * 32 + 32) + (9 * 32 * 64 + 64) + (9 * 64 * 128 + 128);
    let norms = 2 * (32 + 64 + 128);
    let dense = 2048 * 256 + 256 + 256 * 36 + 36;
    assert_eq!(
        info("nist36_cnn.json")["parameters"],
        convolutions + norms + dense
    );
}

#[test]
fn model_info_learns_the_classes_from_the_data_or_is_told() {
    let bench = Bench::new();
    for name in ["images/A/1.png", "images/A/2.png", "images/B/1.png"] {
        bench.write(name, "listed, not opened");
    }
    let config = |folder: &str| {
        serde_json::json!({
            "data": {"kind": "image_folder", "folder": bench.path(folder)},
            "model": {"kind": "mlp"},
        })
    };
    bench.write("images.json", config("images").to_string());
    bench.write("absent.json", config("absent").to_string());
    let classes =
        |arguments: &str| bench.json(&format!("model info {arguments} --json"))["classes"].clone();
    assert_eq!(classes("images.json"), 2);
    assert_eq!(classes("absent.json --set model.classes=17"), 17);
}

#[test]
fn predict_takes_the_subfolders_that_it_names_when_a_folder_has_no_images() {
    let bench = trained();
    for name in ["sets/train/A", "sets/train/B"] {
        std::fs::create_dir_all(bench.path(name)).expect("a folder");
        bench.output(&format!("data page --text X {name}/1.png"));
    }
    let assert = bench.kiln("predict run sets").assert().code(2);
    let complaint = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(
        complaint.contains("subfolders are not searched"),
        "{complaint}"
    );
    assert!(complaint.trim_end().ends_with("sets/*/*/"), "{complaint}");
    let lines = bench.output("predict run sets/train/A/ sets/train/B/");
    assert_eq!(lines.lines().count(), 2, "{lines}");
}

#[test]
fn standard_output_has_results_only() {
    let bench = trained();
    let out = bench.output("train small.json --run-dir other --set training.epochs=1");
    assert!(
        !out.contains("samples/s"),
        "progress belongs on standard error:\n{out}"
    );
    let eval: Result<Value, _> = serde_json::from_str(&bench.output("eval run --json"));
    assert!(eval.is_ok());
    let schema: Result<Value, _> = serde_json::from_str(&bench.output("config schema"));
    assert!(schema.is_ok());
    let devices: Value = bench.json("devices --json");
    assert_eq!(devices[0]["backend"], "flex");
    assert_eq!(devices[0]["available"], true);
}

#[test]
fn eval_names_the_classes_that_the_split_has_no_images_of() {
    let bench = trained();
    let blank = image::GrayImage::from_pixel(32, 32, image::Luma([255]));
    let classes = ('A'..='Z').chain('0'..='9').map(String::from);
    for class in classes {
        // B is left for training alone.
        let parts = if class == "B" {
            &["train"][..]
        } else {
            &["train", "valid"]
        };
        for part in parts {
            std::fs::create_dir_all(bench.path(&format!("set/{part}/{class}"))).unwrap();
            blank
                .save(bench.path(&format!("set/{part}/{class}/0.png")))
                .unwrap();
        }
    }
    bench.write(
        "set.json",
        r#"{"data": {"kind": "image_folder", "folder": "set"}, "model": {"kind": "mlp"}}"#,
    );
    let said = |arguments: &str| {
        let mut command = bench.kiln(arguments);
        command.env("KILN_DATA", bench.path("."));
        let output = command.assert().success().get_output().clone();
        String::from_utf8(output.stderr).unwrap()
    };
    let valid = "eval run --data set.json --split valid";
    assert_eq!(said(valid), "no images of 1 of 36 classes: B\n");
    assert_eq!(said(&format!("{valid} --json")), "");
    assert_eq!(said("eval run --data set.json --split train"), "");
    // A class that the data does not have at all counts, too.
    for part in ["train", "valid"] {
        std::fs::remove_dir_all(bench.path(&format!("set/{part}/9"))).unwrap();
    }
    assert_eq!(said(valid), "no images of 2 of 36 classes: B, 9\n");
}

#[test]
fn the_help_of_every_verb_has_an_example() {
    let bench = Bench::new();
    for verb in [
        "train",
        "sweep",
        "runs list",
        "runs show",
        "runs compare",
        "eval",
        "predict",
        "segment",
        "ocr",
        "data info",
        "data page",
        "config check",
        "config show",
        "config schema",
        "config init",
        "model info",
        "devices",
    ] {
        let help = bench.output(&format!("{verb} --help"));
        assert!(
            help.contains("Example:") && help.contains("kiln "),
            "{verb}:\n{help}"
        );
    }
}

#[test]
fn config_init_writes_a_valid_config_and_never_overwrites() {
    let bench = Bench::new();
    for (data, model) in [
        ("glyphs", "mlp"),
        ("nist36", "cnn"),
        ("image_folder", "cnn"),
    ] {
        bench.output(&format!(
            "config init {data}.json --data {data} --model {model}"
        ));
        bench.output(&format!("config check {data}.json"));
    }
    let before = bench.read("glyphs.json");
    bench.kiln("config init glyphs.json").assert().code(2);
    assert_eq!(bench.read("glyphs.json"), before);
}

#[test]
fn data_info_counts_samples_and_draws_a_grid() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    let info = bench.json("data info small.json --grid grid.png --json");
    assert!(info.to_string().contains("1440"), "{info}");
    let grid = image::open(bench.path("grid.png")).unwrap();
    assert!(grid.width() > 300 && grid.height() > 300);
}

#[test]
fn bench_times_both_kinds_of_operators_and_counts_their_work() {
    let bench = Bench::new();
    bench.write(
        "small.json",
        r#"{"data": {"kind": "glyphs", "size": 16}, "model": {"kind": "cnn", "channels": [4, 8], "hidden": 16}}"#,
    );
    for operators in ["kiln", "burn"] {
        let text = bench.output(&format!(
            "bench small.json --mode train --batch 8 --json --operators {operators}"
        ));
        let timing: Value = serde_json::from_str(&text).expect("a line of JSON");
        let number = |key: &str| {
            timing[key]
                .as_f64()
                .unwrap_or_else(|| panic!("{key}: {text}"))
        };
        assert!(number("ms_per_step") > 0.0 && number("machine_gflops") > 0.0);
        // By hand: 9 x 4 x 16 x 16 and 9 x 4 x 8 x 8 x 8 for the convolutions, 128 x 16 and 16 x 36 behind them; forward,
        // and twice that backward but for the first layer's input.
        let (first, rest) = (9 * 4 * 256, 9 * 32 * 64 + 128 * 16 + 16 * 36);
        let per_sample = 2.0 * (3.0 * f64::from(first + rest) - f64::from(first));
        let expected = per_sample * number("samples_per_s") / 1e9;
        assert!((number("gflops") / expected - 1.0).abs() < 1e-6, "{text}");
    }
    let timings = bench.output("bench small.json --mode all --batch 8 --json --precision bf16");
    let timings = timings
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    for timing in timings {
        let expected = ["f32", "bf16"][usize::from(timing["mode"] == "infer")];
        assert_eq!(timing["precision"], expected, "{timing}");
    }
}
