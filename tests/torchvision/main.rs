//! torchvision's networks, and EfficientNet-Lite0: names, shapes, defaults, initial weights and logits, against PyTorch's own.
//! `torchvision_gradients` compares gradients, in a process that computes in 64-bit floats.

#[path = "../common/mod.rs"]
mod common;
mod formula;

use burn::prelude::*;
use formula::{KINDS, Reference, hash};
use kiln::models::layer_list::{self, Node, Operation};
use kiln::models::{ModelConfig, Network, parameters};
use kiln::shape::ImageShape;
use serde_json::{Value, json};

/// Largest difference of a logit.
const TOLERANCE: f64 = 1e-4;

/// Tensors of fewer values are too small to judge how they were drawn.
const MANY: usize = 1000;

#[test]
fn logits_are_those_of_pytorch() {
    let device = Device::flex();
    for kind in KINDS {
        let reference = Reference::read(kind);
        let network = reference.network(&device);
        let logits = network.forward(reference.images(&device)).into_data();
        let found = logits.iter::<f64>();
        let expected: Vec<f64> = reference.logits().concat();
        assert_eq!(logits.num_elements(), expected.len(), "{kind}");
        for (found, expected) in found.zip(expected) {
            let difference = (found - expected).abs();
            assert!(difference < TOLERANCE, "{kind}: {found} and {expected}");
        }
    }
}

#[test]
#[cfg_attr(
    not(kiln_data = "efficientnet_lite0"),
    ignore = "needs efficientnet_lite0 in KILN_DATA: kiln data fetch efficientnet_lite0"
)]
fn efficientnet_lite0_gives_the_logits_of_its_reference_code_with_weights_of_imagenet() {
    let reference = Reference::read("efficientnet_lite0_imagenet");
    let device = Device::flex();
    let network = Network::new(
        &reference.model,
        reference.shape,
        reference.classes,
        &device,
    );
    let file = common::real_data().join("efficientnet_lite0/efficientnet-lite0-57934424.pth");
    let (network, taken) = kiln::weights::load(network, &file, &[]).unwrap();
    // Of the 296 tensors of the file, 49 are counters of batch norms, which kiln has none of.
    assert_eq!(reference.json["tensors"], 296);
    assert_eq!(taken.applied.len(), 247);
    let logits = network.forward(reference.images(&device)).into_data();
    let logits: Vec<f64> = logits.iter::<f64>().collect();
    let rows = logits.chunks(reference.classes);
    for (index, (found, expected)) in rows.zip(reference.logits()).enumerate() {
        for (class, (found, expected)) in found.iter().zip(expected).enumerate() {
            let difference = (found - expected).abs();
            assert!(difference < 1e-3, "class {class}: {found} and {expected}");
        }
        let best = (0..found.len()).max_by(|&a, &b| found[a].total_cmp(&found[b]));
        assert_eq!(
            best,
            reference.json["best"][index].as_u64().map(|at| at as usize)
        );
    }
}

/// Number, values, and a hash of all names and shapes.
fn table(tensors: &[(String, Vec<usize>)]) -> Value {
    let row = |(name, shape): &(String, Vec<usize>)| format!("{name} {shape:?}");
    let mut lines: Vec<String> = tensors.iter().map(row).collect();
    lines.sort();
    let values = tensors
        .iter()
        .map(|(_, shape)| shape.iter().product::<usize>());
    json!({
        "tensors": tensors.len(),
        "values": values.sum::<usize>(),
        "hash": format!("{:016x}", hash(&lines.join("\n"))),
    })
}

#[test]
fn names_and_shapes_are_those_of_pytorch() {
    for kind in KINDS {
        let reference = Reference::read(kind);
        let network = reference.network(&Device::flex());
        let tensors: Vec<_> = parameters::list(&network)
            .into_iter()
            .map(|parameter| (parameter.name, parameter.shape))
            .collect();
        assert_eq!(table(&tensors), reference.json["table"], "{kind}");
    }
}

