//! The cache of frozen features and the running average of the weights.

use std::collections::BTreeMap;

use burn::prelude::*;
use kiln::config::ParameterConfig;
use kiln::models::{CnnConfig, ModelConfig, Network};
use kiln::shape::ImageShape;
use kiln::training::features::Memory;
use kiln::training::{Average, Batch, FeatureCache, param_groups};
use serde_json::{Value, json};

use super::{Runs, Tensors, cnn, exported, mlp, moved, with};
use crate::common::{noise, noisy};

// ---- Features that are computed once ----

/// A small convolutional network for images of 1x8x8 and 5 classes, whose blocks are frozen.
fn with_frozen_blocks(device: &Device) -> Network {
    let config = ModelConfig::Cnn(CnnConfig {
        channels: vec![3, 4],
        dropout: 0.0,
        ..CnnConfig::default()
    });
    let shape = ImageShape::new(1, 8, 8);
    let network = noisy(Network::new(&config, shape, 5, device), 1);
    assert!(!network.has_fixed_features());
    let frozen = ParameterConfig {
        names: "blocks.*".into(),
        frozen: true,
        ..ParameterConfig::default()
    };
    let network = param_groups::apply(network, &[frozen]).unwrap().network;
    assert!(network.has_fixed_features());
    network
}

#[test]
fn cached_features_are_those_of_the_frozen_layers() {
    let device = Device::flex().autodiff();
    let network = with_frozen_blocks(&device);
    let features = |images: Tensor<4>| network.backbone().unwrap().features(images);
    let images = |salt: usize| {
        let values: Vec<f32> = noise(3 * 64, salt).into_iter().map(|v| v as f32).collect();
        Tensor::<4>::from_data(TensorData::new(values, [3, 1, 8, 8]), &device)
    };
    let batch = |salt: usize, indices: [usize; 3]| Batch {
        images: images(salt),
        targets: Tensor::from_data([0, 1, 2], &device),
        originals: None,
        indices: indices.to_vec(),
        features: None,
    };
    let values = |features: Tensor<4>| features.into_data().iter::<f32>().collect::<Vec<_>>();
    let mut cache = FeatureCache::new(5, usize::MAX, Memory::Main);
    let first = values(
        cache
            .complete(&network, batch(1, [4, 0, 2]))
            .features
            .unwrap(),
    );
    assert_eq!(first, values(features(images(1))));
    // The layers are not asked again: other images at the same places give the features of the first, in their own order.
    let second = values(
        cache
            .complete(&network, batch(2, [0, 4, 2]))
            .features
            .unwrap(),
    );
    let size = first.len() / 3;
    let rows = [&first[size..2 * size], &first[..size], &first[2 * size..]];
    assert_eq!(second, rows.concat());
    // One that is new: all are computed.
    let third = values(
        cache
            .complete(&network, batch(3, [0, 1, 2]))
            .features
            .unwrap(),
    );
    assert_eq!(third, values(features(images(3))));
    // Beyond its limit, nothing is kept.
    let mut none = FeatureCache::new(5, 4 * 5 * size - 1, Memory::Main);
    let fourth = none.complete(&network, batch(1, [4, 0, 2])).features;
    assert_eq!(first, values(fourth.unwrap()));
    assert!(none.is_empty());
    // And the answers are the same.
    let whole = network.forward(images(1));
    let finished = network.backbone().unwrap().classify(features(images(1)));
    assert_eq!(whole.into_data(), finished.into_data());
}

#[test]
fn caching_features_does_not_change_a_bit_of_a_run() {
    let runs = Runs::new();
    // Variation that never happens: samples stay the same, but kiln can't know and computes them all.
    let never = json!({"erase": 1e-30, "erase_size": 0.3});
    for (name, names) in [
        ("blocks", vec!["stem.*", "blocks.*", "more.*"]),
        // Here the batch norms keep updating their statistics: no features stay the same.
        (
            "norms",
            vec!["stem.*", "more.*", "blocks.*.weight", "blocks.*.bias"],
        ),
    ] {
        let groups: Vec<Value> = names
            .iter()
            .map(|names| json!({"names": names, "frozen": true}))
            .collect();
        let kept = with(
            cnn(),
            &[("parameters", json!(groups)), ("training.epochs", json!(3))],
        );
        let computed = with(kept.clone(), &[("data.augment", never.clone())]);
        let found = runs.train(&format!("{name}_kept"), &kept);
        let expected = runs.train(&format!("{name}_computed"), &computed);
        assert_eq!(moved(&expected, &found), Vec::<String>::new(), "{name}");
        assert_eq!(
            runs.metrics(&format!("{name}_kept")),
            runs.metrics(&format!("{name}_computed")),
            "{name}"
        );
    }
}

