//! What a user may rely on when a config is read.

use std::path::Path;

use kiln::config::experiment::Backend;
use kiln::config::{self, ConfigError, Experiment, schema};
use kiln::models::ModelConfig;
use proptest::prelude::*;
use serde_json::{Value, json};

const MINIMAL: &str = r#"{"data": {"kind": "glyphs"}, "model": {"kind": "mlp"}}"#;

fn parse(text: &str, overrides: &[&str]) -> Result<Experiment, ConfigError> {
    let overrides: Vec<String> = overrides.iter().map(|o| o.to_string()).collect();
    config::parse(text, Path::new("run.json"), &overrides)
}

/// The complaint about `text`, which must be refused.
fn complaint(text: &str) -> String {
    parse(text, &[])
        .expect_err("this config must be refused")
        .to_string()
}

/// The complaint about a minimal config in which one section is replaced.
fn complaint_with(section: &str, value: Value) -> String {
    let mut config: Value = serde_json::from_str(MINIMAL).unwrap();
    config[section] = value;
    complaint(&config.to_string())
}

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
fn a_wrong_type_is_refused_with_what_was_found_and_what_is_expected() {
    let text = complaint_with("training", json!({"epochs": "five"}));
    assert!(
        text.contains(r#"training.epochs: found "five", expected a whole number"#),
        "{text}"
    );
    let text = complaint_with("model", json!({"kind": "mlp", "hidden": [64, 2.5]}));
    assert!(
        text.contains("model.hidden.1: found 2.5, expected a whole number"),
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
    assert!(text.contains("has 36 classes"), "{text}");
    let config = json!({"data": {"kind": "nist26"}, "model": {"kind": "mlp", "classes": 36}});
    assert!(complaint(&config.to_string()).contains("has 26 classes"));
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
fn sections_that_contradict_each_other_are_refused() {
    let text = complaint_with("schedule", json!({"kind": "cosine", "warmup": 10}));
    assert!(
        text.contains("schedule.warmup") && text.contains("training.epochs (10)"),
        "{text}"
    );
    let text = complaint_with(
        "data",
        json!({"kind": "unipen", "split": {"by": "share", "valid": 0.6, "test": 0.6}}),
    );
    assert!(text.contains("more than 1 together"), "{text}");
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
fn settings_of_photographs_that_can_mean_nothing_are_refused() {
    let folder = |more: Value| {
        let mut data =
            json!({"kind": "image_folder", "folder": "flowers", "channels": 3, "fit": "crop"});
        for (key, value) in more.as_object().unwrap() {
            data[key] = value.clone();
        }
        data
    };
    for (data, path, says) in [
        (
            json!({"kind": "glyphs", "augment": {"hue": 0.1}}),
            "data.augment.hue",
            "the samples are grey",
        ),
        (
            folder(json!({"channels": 1, "augment": {"saturation": 0.4}})),
            "data.augment.saturation",
            "the samples are grey",
        ),
        (
            folder(json!({"augment": {"hue": 0.6}})),
            "data.augment.hue",
            "at most 0.5",
        ),
        (
            folder(json!({"fit": "pad", "centre": 0.875})),
            "data.centre",
            "data.fit \"crop\"",
        ),
        (folder(json!({"centre": 0})), "data.centre", "at least 0.1"),
        (
            folder(json!({"fit": "stretch", "random_crop": {}})),
            "data.random_crop",
            "data.fit is not \"crop\"",
        ),
        (
            folder(json!({"random_crop": {"scale": [0.9, 0.5]}})),
            "data.random_crop.scale",
            "found 0.9 to 0.5",
        ),
        (
            folder(json!({"random_crop": {"ratio": [2, 1.5]}})),
            "data.random_crop.ratio",
            "found 2 to 1.5",
        ),
        (
            folder(json!({"random_crop": {"scale": [0, 1]}})),
            "data.random_crop.scale.0",
            "at least 0.001",
        ),
        (
            folder(json!({"random_crop": {"ratio": [1]}})),
            "data.random_crop.ratio",
            "found a list of 1",
        ),
        (
            folder(json!({"random_crop": {"area": [0.1, 1]}})),
            "data.random_crop.area",
            "unknown key",
        ),
        (
            folder(json!({"memory_mb": -1})),
            "data.memory_mb",
            "must be at least 0",
        ),
    ] {
        let text = complaint_with("data", data);
        assert!(text.contains(path) && text.contains(says), "{text}");
    }
    let mut config: Value = serde_json::from_str(MINIMAL).unwrap();
    config["model"] = json!({"kind": "cnn", "channels": [8]});
    config["data"] = folder(json!({
        "centre": 0.875, "random_crop": {}, "augment": {"hue": 0.1, "saturation": 0.4, "brightness": 0.4},
    }));
    parse(&config.to_string(), &[]).unwrap();
    // Grey samples have brightness and contrast.
    config["data"] = json!({"kind": "glyphs", "augment": {"brightness": 0.2, "contrast": 0.2}});
    parse(&config.to_string(), &[]).unwrap();
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
    assert!(complaint("[]").contains("expected a section"));
}

#[test]
fn set_beats_the_file_and_goes_through_the_same_checks() {
    let file =
        r#"{"data": {"kind": "glyphs"}, "model": {"kind": "mlp"}, "training": {"epochs": 3}}"#;
    let experiment = parse(file, &["training.epochs=5", "name=other", "seed=7"]).unwrap();
    assert_eq!(experiment.training.epochs, 5);
    assert_eq!((experiment.name.as_str(), experiment.seed), ("other", 7));
    let text = parse(file, &["training.epochs=0"]).unwrap_err().to_string();
    assert!(text.contains("training.epochs: found 0"), "{text}");
    let text = parse(file, &["training.epcohs=5"]).unwrap_err().to_string();
    assert!(text.contains("did you mean `epochs`"), "{text}");
}

#[test]
fn set_makes_missing_sections_and_reaches_into_lists() {
    let experiment = parse(
        MINIMAL,
        &[
            "model.hidden=[8,9]",
            "model.hidden.1=10",
            "loss.reduction=sum",
        ],
    )
    .unwrap();
    let ModelConfig::Mlp(mlp) = experiment.model else {
        panic!("the model is an MLP")
    };
    assert_eq!(mlp.hidden, [8, 10]);
}

#[test]
fn set_of_a_kind_drops_the_keys_of_the_other_kind() {
    let file = r#"{"data": {"kind": "glyphs"}, "model": {"kind": "mlp", "hidden": [8]}}"#;
    let experiment = parse(file, &["model.kind=cnn"]).unwrap();
    assert_eq!(experiment.model.kind(), "cnn");
}

#[test]
fn set_of_a_kind_spares_what_another_set_says() {
    for order in [
        ["data.kind=unipen", "data.folder=x"],
        ["data.folder=x", "data.kind=unipen"],
    ] {
        let experiment = parse(MINIMAL, &order).unwrap();
        let text = serde_json::to_string(&experiment.data).unwrap();
        assert!(text.contains(r#""kind":"unipen","folder":"x""#), "{text}");
    }
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
fn no_part_of_a_config_takes_unknown_keys() {
    fn open(schema: &Value, path: &str, found: &mut Vec<String>) {
        if let Value::Object(map) = schema {
            if map.get("type") == Some(&json!("object"))
                && map.get("additionalProperties") != Some(&json!(false))
            {
                found.push(path.to_string());
            }
            for (key, value) in map {
                open(value, &format!("{path}/{key}"), found);
            }
        }
        if let Value::Array(items) = schema {
            for (index, item) in items.iter().enumerate() {
                open(item, &format!("{path}/{index}"), found);
            }
        }
    }
    let mut found = Vec::new();
    open(&schema::experiment(), "", &mut found);
    assert!(found.is_empty(), "sections that take any key: {found:?}");
}

#[test]
fn a_set_that_is_no_assignment_is_refused() {
    for bad in ["training.epochs", "=5", "training..epochs=5", "seed.x=5"] {
        assert!(
            parse(
                r#"{"data": {"kind": "glyphs"}, "model": {"kind": "mlp"}, "seed": 3}"#,
                &[bad]
            )
            .is_err(),
            "{bad}"
        );
    }
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
fn every_config_in_the_repository_names_the_schema() {
    for entry in std::fs::read_dir("configs").unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let experiment = config::load(&path, &[]).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            experiment.schema.as_deref(),
            Some("./schema/experiment.json"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn the_committed_schema_is_the_one_of_the_types() {
    let committed: Value =
        serde_json::from_str(&std::fs::read_to_string("configs/schema/experiment.json").unwrap())
            .unwrap();
    assert!(
        committed == schema::experiment(),
        "configs/schema/experiment.json is stale; run: kiln config schema > configs/schema/experiment.json"
    );
}

#[test]
fn the_schema_describes_every_key() {
    fn undescribed(schema: &Value, path: &str, found: &mut Vec<String>) {
        match schema {
            Value::Object(map) => {
                if let Some(Value::Object(properties)) = map.get("properties") {
                    for (key, property) in properties {
                        if property.get("const").is_none() && property.get("description").is_none()
                        {
                            found.push(format!("{path}/{key}"));
                        }
                    }
                }
                for (key, value) in map {
                    undescribed(value, &format!("{path}/{key}"), found);
                }
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(i, item)| undescribed(item, &format!("{path}/{i}"), found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    undescribed(&schema::experiment(), "", &mut found);
    assert!(found.is_empty(), "keys without a description: {found:?}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = config::load(Path::new("no/such.json"), &[]).unwrap_err();
    assert!(error.to_string().starts_with("no/such.json: "), "{error}");
}

/// Any JSON, a few levels deep, with keys that configs know and keys that they don't.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![Just("glyphs"), Just("mlp"), Just("share"), Just("x")].prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("kind"),
        Just("by"),
        Just("data"),
        Just("model"),
        Just("split"),
        Just("augment"),
        Just("training"),
        Just("hidden"),
        Just("epochs"),
        Just("strange"),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key.clone().prop_map(String::from), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_taken_or_refused_without_a_panic(value in any_json()) {
        let text = value.to_string();
        if let Ok(experiment) = parse(&text, &[]) {
            // What is taken resolves to itself.
            let again = serde_json::to_string(&experiment).unwrap();
            prop_assert_eq!(parse(&again, &[]).unwrap(), experiment);
        }
    }

    #[test]
    fn any_text_is_taken_or_refused_without_a_panic(text in ".{0,200}") {
        let _ = parse(&text, &[]);
    }

    #[test]
    fn any_override_is_taken_or_refused_without_a_panic(text in ".{0,60}") {
        let _ = parse(MINIMAL, &[&text]);
    }

    #[test]
    fn a_valid_learning_rate_survives_the_round_trip(lr in 1e-9f64..100.0) {
        let assignment = format!("optimizer.lr={lr:e}");
        let file = r#"{"data": {"kind": "glyphs"}, "model": {"kind": "mlp"}, "optimizer": {"kind": "sgd"}}"#;
        let experiment = parse(file, &[&assignment]).unwrap();
        prop_assert_eq!(experiment.optimizer.lr(), lr);
    }
}
