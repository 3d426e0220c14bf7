//! Networks to export: every kind, and lists of layers that have every layer in every form.

use burn::prelude::*;
use kiln::data::{Fit, NormalizeConfig, View};
use kiln::inference::{Classifier, ModelCard};
use kiln::models::{ModelConfig, Network, Task, parameters};
use kiln::shape::ImageShape;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};

use crate::common::noise;

/// A model to export, and what it is called.
pub struct Case {
    pub name: String,
    pub classifier: Classifier,
}

/// Number of classes of all classifiers.
const CLASSES: usize = 5;

/// Images that some network takes, the smallest first.
const SHAPES: [ImageShape; 3] = [
    ImageShape::new(1, 32, 32),
    ImageShape::new(3, 64, 64),
    ImageShape::new(3, 224, 224),
];

/// Every layer at least once.
pub const EVERY_KIND: &str = r#"[
    {"kind": "zero_pad", "right": 1, "bottom": 1},
    {"kind": "conv", "channels": 8, "kernel": [3, 5], "stride": [2, 1], "padding": [1, 2], "bias": false},
    "batch_norm", "relu6",
    {"kind": "depthwise_conv", "kernel": 3, "padding": "same", "multiplier": 2}, {"kind": "leaky_relu", "slope": 0.2},
    {"kind": "group_norm", "groups": 4}, "hardswish",
    {"kind": "conv", "channels": 16, "kernel": 3, "groups": 4, "dilation": 2, "padding": "same"},
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
]"#;

/// Beginnings of lists that end with "flatten" and "linear".
const BEGINNINGS: [&str; 14] = [
    r#"["channels_last", "layer_norm", {"kind": "linear", "features": 7}, "gelu", {"kind": "linear", "features": 4, "bias": false}]"#,
    r#"["layer_norm", {"kind": "conv", "channels": 4, "kernel": 2, "stride": 2}]"#,
    r#"["tokens", {"kind": "linear", "features": 12}, "class_token", "position_embedding", {"kind": "self_attention", "heads": 3}]"#,
    r#"["tokens", {"kind": "linear", "features": 8, "bias": false}, {"kind": "self_attention", "heads": 8}, "first_token"]"#,
    r#"[{"kind": "residual", "body": [{"kind": "dropout", "p": 0.3}]}]"#,
    r#"[{"kind": "residual", "name": "", "body": [{"kind": "conv", "channels": 8, "kernel": 3, "padding": 1, "stride": 2, "bias": false},
        "batch_norm"], "shortcut": [{"kind": "conv", "channels": 8, "kernel": 1, "stride": 2}]}, "relu"]"#,
    r#"[{"kind": "branches", "branches": [[], [{"kind": "conv", "channels": 2, "kernel": 1}],
        [{"kind": "branches", "branches": [[], ["relu"]]}]]}, {"kind": "group_norm", "groups": 1}]"#,
    r#"[{"kind": "zero_pad", "top": 1, "left": 2, "right": 3}, {"kind": "squeeze_excite", "channels": 2, "activation": "silu"}]"#,
    r#"[{"kind": "conv", "channels": 27, "kernel": 1}, {"kind": "depth_to_space", "block": 3}, {"kind": "scale", "initial": 0.1}]"#,
    r#"[{"kind": "conv", "channels": 12, "kernel": 1}, {"kind": "depth_to_space", "block": 2, "mode": "dcr"}]"#,
    r#"["global_max_pool", {"kind": "linear", "features": 30, "bias": false}, {"kind": "unflatten", "size": [2, 5]}]"#,
    r#"[{"kind": "conv", "channels": 6, "kernel": 3, "groups": 3, "dilation": [2, 1], "padding": [0, 3], "stride": [1, 2]}]"#,
    r#"[{"kind": "depthwise_conv", "kernel": [1, 5], "stride": 2}]"#,
    // Names that mean something else in PyTorch, and one that another begins with.
    r#"[{"kind": "conv", "channels": 4, "kernel": 1, "name": "float"}, {"kind": "group", "name": "forward", "layers":
        [{"kind": "conv", "channels": 4, "kernel": 1, "name": "train.half"}, "batch_norm"]}, {"kind": "scale", "name": "a.b.c"},
        {"kind": "conv", "channels": 4, "kernel": 3, "name": "a"}, {"kind": "group", "name": "keys", "layers":
        ["tokens", {"kind": "class_token", "name": ""}, {"kind": "position_embedding", "name": "values"}]}]"#,
];