/// The default network of a kind for photographs and the thousand classes of ImageNet, not built.
fn full_size(kind: &str) -> Vec<Node> {
    let model: ModelConfig = serde_json::from_value(json!({ "kind": kind })).unwrap();
    model.nodes(ImageShape::new(3, 224, 224), 1000).unwrap()
}

#[test]
fn so_are_those_of_the_networks_in_full_size() {
    for kind in KINDS {
        let parameters = layer_list::parameters(&full_size(kind)).into_iter();
        let tensors: Vec<_> = parameters.map(|(_, name, shape)| (name, shape)).collect();
        let mut expected = Reference::read(kind).json["full_size"].clone();
        for other in ["dropout", "drop_path"] {
            expected.as_object_mut().unwrap().remove(other).unwrap();
        }
        assert_eq!(table(&tensors), expected, "{kind}");
    }
}

/// Applies `of` to every operation, in the order of the layers.
fn collect<T>(nodes: &[Node], of: &impl Fn(&Operation) -> Option<T>) -> Vec<T> {
    let mut all = Vec::new();
    for node in nodes {
        all.extend(of(&node.operation));
        for inner in node.operation.inner() {
            all.extend(collect(inner, of));
        }
    }
    all
}

fn assert_close(found: &[f64], expected: &Value, what: &str) {
    let expected: Vec<f64> = serde_json::from_value(expected.clone()).unwrap();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-8,
            "{what}: {found} and {expected}"
        );
    }
}

#[test]
fn dropout_stochastic_depth_and_batch_norms_have_pytorchs_defaults() {
    for kind in KINDS {
        let nodes = full_size(kind);
        let reference = Reference::read(kind).json;
        let dropout = collect(&nodes, &|operation| match operation {
            Operation::Dropout(p) => Some(*p),
            _ => None,
        });
        assert_close(&dropout, &reference["full_size"]["dropout"], kind);
        let has_paths = !reference["full_size"]["drop_path"]
            .as_array()
            .unwrap()
            .is_empty();
        let drop_path = collect(&nodes, &|operation| match operation {
            Operation::Residual { drop_path, .. } if has_paths => Some(*drop_path),
            _ => None,
        });
        assert_close(&drop_path, &reference["full_size"]["drop_path"], kind);
        let mut norms = collect(&nodes, &|operation| match operation {
            Operation::BatchNorm {
                epsilon, momentum, ..
            } => Some([*epsilon, *momentum]),
            _ => None,
        });
        norms.dedup();
        assert_eq!(
            norms.len(),
            reference["batch_norms"].as_array().unwrap().len(),
            "{kind}"
        );
        for (found, expected) in norms
            .iter()
            .zip(reference["batch_norms"].as_array().unwrap())
        {
            assert_close(found, expected, kind);
        }
    }
}

#[test]
fn fresh_weights_are_spread_as_pytorchs() {
    let device = Device::flex();
    device.seed(1);
    for kind in KINDS {
        let reference = Reference::read(kind);
        let (shape, classes) = (reference.shape, reference.classes);
        let network = Network::new(&reference.model, shape, classes, &device);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fresh.safetensors");
        kiln::weights::save(&network, &path).unwrap();
        let bytes = std::fs::read(path).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let drawn = reference.json["fresh"].as_object().unwrap();
        for (name, expected) in drawn {
            let view = file.tensor(name).unwrap();
            let values = view.data().chunks_exact(4);
            let values: Vec<f64> = values
                .map(|bytes| f64::from(f32::from_le_bytes(bytes.try_into().unwrap())))
                .collect();
            let [mean, deviation, most] = [0, 1, 2].map(|index| expected[index].as_f64().unwrap());
            assert_spread(&format!("{kind}: {name}"), &values, [mean, deviation, most]);
        }
    }
}

