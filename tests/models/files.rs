//! Model files: what they hold, and that damage is refused.

use std::path::Path;

use burn::prelude::*;
use kiln::data::NormalizeConfig;
use kiln::inference::{Classifier, ModelCard};
use kiln::models::mlp::{Activation, Init};
use kiln::models::{CnnConfig, MlpConfig, ModelConfig};
use kiln::shape::ImageShape;
use proptest::prelude::*;
use safetensors::tensor::{Dtype, TensorView, serialize};

use crate::common::{Bench, repository};

/// `offset + 0.3 sin(0.37 i + k)`: numbers that Python makes as well.
fn fill(shape: &[usize], k: f64, offset: f64) -> Vec<f32> {
    (0..shape.iter().product())
        .map(|i: usize| ((0.37 * i as f64 + k).sin() * 0.3 + offset) as f32)
        .collect()
}

/// `count` values of `0.5 + 0.5 cos(0.1 i)`, in [0, 1].
pub fn waves(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| ((0.1 * i as f64).cos() * 0.5 + 0.5) as f32)
        .collect()
}

fn file(card: &ModelCard, tensors: &[(&str, Vec<usize>, f64, f64)]) -> Vec<u8> {
    let data: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, shape, k, offset)| {
            let bytes = fill(shape, *k, *offset)
                .iter()
                .flat_map(|v| v.to_le_bytes())
                .collect();
            (name.to_string(), shape.clone(), bytes)
        })
        .collect();
    let views: Vec<(&str, TensorView)> = data
        .iter()
        .map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
            (name.as_str(), view)
        })
        .collect();
    let text = serde_json::to_string(card).unwrap();
    let metadata = [("kiln".to_string(), text)].into_iter().collect();
    serialize(views, Some(metadata)).unwrap()
}

fn classes(count: usize) -> Vec<String> {
    ('a'..='z').take(count).map(String::from).collect()
}

pub fn small_cnn() -> Vec<u8> {
    let card = ModelCard {
        model: ModelConfig::Cnn(CnnConfig {
            channels: vec![3, 5],
            hidden: 7,
            ..CnnConfig::default()
        }),
        input: ImageShape {
            channels: 1,
            height: 9,
            width: 8,
        },
        normalize: Some(NormalizeConfig {
            mean: vec![1.0],
            std: vec![0.5],
        }),
        classes: classes(3),
        temperature: 1.0,
        view: kiln::data::View::PAD,
    };
    file(
        &card,
        &[
            ("blocks.0.conv.weight", vec![3, 1, 3, 3], 0.0, 0.0),
            ("blocks.0.conv.bias", vec![3], 1.0, 0.0),
            ("blocks.0.norm.running_mean", vec![3], 2.0, 0.0),
            ("blocks.0.norm.running_var", vec![3], 3.0, 1.0),
            ("blocks.0.norm.weight", vec![3], 4.0, 1.0),
            ("blocks.0.norm.bias", vec![3], 5.0, 0.0),
            ("blocks.1.conv.weight", vec![5, 3, 3, 3], 10.0, 0.0),
            ("blocks.1.conv.bias", vec![5], 11.0, 0.0),
            ("blocks.1.norm.running_mean", vec![5], 12.0, 0.0),
            ("blocks.1.norm.running_var", vec![5], 13.0, 1.0),
            ("blocks.1.norm.weight", vec![5], 14.0, 1.0),
            ("blocks.1.norm.bias", vec![5], 15.0, 0.0),
            ("hidden.weight", vec![7, 20], 20.0, 0.0),
            ("hidden.bias", vec![7], 21.0, 0.0),
            ("head.weight", vec![3, 7], 22.0, 0.0),
            ("head.bias", vec![3], 23.0, 0.0),
        ],
    )
}

pub fn small_mlp() -> Vec<u8> {
    let card = ModelCard {
        model: ModelConfig::Mlp(MlpConfig {
            hidden: vec![5],
            activation: Activation::Tanh,
            init: Init::XavierUniform,
            classes: None,
        }),
        input: ImageShape {
            channels: 1,
            height: 2,
            width: 2,
        },
        normalize: None,
        classes: classes(3),
        temperature: 1.0,
        view: kiln::data::View::PAD,
    };
    file(
        &card,
        &[
            ("layers.0.weight", vec![5, 4], 0.0, 0.0),
            ("layers.0.bias", vec![5], 1.0, 0.0),
            ("layers.1.weight", vec![3, 5], 2.0, 0.0),
            ("layers.1.bias", vec![3], 3.0, 0.0),
        ],
    )
}

pub fn load(bytes: Vec<u8>) -> Result<Classifier, String> {
    Classifier::from_bytes(bytes, Path::new("model.safetensors"), &Device::flex())
        .map_err(|error| error.to_string())
}

#[test]
fn a_saved_model_is_the_same_bytes_and_the_same_answers_when_loaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let first = load(small_cnn()).unwrap();
    first.save(&path).unwrap();
    let second = Classifier::load(&path, &Device::flex()).unwrap();
    let input = waves(4 * 72);
    assert_eq!(
        first.outputs(input.clone(), 4).unwrap(),
        second.outputs(input, 4).unwrap()
    );
    let bytes = std::fs::read(&path).unwrap();
    second.save(&path).unwrap();
    assert!(bytes == std::fs::read(&path).unwrap());
}

