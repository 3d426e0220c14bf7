//! Names, shapes and sizes of layers, as a hand calculation and PyTorch's rules give them.

use burn::prelude::*;
use kiln::models::layer_list::parameters;
use kiln::models::{ModelConfig, Network, parameters as of_network};
use kiln::shape::ImageShape;

use super::{model, network};

/// Every kind of layer at least once.
const EVERY_KIND: &str = r#"{"kind": "layers", "layers": [
    {"kind": "zero_pad", "right": 1, "bottom": 1},
    {"kind": "conv", "channels": 8, "kernel": [3, 5], "stride": [2, 1], "padding": [1, 2], "bias": false},
    "batch_norm", "relu6",
    {"kind": "depthwise_conv", "kernel": 3, "padding": "same", "multiplier": 2}, {"kind": "leaky_relu", "slope": 0.2},
    {"kind": "group_norm", "groups": 4}, "hardswish",
    {"kind": "conv", "channels": 16, "kernel": 3, "groups": 4, "dilation": 2, "padding": "same", "init": {"kind": "kaiming_normal"}},
    {"kind": "squeeze_excite", "channels": 4, "gate": "hardsigmoid"},
    {"kind": "residual", "drop_path": 0.1, "body": [
        "channels_last", "layer_norm", {"kind": "linear", "features": 16}, "gelu", "channels_first", {"kind": "scale", "initial": 0.5}
    ]},
    {"kind": "max_pool", "kernel": 3, "stride": 2, "padding": 1},
    {"kind": "avg_pool", "kernel": 2, "ceil_mode": true, "count_include_pad": false},
    {"kind": "branches", "branches": [
        [{"kind": "conv", "channels": 4, "kernel": 1}, "silu"],
        [{"kind": "conv", "channels": 12, "kernel": 3, "padding": 1}, "sigmoid"],
        []
    ]},
    {"kind": "adaptive_avg_pool", "size": [4, 3]},
    {"kind": "depth_to_space", "block": 2},
    {"kind": "repeat", "times": 2, "layers": [{"kind": "conv", "channels": 8, "kernel": 1}, "tanh"]},
    {"kind": "group", "name": "attend", "layers": [
        "tokens", {"kind": "class_token", "name": ""}, "position_embedding",
        {"kind": "residual", "body": ["layer_norm", {"kind": "self_attention", "heads": 2}]},
        "first_token"
    ]},
    {"kind": "linear", "features": 24}, "hardsigmoid", {"kind": "dropout", "p": 0.5},
    {"kind": "unflatten", "size": [2, 3]}, "global_max_pool", "layer_norm",
    {"kind": "unflatten", "size": 1}, {"kind": "conv", "channels": null, "kernel": 1}, "global_avg_pool", "flatten"
]}"#;

#[test]
fn parameters_are_named_as_in_a_sequential_of_pytorch() {
    let json = r#"{"kind": "layers", "layers": [
        {"kind": "conv", "channels": 4, "kernel": 3}, "relu",
        {"kind": "residual", "body": [{"kind": "conv", "channels": 8, "kernel": 1}, "batch_norm"],
         "shortcut": [{"kind": "conv", "channels": 8, "kernel": 1, "bias": false}]},
        {"kind": "branches", "name": "mixed", "branches": [
            [{"kind": "conv", "channels": 2, "kernel": 1}], ["relu", {"kind": "conv", "channels": 3, "kernel": 1, "name": "wide"}]
        ]},
        {"kind": "repeat", "times": 2, "layers": ["relu", {"kind": "conv", "channels": 5, "kernel": 1}]},
        {"kind": "squeeze_excite", "channels": 2},
        "global_avg_pool",
        {"kind": "linear", "name": "classifier.head"}
    ]}"#;
    let shape = ImageShape::new(1, 9, 9);
    let nodes = model(json).nodes(shape, 3).unwrap();
    let found: Vec<(String, Vec<usize>)> = parameters(&nodes)
        .into_iter()
        .map(|(_, name, shape)| (name, shape))
        .collect();
    let expected = [
        ("0.weight", vec![4, 1, 3, 3]),
        ("0.bias", vec![4]),
        ("2.0.weight", vec![8, 4, 1, 1]),
        ("2.0.bias", vec![8]),
        ("2.1.weight", vec![8]),
        ("2.1.bias", vec![8]),
        ("2.1.running_mean", vec![8]),
        ("2.1.running_var", vec![8]),
        ("2.shortcut.0.weight", vec![8, 4, 1, 1]),
        ("mixed.0.0.weight", vec![2, 8, 1, 1]),
        ("mixed.0.0.bias", vec![2]),
        ("mixed.wide.weight", vec![3, 8, 1, 1]),
        ("mixed.wide.bias", vec![3]),
        ("4.0.1.weight", vec![5, 5, 1, 1]),
        ("4.0.1.bias", vec![5]),
        ("4.1.1.weight", vec![5, 5, 1, 1]),
        ("4.1.1.bias", vec![5]),
        ("5.fc1.weight", vec![2, 5, 1, 1]),
        ("5.fc1.bias", vec![2]),
        ("5.fc2.weight", vec![5, 2, 1, 1]),
        ("5.fc2.bias", vec![5]),
        ("classifier.head.weight", vec![3, 5]),
        ("classifier.head.bias", vec![3]),
    ];
    let expected: Vec<(String, Vec<usize>)> = expected
        .into_iter()
        .map(|(name, shape)| (name.to_string(), shape))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn what_is_inferred_is_what_is_built() {
    let shape = ImageShape::new(3, 30, 22);
    let network = network(EVERY_KIND, shape, 5);
    let mut built: Vec<(String, Vec<usize>)> = of_network::list(&network)
        .into_iter()
        .map(|parameter| (parameter.name, parameter.shape))
        .collect();
    let nodes = model(EVERY_KIND).nodes(shape, 5).unwrap();
    let mut inferred: Vec<(String, Vec<usize>)> = parameters(&nodes)
        .into_iter()
        .map(|(_, name, shape)| (name, shape))
        .collect();
    built.sort();
    inferred.sort();
    assert_eq!(built, inferred);
    let images = Tensor::ones([2, 3, 30, 22], &Device::flex());
    assert_eq!(network.forward(images).dims(), [2, 5]);
}