// ---- Averaged weights ----

#[test]
fn the_average_is_that_of_a_hand_calculation() {
    let config = ModelConfig::Cnn(CnnConfig {
        channels: vec![2],
        hidden: 0,
        ..CnnConfig::default()
    });
    let network = |first: usize| {
        let device = Device::flex().autodiff();
        noisy(
            Network::new(&config, ImageShape::new(1, 4, 4), 3, &device),
            first,
        )
    };
    let decay = 0.3;
    let mut average = Average::new(&network(0), decay);
    let mut expected: BTreeMap<String, Vec<f64>> = exported(&network(0))
        .into_iter()
        .map(|(name, (_, values))| (name, values.into_iter().map(f64::from).collect()))
        .collect();
    for step in 0..8 {
        average.update(&network(step + 1));
        // 1/10, 2/11, 3/12, then 4/13 is more than the decay.
        let kept = [1.0 / 10.0, 2.0 / 11.0, 3.0 / 12.0]
            .get(step)
            .copied()
            .unwrap_or(decay);
        let new = exported(&network(step + 1));
        for (name, values) in &mut expected {
            for (value, &new) in values.iter_mut().zip(&new[name].1) {
                *value = kept * *value + (1.0 - kept) * f64::from(new);
            }
        }
        // Running statistics are averaged as well: they belong to the weights.
        for (name, (_, values)) in exported(&average.network()) {
            for (found, expected) in values.iter().zip(&expected[&name]) {
                assert!(
                    (f64::from(*found) - expected).abs() < 1e-6,
                    "{name} after step {step}"
                );
            }
        }
    }
}

#[test]
fn a_run_validates_and_keeps_the_average() {
    let runs = Runs::new();
    let first = runs.train("first", &mlp());
    let config = |epochs: usize, ema: Value| {
        with(
            mlp(),
            &[
                ("init", json!({"weights": runs.file("first")})),
                ("training.epochs", json!(epochs)),
                ("training.ema", ema),
            ],
        )
    };
    // One step an epoch: the weights of the steps are those of shorter runs.
    let steps: Vec<Tensors> = (1..=3)
        .map(|epochs| runs.train(&format!("step{epochs}"), &config(epochs, Value::Null)))
        .collect();
    let averaged = runs.train("averaged", &config(3, json!(0.6)));
    for (name, (_, values)) in &averaged {
        for (index, &found) in values.iter().enumerate() {
            let mut expected = f64::from(first[name].1[index]);
            for (step, weights) in steps.iter().enumerate() {
                let kept = (1.0 + step as f64) / (10.0 + step as f64);
                expected = kept * expected + (1.0 - kept) * f64::from(weights[name].1[index]);
            }
            assert!((f64::from(found) - expected).abs() < 1e-6, "{name}");
        }
    }
    // The weights themselves are trained on; the average is validated.
    let (plain, average) = (runs.metrics("step3"), runs.metrics("averaged"));
    for (plain, average) in plain.iter().zip(&average) {
        assert_eq!(plain["train"], average["train"]);
        assert_ne!(plain["valid"]["loss"], average["valid"]["loss"]);
    }
    let after = runs.bench.json("eval averaged --split valid --json");
    let (during, after) = (average[2]["valid"]["loss"].as_f64(), after["loss"].as_f64());
    assert!((during.unwrap() - after.unwrap()).abs() < 1e-5);
    let bytes = runs.bench.read("averaged/model.safetensors");
    runs.train("again", &config(3, json!(0.6)));
    assert!(bytes == runs.bench.read("again/model.safetensors"));
}
