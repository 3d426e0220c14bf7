//! Weights and images by a formula that `make_torchvision_references.py` computes as well, and what it found with them.
#![allow(dead_code)] // Each of the two tests uses a part.

use std::collections::HashMap;
use std::path::Path;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::prelude::*;
use kiln::models::{ModelConfig, Network, parameters};
use kiln::shape::ImageShape;
use serde_json::Value;

/// The networks, each with a file in `references`.
pub const KINDS: [&str; 11] = [
    "resnet18",
    "resnet34",
    "resnet50",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_b0",
    "efficientnet_lite0",
    "convnext_tiny",
    "vit_b_16",
    "squeezenet1_0",
];

/// What PyTorch found.
pub struct Reference {
    pub model: ModelConfig,
    pub shape: ImageShape,
    pub classes: usize,
    pub gain: f64,
    pub json: Value,
}

impl Reference {
    pub fn read(kind: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torchvision/references");
        let text = std::fs::read_to_string(folder.join(format!("{kind}.json"))).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        let model: ModelConfig = serde_json::from_value(json["model"].clone()).unwrap();
        let side = |index: usize| json["shape"][index].as_u64().unwrap() as usize;
        Self {
            model: model.without_dropout(),
            shape: ImageShape::new(side(0), side(1), side(2)),
            classes: json["classes"].as_u64().unwrap() as usize,
            gain: json["gain"].as_f64().unwrap(),
            json,
        }
    }

    /// The network with the weights of the formula.
    pub fn network(&self, device: &Device) -> Network {
        assert_eq!(self.model.problems(self.shape), Vec::new());
        let network = Network::new(&self.model, self.shape, self.classes, device);
        let parameters = parameters::list(&network).into_iter();
        let mut fill = Fill {
            gain: self.gain,
            names: parameters.map(|p| (p.id, (p.name, p.shape))).collect(),
        };
        network.map(&mut fill)
    }

    /// Squares of 8x8 pixels with some noise, one image for each target.
    pub fn images(&self, device: &Device) -> Tensor<4> {
        let [channels, height, width] = self.shape.dims();
        let count = self.targets().len();
        let across = width / 8 + 1;
        let mut values = Vec::new();
        for image in 0..count {
            let coarse = uniform(&format!("squares {image}"), channels * SQUARES);
            let fine = uniform(&format!("noise {image}"), channels * height * width);
            for (place, fine) in fine.into_iter().enumerate() {
                let (channel, at) = (place / (height * width), place % (height * width));
                let square = at / width / 8 * across + at % width / 8;
                values.push((coarse[channel * SQUARES + square] + fine / 4.0) as f32);
            }
        }
        let data = TensorData::new(values, [count, channels, height, width]);
        Tensor::from_data(data, device)
    }

    pub fn targets(&self) -> Vec<usize> {
        serde_json::from_value(self.json["targets"].clone()).unwrap()
    }

    pub fn logits(&self) -> Vec<Vec<f64>> {
        serde_json::from_value(self.json["logits"].clone()).unwrap()
    }
}

/// Squares for which each channel of an image has values.
const SQUARES: usize = 4096;

/// FNV-1a.
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |value, byte| {
        (value ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Numbers in [-1, 1): the upper 24 bits of splitmix64, begun at the name's hash.
pub fn uniform(name: &str, count: usize) -> Vec<f64> {
    let seed = hash(name);
    let number = |index: u64| {
        let z = seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 23) - 1.0
    };
    (1..=count as u64).map(number).collect()
}

/// Values of a tensor of the network, in the order of files.
fn weights(name: &str, shape: &[usize], gain: f64) -> Vec<f32> {
    let last = name.rsplit('.').next().unwrap_or_default();
    let inputs: usize = shape.iter().skip(1).product();
    let scale = gain * (3.0 / inputs as f64).sqrt();
    let value = |u: f64| match last {
        "running_var" => 1.0 + u / 2.0,
        "layer_scale" => 0.25 + u / 8.0,
        "class_token" | "pos_embedding" => u / 2.0,
        "weight" if shape.len() == 1 => 1.0 + u / 4.0,
        _ if shape.len() == 1 => u / 8.0,
        _ => u * scale,
    };
    let numbers = uniform(name, shape.iter().product());
    numbers.into_iter().map(|u| value(u) as f32).collect()
}

/// Whether the tensor lies transposed in memory: fully connected weights do, but for those of attention, which is no layer of
/// Burn's.
pub fn is_transposed(name: &str, shape: &[usize]) -> bool {
    shape.len() == 2 && !name.ends_with("in_proj_weight")
}

/// Replaces all values of a network.
struct Fill {
    gain: f64,
    names: HashMap<ParamId, (String, Vec<usize>)>,
}

impl ModuleMapper for Fill {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (name, shape) = &self.names[&param.id];
        let mut values = weights(name, shape, self.gain);
        if is_transposed(name, shape) {
            let [outputs, inputs] = [shape[0], shape[1]];
            let places = (0..inputs).flat_map(|i| (0..outputs).map(move |o| o * inputs + i));
            values = places.map(|place| values[place]).collect();
        }
        let trains = param.is_require_grad();
        let data = TensorData::new(values, param.shape());
        let filled = param.map(|tensor| Tensor::from_data(data, &tensor.device()));
        filled.set_require_grad(trains)
    }
}
