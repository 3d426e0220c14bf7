//! Files that can be loaded.

use burn::prelude::*;
use kiln::models::{CnnConfig, ModelConfig, Network};
use kiln::shape::ImageShape;
use kiln::weights;

use super::common::noisy;
use super::files::{Named, Precision, fixture, named, safetensors_file, whole};
use super::pickle::{Pickle, nested_file, torch_file};
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

/// The tensors of [`whole`] under longer names.
fn below(prefix: &str) -> Vec<Named> {
    let tensors = whole().into_iter();
    tensors
        .map(|(name, shape, values)| (format!("{prefix}{name}"), shape, values))
        .collect()
}

#[test]
fn prefixes_that_wrap_all_names_are_removed() {
    for prefix in [
        "module.",
        "model.",
        "net.",
        "_orig_mod.",
        "backbone.",
        "module._orig_mod.",
        "model.net.module.",
        "my_net.",
    ] {
        for file in [
            torch_file(&below(prefix), Precision::F32),
            safetensors_file(&below(prefix), Precision::F32),
            nested_file("state_dict", &below(prefix)),
        ] {
            let (network, taken) = try_load(&file, &[]).unwrap();
            assert_eq!(exported(&network), whole(), "{prefix}");
            assert_eq!(taken.prefix, prefix);
        }
    }
    let (_, taken) = try_load(&torch_file(&whole(), Precision::F32), &[]).unwrap();
    assert_eq!(taken.prefix, "");
    // Only if all names have it.
    let mut some = whole();
    some[0].0 = "module.layers.0.bias".into();
    let some = torch_file(&some, Precision::F32);
    assert!(try_load(&some, &[]).unwrap_err().contains("module.layers"));
    // Beside a wrapper there may be others, which are named: Lightning saves the weights of a loss.
    let mut beside = below("model.");
    beside.push(named("criterion.weight", &[2], 0.0));
    let (network, taken) = try_load(&torch_file(&beside, Precision::F32), &[]).unwrap();
    assert_eq!(exported(&network), whole());
    assert_eq!(taken.outside, ["criterion.weight"]);
    // But not beside a name that is no wrapper: who knows which part is meant?
    let mut beside = below("left.");
    beside.extend(below("right."));
    let beside = torch_file(&beside, Precision::F32);
    assert!(try_load(&beside, &[]).unwrap_err().contains("left.layers"));
}

#[test]
fn wrappers_within_names_are_removed() {
    let tensors = whole().into_iter();
    let tensors: Vec<Named> = tensors
        .map(|(name, shape, values)| (name.replace("layers.", "layers.module."), shape, values))
        .collect();
    for file in [
        torch_file(&tensors, Precision::F32),
        safetensors_file(&tensors, Precision::F32),
    ] {
        let (network, taken) = try_load(&file, &[]).unwrap();
        assert_eq!(exported(&network), whole());
        assert!(taken.is_unwrapped);
    }
}

#[test]
fn nested_weights_are_found_under_any_name() {
    for key in ["state_dict", "model_state_dict", "model", "net", "best"] {
        let (network, taken) = try_load(&nested_file(key, &whole()), &[]).unwrap();
        assert_eq!(exported(&network), whole(), "{key}");
        assert_eq!(taken.applied.len(), 4);
        assert_eq!(taken.dictionary, key);
    }
}

#[test]
fn of_two_dictionaries_that_fit_the_usual_one_is_taken_and_others_are_refused() {
    let file = |keys: [&str; 2]| {
        let mut pickle = Pickle::default();
        pickle.program.extend(b"}(");
        for (index, key) in keys.into_iter().enumerate() {
            let tensors = whole().into_iter();
            let tensors: Vec<Named> = tensors
                .map(|(name, shape, values)| {
                    let values = values.iter().map(|value| value + index as f32);
                    (name, shape, values.collect())
                })
                .collect();
            pickle.text(key);
            pickle.dictionary(&tensors, Precision::F32);
        }
        pickle.program.push(b'u');
        pickle.file()
    };
    let (network, taken) = try_load(&file(["model", "ema"]), &[]).unwrap();
    assert_eq!(exported(&network), whole());
    assert_eq!(
        (taken.dictionary.as_str(), taken.others),
        ("model", vec!["ema".into()])
    );
    let two = file(["student", "teacher"]);
    let text = try_load(&two, &[]).unwrap_err();
    assert!(
        text.contains("both `student` and `teacher` in the file fit"),
        "{text}"
    );
    let (network, _) = try_load(&two, &["teacher.*"]).unwrap();
    assert_eq!(exported(&network), whole());
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