/// Compares values with the mean, the standard deviation and the largest absolute value of PyTorch's.
fn assert_spread(name: &str, values: &[f64], [mean, deviation, most]: [f64; 3]) {
    // Constants, and what torchvision draws with 1e-6, which is zero here.
    if deviation < 1e-5 {
        let allowed = if deviation == 0.0 {
            1e-6 * mean.abs()
        } else {
            1e-5
        };
        let off = values.iter().map(|value| (value - mean).abs());
        let worst = off.fold(0.0, f64::max);
        assert!(worst <= allowed, "{name}: {worst} off {mean}");
        return;
    }
    let count = values.len() as f64;
    let own_mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - own_mean).powi(2)).sum();
    let own = (squares / count).sqrt();
    assert!(own > 0.0, "{name} is constant");
    if values.len() < MANY {
        return;
    }
    assert!(
        (own / deviation - 1.0).abs() < 0.15,
        "{name}: {own} and {deviation}"
    );
    // The largest of a uniform distribution is 1.73 deviations off, of a normal one more than 2.5.
    let largest = values
        .iter()
        .fold(0.0f64, |most, value| most.max(value.abs()));
    let is_uniform = most / deviation < 2.0;
    assert_eq!(
        largest / own < 2.0,
        is_uniform,
        "{name}: {largest} and {most}"
    );
}

#[test]
fn images_and_settings_that_do_not_fit_get_one_line() {
    for (model, shape, path, says) in [
        (
            json!({"kind": "convnext_tiny"}),
            [3, 31, 64],
            "kind",
            "ConvNeXt with 4 stages takes images of at least 32 pixels a side, not 31x64",
        ),
        (
            json!({"kind": "convnext_tiny", "depths": [1, 1]}),
            [3, 64, 64],
            "depths",
            "has 2 values, but `channels` has 4; give one of each per stage",
        ),
        (
            json!({"kind": "vit_b_16"}),
            [3, 224, 220],
            "patch",
            "the sides of the images must be multiples of 16, not 224x220",
        ),
        (
            json!({"kind": "vit_b_16", "heads": 5}),
            [3, 224, 224],
            "heads",
            "`width` 768 is not divisible by 5 heads",
        ),
        (
            json!({"kind": "squeezenet1_0"}),
            [3, 28, 64],
            "kind",
            "SqueezeNet 1.0 takes images of at least 29 pixels a side, not 28x64",
        ),
        (
            json!({"kind": "resnet18"}),
            [3, 100_000, 100_000],
            "kind",
            "ResNet-18 can't be built for images of 100000x100000: layers[0]: its output of 64x50000x50000 has more than \
             268435456 values per image",
        ),
    ] {
        let model: ModelConfig = serde_json::from_value(model).unwrap();
        let problems = model.problems(ImageShape::new(shape[0], shape[1], shape[2]));
        let [problem] = problems.as_slice() else {
            panic!("{problems:?}");
        };
        assert_eq!(problem.path, path);
        assert_eq!(problem.message, says);
    }
    // torchvision takes images of any size for the others.
    for kind in KINDS {
        let model: ModelConfig = serde_json::from_value(json!({ "kind": kind })).unwrap();
        assert_eq!(
            model.problems(ImageShape::new(3, 32, 64)),
            Vec::new(),
            "{kind}"
        );
    }
}

#[test]
fn other_widths_and_depths_are_other_members_of_the_families() {
    // torchvision 0.29.2: `num_params` of EfficientNet-B3, ConvNeXt-Small, ViT-B/32, and MobileNetV2(width_mult=0.5).
    for (model, expected) in [
        (
            json!({"kind": "efficientnet_b0", "width_mult": 1.2, "depth_mult": 1.4}),
            12_233_232,
        ),
        (
            json!({"kind": "convnext_tiny", "depths": [3, 3, 27, 3]}),
            50_223_688,
        ),
        (json!({"kind": "vit_b_16", "patch": 32}), 88_224_232),
        (
            json!({"kind": "mobilenet_v2", "width_mult": 0.5}),
            1_968_680,
        ),
    ] {
        let described: ModelConfig = serde_json::from_value(model.clone()).unwrap();
        let shape = ImageShape::new(3, 224, 224);
        let nodes = described.nodes(shape, 1000).unwrap();
        let trained = layer_list::parameters(&nodes)
            .into_iter()
            .filter(|(_, name, _)| !name.contains("running_"));
        let values = trained.map(|(_, _, shape)| shape.iter().product::<usize>());
        assert_eq!(values.sum::<usize>(), expected, "{model}");
    }
}