/// Functions of each value.
pub const FUNCTIONS: [&str; 9] = [
    "relu",
    "relu6",
    "leaky_relu",
    "gelu",
    "silu",
    "hardswish",
    "hardsigmoid",
    "sigmoid",
    "tanh",
];

/// Kernel, stride and padding of pools.
const POOLS: [(usize, usize, usize); 7] = [
    (3, 2, 1),
    (2, 2, 0),
    (3, 2, 0),
    (2, 3, 1),
    (4, 3, 2),
    (1, 2, 0),
    (2, 5, 0),
];

/// Sizes that adaptive pools give of maps of 17x14.
const ADAPTIVE: [[usize; 2]; 6] = [[1, 1], [1, 2], [3, 3], [17, 14], [34, 28], [20, 7]];

/// Every network with its default settings.
pub fn networks() -> Vec<Case> {
    let mut cases = Vec::new();
    for config in ModelConfig::defaults() {
        let takes = |shape: &&ImageShape| config.problems(**shape).is_empty();
        let shape = *SHAPES.iter().find(takes).expect("a shape that it takes");
        cases.push(case(config.kind().into(), config.clone(), shape));
    }
    cases
}

/// Settings of narrow networks, for tests that run in no time; the others are small already.
const NARROW: [(&str, &str); 12] = [
    ("resnet18", r#"{"width": 8}"#),
    ("resnet34", r#"{"width": 4}"#),
    ("resnet50", r#"{"width": 4}"#),
    ("mobilenet_v2", r#"{"width_mult": 0.25}"#),
    ("mobilenet_v3_small", r#"{"width_mult": 0.25}"#),
    ("mobilenet_v3_large", r#"{"width_mult": 0.25}"#),
    ("efficientnet_b0", r#"{"width_mult": 0.25}"#),
    ("efficientnet_lite0", r#"{"width_mult": 0.25}"#),
    (
        "convnext_tiny",
        r#"{"channels": [8, 16], "depths": [1, 2]}"#,
    ),
    (
        "vit_b_16",
        r#"{"patch": 16, "width": 24, "depth": 2, "heads": 3}"#,
    ),
    ("squeezenet", "{}"),
    ("squeezenet1_0", "{}"),
];

/// Every kind of network but `layers`, narrow where that is a setting.
pub fn small() -> Vec<Case> {
    let mut cases = Vec::new();
    for config in ModelConfig::defaults() {
        let kind = config.kind();
        let mut settings = json!({ "kind": kind });
        let mut narrow = NARROW.iter();
        if let Some((_, narrow)) = narrow.find(|(known, _)| *known == kind) {
            let narrow: Value = serde_json::from_str(narrow).expect("settings");
            let narrow = narrow.as_object().expect("an object").clone();
            settings.as_object_mut().expect("an object").extend(narrow);
        }
        let Ok(config) = serde_json::from_value::<ModelConfig>(settings) else {
            // A list of layers has no default.
            continue;
        };
        let takes = |shape: &&ImageShape| config.problems(**shape).is_empty();
        if let Some(shape) = SHAPES.iter().find(takes) {
            cases.push(case(kind.into(), config.clone(), *shape));
        }
    }
    cases
}

/// Lists of layers.
pub fn lists() -> Vec<Case> {
    let every: Value = serde_json::from_str(EVERY_KIND).expect("layers");
    let mut cases = vec![list("every_kind", every, ImageShape::new(3, 30, 22))];
    let mut behind = |name: String, mut layers: Value| {
        let list_of = layers.as_array_mut().expect("a list");
        list_of.extend([json!("flatten"), json!("linear")]);
        cases.push(list(&name, layers, ImageShape::new(3, 17, 14)));
    };
    for (index, layers) in BEGINNINGS.iter().enumerate() {
        behind(
            format!("beginning_{index}"),
            serde_json::from_str(layers).expect("layers"),
        );
    }
    let conv = |kernel| json!({"kind": "conv", "channels": 4, "kernel": kernel});
    for function in FUNCTIONS {
        behind(function.into(), json!([conv(3), function]));
    }
    for (kernel, stride, padding) in POOLS {
        for ceil_mode in [false, true] {
            let settings = |kind| json!({"kind": kind, "kernel": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil_mode});
            let name = format!("pool_{kernel}_{stride}_{padding}_{ceil_mode}");
            let mut all_count = settings("avg_pool");
            let max = settings("max_pool");
            let average =
                json!([conv(1), {"kind": "branches", "branches": [[max], [all_count.clone()]]}]);
            behind(name.clone(), average);
            all_count["count_include_pad"] = json!(false);
            behind(format!("{name}_inside"), json!([conv(1), all_count]));
        }
    }
    for size in ADAPTIVE {
        let name = format!("adaptive_{}_{}", size[0], size[1]);
        behind(name, json!([{"kind": "adaptive_avg_pool", "size": size}]));
    }
    cases
}

/// A list of layers for images of a shape.
pub fn list(name: &str, layers: Value, shape: ImageShape) -> Case {
    match try_list(name, layers, shape) {
        Ok(case) => case,
        Err(problems) => panic!("{name}: {problems}"),
    }
}

/// A list of layers for images of a shape, or why it is none.
pub fn try_list(name: &str, layers: Value, shape: ImageShape) -> Result<Case, String> {
    let config = json!({"kind": "layers", "layers": layers});
    let config: ModelConfig = serde_json::from_value(config).map_err(|error| error.to_string())?;
    let problems = config.problems(shape);
    if !problems.is_empty() {
        return Err(format!("{problems:?}"));
    }
    Ok(case(name.into(), config, shape))
}

fn case(name: String, config: ModelConfig, shape: ImageShape) -> Case {
    let classes = match config.task() {
        Task::Classify => (0..CLASSES)
            .map(|class| format!("\"{class}\" & co"))
            .collect(),
        Task::Reconstruct => vec!["image".into()],
    };
    let normalize = (shape.channels == 3).then(|| NormalizeConfig {
        mean: vec![0.485, 0.456, 0.406],
        std: vec![0.229, 0.224, 0.225],
    });
    let card = ModelCard {
        model: config,
        input: shape,
        normalize,
        classes,
        temperature: 1.5,
        view: View {
            fit: Fit::Crop,
            centre: 0.875,
        },
    };
    let device = Device::flex();
    let network = Network::new(&card.model, shape, card.classes.len(), &device);
    Case {
        name,
        classifier: Classifier::new(&spread(network), card, &device),
    }
}

/// The network with weights by a formula that keep the spread of values from layer to layer: +-sqrt(6 / fan_in) (He et al. 2015),
/// and statistics around 1 and 0.
fn spread(network: Network) -> Network {
    let data: Vec<(String, Vec<usize>, Vec<u8>)> = parameters::list(&network)
        .into_iter()
        .enumerate()
        .map(|(index, parameter)| {
            let fan: usize = parameter.shape.iter().skip(1).product();
            let is_one = parameter.shape.len() == 1
                && (parameter.name.ends_with("weight") || parameter.name.ends_with("running_var"));
            let (centre, width) = if is_one {
                (1.0, 0.5)
            } else if parameter.shape.len() == 1 {
                (0.0, 0.2)
            } else {
                (0.0, (6.0 / fan as f64).sqrt())
            };
            let values = noise(parameter.values(), index);
            let values = values.iter().flat_map(|value| {
                let value = centre + width * (2.0 * value - 1.0);
                (value as f32).to_le_bytes()
            });
            (parameter.name, parameter.shape, values.collect())
        })
        .collect();
    let views = data.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).expect("a tensor");
        (name.as_str(), view)
    });
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.safetensors");
    let file = safetensors::serialize(views, None).expect("a file");
    std::fs::write(&path, file).expect("a file");
    let (network, _) = kiln::weights::load(network, &path, &[]).expect("its own tensors");
    network
}

/// Bytes of `count` images that look random, channels last.
pub fn pixels(count: usize, shape: ImageShape) -> Vec<u8> {
    let values = noise(count * shape.values(), 77).into_iter();
    values.map(|value| (value * 256.0) as u8).collect()
}

/// The same images as values in [0, 1], channels first.
pub fn values(pixels: &[u8], shape: ImageShape) -> Vec<f32> {
    let plane = shape.pixels();
    let images = pixels.chunks_exact(shape.values());
    let image = |image: &[u8]| -> Vec<f32> {
        let at = |index: usize| image[index % plane * shape.channels + index / plane];
        (0..shape.values())
            .map(|index| f32::from(at(index)) / 255.0)
            .collect()
    };
    images.flat_map(image).collect()
}
