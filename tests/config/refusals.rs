//! What is refused, and how the message helps.

use std::path::Path;

use kiln::config;
use kiln::config::Backend;
use serde_json::json;

use crate::{MINIMAL, complaint, complaint_with, parse};

#[test]
fn a_minimal_config_is_completed_with_defaults() {
    let experiment = parse(MINIMAL, &[]).unwrap();
    assert_eq!(experiment.name, "run");
    assert_eq!(experiment.backend, Backend::Flex);
    assert_eq!(experiment.training.epochs, 10);
    assert_eq!(experiment.data.classes(), Some(36));
}

#[test]
fn a_misspelt_key_is_refused_with_its_path_and_the_nearest_name() {
    let text = complaint_with("training", json!({"epcohs": 5}));
    assert!(text.contains("run.json: training.epcohs"), "{text}");
    assert!(text.contains("did you mean `epochs`"), "{text}");
    let text = complaint_with("optimiser", json!({}));
    assert!(text.contains("did you mean `optimizer`"), "{text}");
}

#[test]
fn a_misspelt_kind_is_refused_with_what_is_allowed() {
    let text = complaint_with("model", json!({"kind": "cnnn"}));
    assert!(text.contains("model.kind"), "{text}");
    assert!(
        text.contains(r#""mlp", "cnn""#) && text.contains(r#"did you mean "cnn""#),
        "{text}"
    );
    let text = complaint_with("model", json!({"hidden": [3]}));
    assert!(text.contains("model.kind: missing"), "{text}");
}

#[test]
fn a_name_of_dots_names_no_run() {
    for name in [".", "..", "..."] {
        let text = complaint_with("name", json!(name));
        let expected = format!(
            "name: found {name:?}, which is not a valid run name; use at least one letter or digit"
        );
        assert!(text.contains(&expected), "{text}");
        let text = parse(MINIMAL, &[format!("name={name}").as_str()])
            .unwrap_err()
            .to_string();
        assert!(text.contains(&expected), "{text}");
    }
    let text = complaint_with("name", json!("..\n"));
    assert!(
        text.contains("allowed are letters, digits and . _ -"),
        "{text}"
    );
    for (file, name) in [("..json", "run"), ("...json", "run"), ("a.b.json", "a.b")] {
        let experiment = config::parse(MINIMAL, Path::new(file), &[]).unwrap();
        assert_eq!(experiment.name, name, "{file}");
    }
    assert_eq!(parse(MINIMAL, &["name=.5"]).unwrap().name, ".5");
}

#[test]
fn a_wrong_type_is_refused_with_what_was_found_and_what_is_expected() {
    let text = complaint_with("training", json!({"epochs": "five"}));
    assert!(
        text.contains(r#"training.epochs: found "five", expected a whole number"#),
        "{text}"
    );
    let text = complaint_with("model", json!({"kind": "mlp", "hidden": [64, 2.5]}));
    assert!(
        text.contains("model.hidden[1]: found 2.5, expected a whole number"),
        "{text}"
    );
    let text = complaint_with("seed", json!(-1));
    assert!(text.contains("seed: found -1"), "{text}");
}

#[test]
fn a_value_out_of_range_is_refused_with_the_range() {
    let text = complaint_with("optimizer", json!({"kind": "sgd", "lr": -0.1}));
    assert!(
        text.contains("optimizer.lr: found -0.1, must be greater than 0"),
        "{text}"
    );
    let text = complaint_with("optimizer", json!({"kind": "sgd", "lr": 0}));
    assert!(text.contains("must be greater than 0"), "{text}");
    let text = complaint_with("model", json!({"kind": "cnn", "dropout": 1}));
    assert!(
        text.contains("model.dropout: found 1, must be at least 0 and at most 0.95"),
        "{text}"
    );
}

#[test]
fn a_head_of_ten_classes_for_thirty_six_is_refused() {
    let text = complaint_with("model", json!({"kind": "cnn", "classes": 10}));
    assert!(text.contains("model.classes: found 10"), "{text}");
    assert!(text.contains("has 36; set 36"), "{text}");
    let config = json!({"data": {"kind": "nist26"}, "model": {"kind": "mlp", "classes": 36}});
    assert!(complaint(&config.to_string()).contains("has 26; set 26"));
}

#[test]
fn an_image_too_small_for_the_model_is_refused() {
    let text = complaint_with(
        "model",
        json!({"kind": "cnn", "channels": [8, 8, 8, 8, 8, 8]}),
    );
    assert!(text.contains("model.channels"), "{text}");
    assert!(text.contains("32x32 pixels allow only 5"), "{text}");
}

#[test]
fn bfloat16_is_refused_on_a_backend_that_does_not_have_it() {
    let config = json!({
        "data": {"kind": "nist36"}, "model": {"kind": "cnn"}, "backend": "wgpu",
        "training": {"precision": "bf16"},
    });
    let text = complaint(&config.to_string());
    let expected = "training.precision: found \"bf16\", which the backend wgpu does not have; use \"f32\", or the backend flex";
    assert!(text.contains(expected), "{text}");
    let text = complaint_with("training", json!({"precision": "f16"}));
    assert!(text.contains("training.precision"), "{text}");
    assert!(text.contains("f32") && text.contains("bf16"), "{text}");
}

#[test]
fn sections_that_contradict_each_other_are_refused() {
    let text = complaint_with("schedule", json!({"kind": "cosine", "warmup": 10}));
    assert!(
        text.contains("schedule.warmup")
            && text
                .contains("training.epochs (10); with fewer epochs, set schedule.warmup as well"),
        "{text}"
    );
    let text = complaint_with(
        "data",
        json!({"kind": "unipen", "split": {"by": "share", "valid": 0.6, "test": 0.6}}),
    );
    assert!(text.contains("must not exceed 1"), "{text}");
    let text = complaint_with(
        "data",
        json!({"kind": "glyphs", "normalize": {"mean": [0.1, 0.2, 0.3]}}),
    );
    assert!(
        text.contains("data.normalize.mean: found 3 values"),
        "{text}"
    );
}

#[test]
fn every_problem_is_reported_at_once() {
    let config = json!({
        "data": {"kind": "glyphs", "trian": 5},
        "model": {"kind": "mlp", "hidden": "big"},
        "training": {"epochs": 0, "batch_size": 0},
    });
    let text = complaint(&config.to_string());
    for path in [
        "data.trian",
        "model.hidden",
        "training.epochs",
        "training.batch_size",
    ] {
        assert!(text.contains(path), "{path} is missing in:\n{text}");
    }
    assert_eq!(text.lines().count(), 4, "one line per problem:\n{text}");
}

#[test]
fn broken_json_is_refused_with_line_and_column() {
    let text = complaint("{\n  \"data\": {,\n}");
    assert!(text.contains("run.json: not valid JSON"), "{text}");
    assert!(text.contains("line 2"), "{text}");
    assert!(complaint("[]").contains("expected an object { }"));
}

#[test]
fn the_size_of_a_network_is_counted_as_it_is_built() {
    // 1024 x 64 + 64 + 64 x 36 + 36, and the course's CNN with its batch norms' statistics (2 x 224 values).
    let size = |text: &str| {
        let experiment = parse(text, &[]).unwrap();
        experiment.model.values(experiment.data.shape(), 36)
    };
    assert_eq!(
        size(r#"{"data": {"kind": "glyphs"}, "model": {"kind": "mlp"}}"#),
        Some(67_940)
    );
    assert_eq!(
        size(r#"{"data": {"kind": "glyphs"}, "model": {"kind": "cnn"}}"#),
        Some(626_916 + 448)
    );
}

#[test]
fn the_resolved_experiment_resolves_to_itself() {
    for entry in std::fs::read_dir("configs").unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let experiment = config::load(&path, &[]).unwrap_or_else(|e| panic!("{e}"));
        let text = serde_json::to_string_pretty(&experiment).unwrap();
        let again = config::parse(&text, Path::new("config.json"), &[]).unwrap();
        assert_eq!(again, experiment, "{}", path.display());
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = config::load(Path::new("no/such.json"), &[]).unwrap_err();
    assert!(error.to_string().starts_with("no/such.json: "), "{error}");
}

#[test]
fn a_file_that_is_not_utf8_or_too_long_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |content: Vec<u8>| {
        let path = folder.path().join("config.json");
        std::fs::write(&path, content).unwrap();
        config::load(&path, &[]).unwrap_err().to_string()
    };
    assert!(refused(vec![0xff; 8]).contains("not valid UTF-8 text"));
    assert!(refused(vec![b' '; (1 << 20) + 1]).contains("over 1 MiB"));
}