#[test]
fn every_layer_computes_the_same_with_the_kernels_and_with_burns_operators() {
    use kiln::kernels::Operators;

    let shape = ImageShape::new(3, 30, 22);
    let network = super::common::noisy(network(EVERY_KIND, shape, 5), 2);
    let values = super::common::noise(2 * shape.values(), 1).into_iter();
    let values: Vec<f32> = values.map(|value| value as f32).collect();
    let data = TensorData::new(values, [2, 3, 30, 22]);
    let images = Tensor::<4>::from_data(data, &Device::flex());
    let fast = network.forward(images.clone()).into_data();
    let _guard = Operators::Burn.scoped();
    let plain = network.forward(images).into_data();
    let (fast, plain): (Vec<f32>, Vec<f32>) =
        (fast.try_to_vec().unwrap(), plain.try_to_vec().unwrap());
    for (fast, plain) in fast.iter().zip(plain) {
        assert!(
            (fast - plain).abs() <= 1e-5 * plain.abs().max(1.0),
            "{fast} and {plain}"
        );
    }
}

#[test]
fn a_config_may_write_a_layer_as_its_kind_alone_and_keeps_its_meaning_when_it_is_written() {
    let short = model(r#"{"kind": "layers", "layers": ["flatten", "linear"]}"#);
    let long = model(
        r#"{"kind": "layers", "layers": [{"kind": "flatten"}, {"kind": "linear", "features": null}]}"#,
    );
    assert_eq!(short, long);
    let config = model(EVERY_KIND);
    let written = serde_json::to_string(&config).unwrap();
    assert_eq!(
        serde_json::from_str::<ModelConfig>(&written).unwrap(),
        config
    );
}

#[test]
fn windows_may_extend_over_the_edge_only_in_ceil_mode_as_in_pytorch() {
    // PyTorch 2.15: MaxPool2d(3, 2, padding=1) and AvgPool2d(2, 2, ceil_mode=True), AvgPool2d(3, 2, 1, ceil_mode=True).
    let sides = |layer: &str, side: usize| {
        let json = format!(r#"{{"kind": "layers", "layers": [{layer}, "flatten", "linear"]}}"#);
        let nodes = model(&json)
            .nodes(ImageShape::new(1, side, side), 2)
            .unwrap();
        nodes[0].output.dims()[1]
    };
    assert_eq!(
        sides(
            r#"{"kind": "max_pool", "kernel": 3, "stride": 2, "padding": 1}"#,
            112
        ),
        56
    );
    assert_eq!(
        sides(r#"{"kind": "avg_pool", "kernel": 2, "ceil_mode": true}"#, 7),
        4
    );
    assert_eq!(sides(r#"{"kind": "avg_pool", "kernel": 2}"#, 7), 3);
    // The last window would begin in the padding behind the maps, and is dropped.
    let padded =
        r#"{"kind": "avg_pool", "kernel": 2, "stride": 2, "padding": 1, "ceil_mode": true}"#;
    assert_eq!(sides(padded, 6), 4);
    assert_eq!(sides(padded, 7), 4);
}

#[test]
fn all_kinds_of_networks_draw_the_weights_that_their_lists_name() {
    let shape = ImageShape::new(1, 32, 32);
    for config in ModelConfig::defaults() {
        let network = Network::new(&config, shape, 4, &Device::flex());
        let outputs = match config.task() {
            kiln::models::Task::Classify => 4,
            kiln::models::Task::Reconstruct => shape.values(),
        };
        let nodes = config.nodes(shape, outputs).unwrap();
        let mut named: Vec<String> = parameters(&nodes)
            .into_iter()
            .map(|(_, name, _)| name)
            .collect();
        let mut drawn: Vec<String> = of_network::list(&network)
            .into_iter()
            .map(|p| p.name)
            .collect();
        named.sort();
        drawn.sort();
        assert_eq!(named, drawn, "{}", config.kind());
    }
}

#[test]
fn the_list_that_config_layers_prints_is_the_same_network() {
    let bench = super::common::Bench::new();
    bench.write("small.json", super::common::SMALL);
    let printed = bench.output("config layers small.json");
    let list: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
    let config = serde_json::json!({"data": {"kind": "glyphs"}, "model": list});
    bench.write("layers.json", config.to_string());
    bench.kiln("config check layers.json").assert().success();
    let shape = ImageShape::new(1, 32, 32);
    let written = model(&printed).nodes(shape, 36).unwrap();
    let native = model(r#"{"kind": "mlp", "hidden": [32], "activation": "relu"}"#);
    assert_eq!(written, native.nodes(shape, 36).unwrap());
}
