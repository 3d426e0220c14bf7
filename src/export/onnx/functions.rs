//! Functions of each value.

use super::builder::{Builder, Name};
use crate::models::layer_list::Function;
use crate::onnx::Attribute;

/// Slope and offset of hard sigmoid (Howard et al. 2019): `x / 6 + 1 / 2`.
const HARD_SIGMOID: (f32, f32) = (1.0 / 6.0, 0.5);

/// The largest value of ReLU6.
const SIX: f32 = 6.0;

/// A function of each value.
pub fn function(graph: &mut Builder, layer: &str, function: Function, input: &str) -> Name {
    let mut plain = |kind| graph.add(layer, kind, &[input], Vec::new());
    match function {
        Function::Relu => plain("Relu"),
        Function::Sigmoid => plain("Sigmoid"),
        Function::Tanh => plain("Tanh"),
        Function::Hardswish => plain("HardSwish"),
        Function::Relu6 => {
            let (least, most) = (graph.floats(&[], &[0.0]), graph.floats(&[], &[SIX]));
            graph.add(layer, "Clip", &[input, &least, &most], Vec::new())
        }
        Function::LeakyRelu { slope } => {
            let slope = vec![("alpha", Attribute::Float(slope as f32))];
            graph.add(layer, "LeakyRelu", &[input], slope)
        }
        Function::Hardsigmoid => {
            let (slope, offset) = HARD_SIGMOID;
            let settings = vec![
                ("alpha", Attribute::Float(slope)),
                ("beta", Attribute::Float(offset)),
            ];
            graph.add(layer, "HardSigmoid", &[input], settings)
        }
        Function::Silu => {
            let factor = graph.add(layer, "Sigmoid", &[input], Vec::new());
            graph.add(layer, "Mul", &[input, &factor], Vec::new())
        }
        Function::Gelu => gelu(graph, layer, input),
    }
}

/// x (1 + erf(x / sqrt(2))) / 2 (Hendrycks and Gimpel 2016). Operator set 17 has no operator of its own for it; runtimes fuse
/// these five.
fn gelu(graph: &mut Builder, layer: &str, input: &str) -> Name {
    let root = graph.floats(&[], &[std::f32::consts::SQRT_2]);
    let (one, half) = (graph.floats(&[], &[1.0]), graph.floats(&[], &[0.5]));
    let scaled = graph.add(layer, "Div", &[input, &root], Vec::new());
    let erf = graph.add(layer, "Erf", &[&scaled], Vec::new());
    let factor = graph.add(layer, "Add", &[&erf, &one], Vec::new());
    let product = graph.add(layer, "Mul", &[input, &factor], Vec::new());
    graph.add(layer, "Mul", &[&product, &half], Vec::new())
}
