//! Settings of photographs.

use serde_json::{Value, json};

use crate::{MINIMAL, complaint_with, parse};

/// A folder of photographs with more settings.
fn folder(more: Value) -> Value {
    let mut data =
        json!({"kind": "image_folder", "folder": "flowers", "channels": 3, "fit": "crop"});
    for (key, value) in more.as_object().unwrap() {
        data[key] = value.clone();
    }
    data
}

/// A `data` section, the key that is refused, and a part of the message.
fn meaningless() -> Vec<(Value, &'static str, &'static str)> {
    vec![
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
            "unless data.fit is \"crop\"",
        ),
        (folder(json!({"centre": 0})), "data.centre", "at least 0.1"),
        (
            folder(json!({"fit": "stretch", "random_crop": {}})),
            "data.random_crop",
            "requires data.fit = \"crop\"",
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
            "data.random_crop.scale[0]",
            "at least 0.001",
        ),
        (
            folder(json!({"random_crop": {"ratio": [1]}})),
            "data.random_crop.ratio",
            "list has 1 value; must have",
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
    ]
}

#[test]
fn settings_of_photographs_that_can_mean_nothing_are_refused() {
    for (data, path, says) in meaningless() {
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
