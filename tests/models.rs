//! Model files: what they hold, that PyTorch's numbers come out of PyTorch's weights, and that damage is refused.

mod common;

use std::path::Path;

use burn::prelude::*;
use burn::train::TrainStep;
use common::{Bench, noise, noisy, repository};
use kiln::config::{LossConfig, OptimizerConfig, SgdConfig};
use kiln::data::NormalizeConfig;
use kiln::inference::{Classifier, ModelCard};
use kiln::models::{
    AutoencoderConfig, CnnConfig, ConvAutoencoderConfig, MlpConfig, ModelConfig, SqueezenetConfig,
    Task, cnn::Gather, mlp::Activation, mlp::Init,
};
use kiln::models::{Network, parameters};
use kiln::shape::ImageShape;
use kiln::training::optimizer;
use kiln::training::{Batch, TrainModel};
use proptest::prelude::*;
use safetensors::tensor::{Dtype, TensorView, serialize};

/// `offset + 0.3 sin(0.37 i + k)`: numbers that Python makes as well.
fn fill(shape: &[usize], k: f64, offset: f64) -> Vec<f32> {
    (0..shape.iter().product())
        .map(|i: usize| ((0.37 * i as f64 + k).sin() * 0.3 + offset) as f32)
        .collect()
}

/// `count` values of `0.5 + 0.5 cos(0.1 i)`, in [0, 1].
fn waves(count: usize) -> Vec<f32> {
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

fn small_cnn() -> Vec<u8> {
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

fn small_mlp() -> Vec<u8> {
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

fn load(bytes: Vec<u8>) -> Result<Classifier, String> {
    Classifier::from_bytes(bytes, Path::new("model.safetensors"), &Device::flex())
        .map_err(|error| error.to_string())
}

fn assert_rows(found: Vec<Vec<f32>>, expected: [[f32; 3]; 2]) {
    for (f, e) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!((f - e).abs() < 2e-5, "{found:?} is not {expected:?}");
    }
}

#[test]
fn the_cnn_gives_pytorchs_logits_from_pytorchs_weights() {
    // torch 2.15: the same layers through torch.nn.functional (conv2d, batch_norm, relu, max_pool2d, linear).
    let classifier = load(small_cnn()).unwrap();
    assert_rows(
        classifier.outputs(waves(2 * 72), 2).unwrap(),
        [
            [-1.041_888, 0.020_878, -0.044_429],
            [-1.291_892, 0.203_534, -0.105_557],
        ],
    );
}

#[test]
fn the_mlp_gives_pytorchs_logits_from_pytorchs_weights() {
    let classifier = load(small_mlp()).unwrap();
    assert_rows(
        classifier.outputs(waves(2 * 4), 2).unwrap(),
        [
            [0.351_085, -0.295_495, -0.352_317],
            [0.346_797, -0.303_11, -0.343_831],
        ],
    );
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

/// `count` images of [`noise`].
fn images(count: usize, [c, h, w]: [usize; 3], device: &Device) -> Tensor<4> {
    let values = noise(count * c * h * w, 0).into_iter().map(|v| v as f32);
    Tensor::from_data(
        TensorData::new(values.collect::<Vec<_>>(), [count, c, h, w]),
        device,
    )
}

#[test]
fn the_deeper_relatives_of_the_cnn_give_pytorchs_logits_from_pytorchs_weights() {
    // torch 2.15: the same layers through torch.nn.functional (conv2d, batch_norm, relu, max_pool2d, mean, amax, linear); the
    // shortcut adds what the convolutions behind a block's first take to what they give.
    let deeper = |residual, gather, hidden| {
        let config = ModelConfig::Cnn(CnnConfig {
            stem: 2,
            channels: vec![3, 4],
            more: vec![1, 2],
            residual,
            gather,
            hidden,
            dropout: 0.5,
            classes: None,
        });
        let network = Network::new(&config, ImageShape::new(3, 9, 8), 3, &Device::flex());
        let logits = noisy(network, 1).forward(images(2, [3, 9, 8], &Device::flex()));
        logits.into_data().iter::<f32>().collect::<Vec<_>>()
    };
    for (found, expected) in [
        (
            deeper(true, Gather::Average, 0),
            [
                96.128_77,
                7.045_53,
                -54.497_845,
                78.367_905,
                -2.639_482_5,
                -17.430_696,
            ],
        ),
        (
            deeper(false, Gather::Max, 5),
            [
                84.535_31,
                -64.516_94,
                -164.989_32,
                77.561_12,
                -79.899_89,
                -163.962_3,
            ],
        ),
        (
            deeper(true, Gather::Flatten, 5),
            [
                39.318_073,
                -98.742_01,
                -175.733_38,
                128.208_2,
                -114.655_19,
                -288.118_16,
            ],
        ),
    ] {
        for (f, e) in found.iter().zip(expected) {
            assert!((f - e).abs() < 1e-3, "{found:?} is not {expected:?}");
        }
    }
}

/// A network of every kind, with images that it takes.
fn one_of_each() -> Vec<(ModelConfig, [usize; 3])> {
    let deeper = CnnConfig {
        stem: 3,
        channels: vec![4, 6],
        more: vec![1],
        residual: true,
        gather: Gather::Average,
        hidden: 0,
        dropout: 0.0,
        ..CnnConfig::default()
    };
    let squeezenet = SqueezenetConfig {
        dropout: 0.0,
        ..SqueezenetConfig::default()
    };
    let conv_autoencoder = ConvAutoencoderConfig {
        channels: vec![4, 6],
        code: 5,
    };
    vec![
        (ModelConfig::Mlp(MlpConfig::default()), [1, 8, 8]),
        (
            ModelConfig::Cnn(CnnConfig {
                dropout: 0.0,
                ..CnnConfig::default()
            }),
            [1, 17, 16],
        ),
        (ModelConfig::Cnn(deeper), [3, 20, 16]),
        (ModelConfig::Squeezenet(squeezenet), [3, 33, 40]),
        (
            ModelConfig::Autoencoder(AutoencoderConfig::default()),
            [1, 12, 8],
        ),
        (ModelConfig::ConvAutoencoder(conv_autoencoder), [3, 12, 16]),
    ]
}

#[test]
fn a_step_of_every_network_has_the_same_bits_on_any_number_of_threads() {
    let device = Device::flex().autodiff();
    for (config, shape) in one_of_each() {
        let step = || {
            let network = noisy(Network::new(&config, shape.into(), 5, &device), 1);
            let images = images(33, shape, &device);
            let reconstructs = config.task() == Task::Reconstruct;
            let batch = Batch {
                originals: reconstructs.then(|| images.clone().flatten(1, 3)),
                images,
                targets: Tensor::from_data(
                    TensorData::new((0..33).map(|i| i % 5).collect::<Vec<i32>>(), [33]),
                    &device,
                ),
                indices: (0..33).collect(),
                features: None,
            };
            let trainee = TrainModel::new(network, &LossConfig::default());
            let output = TrainStep::step(&trainee, batch);
            let mut optimizer = optimizer::build(&OptimizerConfig::Sgd(SgdConfig::default()));
            let moved: TrainModel = optimizer.step(1e-3, trainee, output.grads);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("moved.safetensors");
            kiln::weights::save(&moved.network, &path).unwrap();
            std::fs::read(path).unwrap()
        };
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(step)
        };
        assert!(on(1) == on(3), "{config:?}");
    }
}

fn any_model() -> impl Strategy<Value = ModelConfig> {
    let widths = |most| proptest::collection::vec(1usize..9, most);
    let gather = prop_oneof![
        Just(Gather::Flatten),
        Just(Gather::Average),
        Just(Gather::Max)
    ];
    let cnn = (
        (
            0usize..4,
            widths(1..4),
            proptest::collection::vec(0usize..3, 0..4),
        ),
        (any::<bool>(), gather, 0usize..6),
    );
    prop_oneof![
        widths(0..4).prop_map(|hidden| ModelConfig::Mlp(MlpConfig {
            hidden,
            ..MlpConfig::default()
        })),
        cnn.prop_map(|((stem, channels, more), (residual, gather, hidden))| {
            ModelConfig::Cnn(CnnConfig {
                stem,
                channels,
                more,
                residual,
                gather,
                hidden,
                ..CnnConfig::default()
            })
        }),
        Just(ModelConfig::Squeezenet(SqueezenetConfig::default())),
        widths(1..4).prop_map(|hidden| ModelConfig::Autoencoder(AutoencoderConfig { hidden })),
        (widths(1..4), 1usize..9).prop_map(|(channels, code)| {
            ModelConfig::ConvAutoencoder(ConvAutoencoderConfig { channels, code })
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_networks_values_are_counted_before_it_is_built(
        model in any_model(), colour: bool, height in 2usize..48, width in 2usize..48, classes in 2usize..20,
    ) {
        let channels = if colour { 3 } else { 1 };
        let shape = ImageShape::new(channels, height, width);
        prop_assume!(model.problems(shape).is_empty());
        let network = Network::new(&model, shape, classes, &Device::flex());
        let found: usize = parameters::list(&network).iter().map(|p| p.values()).sum();
        prop_assert_eq!(model.values(shape, classes), Some(found));
        // And what it gives back is as wide as it should be.
        let images = Tensor::<4>::zeros([2, channels, height, width], &Device::flex());
        let wide = match model.task() {
            Task::Classify => classes,
            Task::Reconstruct => channels * height * width,
        };
        prop_assert_eq!(network.forward(images).dims(), [2, wide]);
    }
}

#[test]
fn fresh_weights_of_squeezenet_are_spread_as_torchvisions() {
    // torchvision: kaiming_uniform_ (bound sqrt(6 / fan_in)) but for the last convolution, normal_(0, 0.01); zero biases.
    let device = Device::flex();
    let config = ModelConfig::Squeezenet(SqueezenetConfig::default());
    let network = Network::new(&config, ImageShape::new(3, 32, 32), 100, &device);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fresh.safetensors");
    kiln::weights::save(&network, &path).unwrap();
    let tensors = common::tensors(&std::fs::read(path).unwrap());
    for (name, (shape, values)) in &tensors {
        let most = values.iter().fold(0f32, |most, v| most.max(v.abs()));
        if name.ends_with("bias") {
            assert_eq!(most, 0.0, "{name}");
        } else if name == "classifier.1.weight" {
            let squares: f32 = values.iter().map(|v| v * v).sum();
            let deviation = (squares / values.len() as f32).sqrt();
            assert!((deviation - 0.01).abs() < 2e-4, "{deviation}");
        } else {
            let bound = (6.0 / (shape[1] * shape[2] * shape[3]) as f32).sqrt();
            assert!(
                most <= bound && most > 0.98 * bound,
                "{name}: {most} of {bound}"
            );
        }
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