#[test]
fn probabilities_add_up_to_one_and_an_image_does_not_depend_on_its_batch() {
    let classifier = load(small_cnn()).unwrap();
    let input = waves(300 * 72);
    let rows = classifier.probabilities(input.clone(), 300).unwrap();
    assert_eq!(rows.len(), 300);
    for row in &rows {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
    let alone = classifier
        .probabilities(input[72..144].to_vec(), 1)
        .unwrap();
    for (a, b) in alone[0].iter().zip(&rows[1]) {
        assert!((a - b).abs() < 1e-6);
    }
    assert!(classifier.probabilities(Vec::new(), 0).unwrap().is_empty());
}

#[test]
fn a_model_with_a_tensor_missing_renamed_or_misshapen_is_refused_by_its_name() {
    let whole = small_mlp();
    let renamed = String::from_utf8_lossy(&whole).contains("layers.1.bias");
    assert!(renamed);
    let replace = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = whole
            .windows(from.len())
            .position(|w| w == from.as_bytes())
            .unwrap();
        let mut bytes = whole.clone();
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        load(bytes).err().expect("this model must be refused")
    };
    let text = replace("layers.1.bias", "layers.9.bias");
    assert!(
        text.contains("layers") && text.contains("model.safetensors"),
        "{text}"
    );
    let text = replace("\"shape\":[5,4]", "\"shape\":[4,5]");
    assert!(text.contains("layers.0.weight"), "{text}");
    let text = replace("\"kiln\"", "\"kilm\"");
    assert!(text.contains("kiln"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_truncated_model_is_refused(length in 0usize..2000) {
        let whole = small_cnn();
        prop_assume!(length < whole.len());
        prop_assert!(load(whole[..length].to_vec()).is_err());
    }

    #[test]
    fn a_model_with_a_damaged_header_gives_no_panic(at in 0usize..1500, to: u8) {
        let mut bytes = small_cnn();
        prop_assume!(at < bytes.len());
        bytes[at] = to;
        let _ = load(bytes);
    }
}

#[test]
fn a_model_whose_description_is_odd_is_refused_before_anything_is_built() {
    let with = |pointer: &str, value: serde_json::Value| {
        let whole = small_mlp();
        let (_, metadata) = safetensors::SafeTensors::read_metadata(&whole).unwrap();
        let text = metadata.metadata().as_ref().unwrap()["kiln"].clone();
        let mut card: serde_json::Value = serde_json::from_str(&text).unwrap();
        *card.pointer_mut(pointer).unwrap() = value;
        let metadata = [("kiln".to_string(), card.to_string())]
            .into_iter()
            .collect();
        let tensors = safetensors::SafeTensors::deserialize(&whole).unwrap();
        let bytes = serialize(tensors.tensors(), Some(metadata)).unwrap();
        load(bytes)
            .err()
            .unwrap_or_else(|| panic!("{pointer} must be refused"))
    };
    use serde_json::json;
    for (pointer, value) in [
        ("/model/hidden", json!([65536, 65536, 65536])),
        ("/model/hidden", json!([1_000_000_000_000u64])),
        ("/model", json!({"kind": "cnn", "dropout": 7.0})),
        (
            "/model",
            json!({"kind": "cnn", "channels": [1, 1, 1, 1, 1, 1, 1, 1]}),
        ),
        ("/model/kind", json!("transformer")),
        ("/input/channels", json!(2)),
        ("/input/height", json!(0)),
        ("/input/width", json!(4_000_000_000u64)),
        ("/normalize", json!({"mean": [], "std": []})),
        ("/normalize", json!({"mean": [0.1, 0.2, 0.3], "std": [1.0]})),
        ("/normalize", json!({"mean": [0.0], "std": [0.0]})),
        ("/classes", json!(["a"])),
    ] {
        let text = with(pointer, value);
        assert!(text.contains("not a model that kiln can load"), "{text}");
    }
}

#[test]
fn the_model_that_is_shipped_still_loads() {
    let run = repository().join("artifacts/ocr");
    let model = Classifier::load(&run.join("model.safetensors"), &Device::flex()).unwrap();
    let shape = model.card().input;
    let zeros = vec![0.0; shape.values()];
    // Capitals, digits and junk.
    assert_eq!(model.outputs(zeros, 1).unwrap()[0].len(), 37);
    let bench = Bench::new();
    bench.output(&format!(
        "config check {}",
        run.join("config.json").display()
    ));
    let info = bench.json(&format!("model info {} --json", run.display()));
    assert_eq!(info["model"], "cnn");
    assert_eq!(info["classes"], 37);
    let files = std::fs::read_dir(&run).unwrap();
    let bytes: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert!(bytes <= 3_000_000, "{bytes} bytes are shipped");
}

#[test]
fn a_description_without_later_keys_is_understood() {
    // As files had it before networks had stems, shortcuts and averages of maps, and before temperatures.
    let bytes = small_cnn();
    let (header, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let mut card: serde_json::Value =
        serde_json::from_str(&metadata.metadata().as_ref().unwrap()["kiln"]).unwrap();
    let model = card["model"].as_object_mut().unwrap();
    for key in ["stem", "more", "residual", "gather"] {
        model.remove(key).expect("a key");
    }
    assert!(card.get("temperature").is_none());
    let names = std::collections::HashMap::from([("kiln".to_string(), card.to_string())]);
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let old = serialize(tensors.iter(), Some(names)).unwrap();
    assert!(old.len() < bytes.len() && header > 0);
    let input = waves(2 * 72);
    assert_eq!(
        load(old).unwrap().outputs(input.clone(), 2).unwrap(),
        load(bytes).unwrap().outputs(input, 2).unwrap()
    );
}
