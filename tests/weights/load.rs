//! Files that can be loaded.

use burn::prelude::*;
use kiln::models::{CnnConfig, ModelConfig, Network};
use kiln::shape::ImageShape;
use kiln::weights;

use super::common::noisy;
use super::files::{Named, Precision, fixture, safetensors_file, whole};
use super::pickle::{nested_file, torch_file};
use super::steps::{exported, small, try_load};

#[test]
fn files_of_pytorch_are_loaded_value_by_value() {
    for name in ["torch.pth", "torch_legacy.pth"] {
        let (network, taken) = weights::load(small(), &fixture(name), &[]).unwrap();
        assert_eq!(exported(&network), whole(), "{name}");
        assert_eq!(taken.applied.len(), 4);
        assert!(taken.fresh.is_empty() && taken.unused.is_empty());
    }
}

#[test]
fn numbers_of_every_precision_become_those_of_the_network() {
    for precision in Precision::ALL {
        for file in [
            safetensors_file(&whole(), precision),
            torch_file(&whole(), precision),
        ] {
            let (network, _) = try_load(&file, &[]).unwrap();
            assert_eq!(exported(&network), whole(), "{precision:?}");
            let images = Tensor::zeros([1, 1, 2, 2], &Device::flex());
            let logits = network.forward(images);
            assert_eq!(logits.dtype(), burn::tensor::DType::F32, "{precision:?}");
        }
    }
}

#[test]
fn the_prefix_of_training_on_several_devices_is_removed() {
    let renamed = |prefix: &str| -> Vec<Named> {
        let tensors = whole().into_iter();
        tensors
            .map(|(name, shape, values)| (format!("{prefix}{name}"), shape, values))
            .collect()
    };
    for file in [
        torch_file(&renamed("module."), Precision::F32),
        safetensors_file(&renamed("module."), Precision::F32),
        nested_file("state_dict", &renamed("module.")),
    ] {
        let (network, _) = try_load(&file, &[]).unwrap();
        assert_eq!(exported(&network), whole());
    }
    // But only this prefix, and only if all names have it.
    let other = torch_file(&renamed("net."), Precision::F32);
    assert!(try_load(&other, &[]).unwrap_err().contains("net.layers"));
    let mut some = whole();
    some[0].0 = "module.layers.0.bias".into();
    let some = torch_file(&some, Precision::F32);
    assert!(try_load(&some, &[]).unwrap_err().contains("module.layers"));
}

#[test]
fn nested_weights_are_found_under_their_usual_names() {
    for key in ["state_dict", "model_state_dict", "model"] {
        let (network, taken) = try_load(&nested_file(key, &whole()), &[]).unwrap();
        assert_eq!(exported(&network), whole(), "{key}");
        assert_eq!(taken.applied.len(), 4);
    }
    let text = try_load(&nested_file("weights", &whole()), &[]).unwrap_err();
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn counters_of_batch_norms_are_ignored() {
    let config = ModelConfig::Cnn(CnnConfig {
        channels: vec![2],
        hidden: 0,
        ..CnnConfig::default()
    });
    let network = || Network::new(&config, ImageShape::new(1, 4, 4), 2, &Device::flex());
    let values: Vec<Named> = exported(&noisy(network(), 3));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cnn.pth");
    std::fs::write(&path, torch_file(&values, Precision::F32)).unwrap();
    let (loaded, taken) = weights::load(network(), &path, &[]).unwrap();
    assert_eq!(exported(&loaded), values);
    assert!(
        taken
            .applied
            .iter()
            .any(|n| n == "blocks.0.norm.running_var")
    );
    assert_eq!(taken.applied.len(), 8);
}
