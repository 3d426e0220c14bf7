//! Fully connected layers and sequences of tokens, `[batch, tokens, features]`.

use super::builder::{Builder, Name};
use super::maps::{flatten, reshape, transpose, with_parameters};
use crate::models::layer_list::{MapShape, Node};
use crate::onnx::Attribute;

/// A fully connected layer on the last dimension.
pub fn linear(graph: &mut Builder, node: &Node, input: &str) -> Name {
    if matches!(node.input, MapShape::Vector { .. }) {
        let transposed = vec![("transB", Attribute::Integer(1))];
        return with_parameters(graph, node, "Gemm", input, transposed);
    }
    let [weight, bias] = graph.parameter_array(node);
    projection(graph, &node.name, input, [&weight, &bias])
}

/// Products with a weight of `[outputs, inputs]`, plus a bias, whose name is empty for none.
fn projection(graph: &mut Builder, layer: &str, input: &str, [weight, bias]: [&str; 2]) -> Name {
    let weight = transpose(graph, layer, weight, &[1, 0]);
    let product = graph.add(layer, "MatMul", &[input, &weight], Vec::new());
    if bias.is_empty() {
        return product;
    }
    graph.add(layer, "Add", &[&product, bias], Vec::new())
}

/// The positions of maps `[batch, channels, height, width]` as a sequence.
pub fn tokens(graph: &mut Builder, node: &Node, input: &str) -> Name {
    let channels = node.input.dims().first().map_or(-1, |&side| side as i64);
    let flat = reshape(graph, &node.name, input, &[0, channels, -1]);
    transpose(graph, &node.name, &flat, &[0, 2, 1])
}

/// The learned token in front, once for each image of the batch.
pub fn class_token(graph: &mut Builder, node: &Node, features: usize, input: &str) -> Name {
    let layer = &node.name;
    let [token] = graph.parameter_array(node);
    let range = vec![
        ("end", Attribute::Integer(1)),
        ("start", Attribute::Integer(0)),
    ];
    let batch = graph.add(layer, "Shape", &[input], range);
    let rest = graph.integers(&[1, features as i64]);
    let axis = |axis| vec![("axis", Attribute::Integer(axis))];
    let shape = graph.add(layer, "Concat", &[&batch, &rest], axis(0));
    let tokens = graph.add(layer, "Expand", &[&token, &shape], Vec::new());
    graph.add(layer, "Concat", &[&tokens, input], axis(1))
}

/// The first token.
pub fn first_token(graph: &mut Builder, layer: &str, input: &str) -> Name {
    let first = graph.integers(&[0]);
    let axis = vec![("axis", Attribute::Integer(1))];
    let token = graph.add(layer, "Gather", &[input, &first], axis);
    flatten(graph, layer, &token)
}

/// Multi-head self-attention (Vaswani et al. 2017).
pub fn self_attention(
    graph: &mut Builder,
    node: &Node,
    (features, heads): (usize, usize),
    input: &str,
) -> Name {
    let layer = &node.name;
    let [in_weight, in_bias, out_weight, out_bias] = graph.parameter_array(node);
    let width = features / heads;
    let projected = projection(graph, layer, input, [&in_weight, &in_bias]);
    let parts = graph.integers(&[features as i64; 3]);
    let last = vec![("axis", Attribute::Integer(-1))];
    let parts: [Name; 3] = graph.add_split(layer, "Split", &[&projected, &parts], last.clone());
    // Queries and values as [batch, heads, tokens, width], keys with the last two swapped.
    let orders = [[0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]];
    let mut part = |index: usize| {
        let shape = [0, 0, heads as i64, width as i64];
        let split = reshape(graph, layer, &parts[index], &shape);
        transpose(graph, layer, &split, &orders[index])
    };
    let (queries, keys, values) = (part(0), part(1), part(2));
    let products = graph.add(layer, "MatMul", &[&queries, &keys], Vec::new());
    let factor = graph.floats(&[], &[(1.0 / (width as f64).sqrt()) as f32]);
    let scores = graph.add(layer, "Mul", &[&products, &factor], Vec::new());
    let weights = graph.add(layer, "Softmax", &[&scores], last);
    let mixed = graph.add(layer, "MatMul", &[&weights, &values], Vec::new());
    let mixed = transpose(graph, layer, &mixed, &[0, 2, 1, 3]);
    let mixed = reshape(graph, layer, &mixed, &[0, 0, features as i64]);
    projection(graph, layer, &mixed, [&out_weight, &out_bias])
}
