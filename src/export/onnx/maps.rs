//! Layers of maps that have parameters. Maps are `[batch, channels, height, width]`.

use super::builder::{Attributes, Builder, Name};
use super::functions::function;
use crate::models::layer_list::{ConvNode, DepthToSpaceMode, MapShape, Node, SqueezeExciteNode};
use crate::onnx::Attribute;

/// Of maps: channels as the last dimension, and back.
pub const TO_LAST: [i64; 4] = [0, 2, 3, 1];
pub const TO_FIRST: [i64; 4] = [0, 3, 1, 2];

/// A list of sizes as an attribute.
pub fn sizes(values: &[usize]) -> Attribute {
    Attribute::Integers(values.iter().map(|&value| value as i64).collect())
}

/// Swaps dimensions.
pub fn transpose(graph: &mut Builder, layer: &str, input: &str, order: &[i64]) -> Name {
    let order = vec![("perm", Attribute::Integers(order.to_vec()))];
    graph.add(layer, "Transpose", &[input], order)
}

/// The values in another shape; 0 stands for a size that stays, -1 for what is left.
pub fn reshape(graph: &mut Builder, layer: &str, input: &str, shape: &[i64]) -> Name {
    let shape = graph.integers(shape);
    graph.add(layer, "Reshape", &[input, &shape], Vec::new())
}

/// Everything but the batch as one dimension.
pub fn flatten(graph: &mut Builder, layer: &str, input: &str) -> Name {
    let axis = vec![("axis", Attribute::Integer(1))];
    graph.add(layer, "Flatten", &[input], axis)
}

/// A convolution.
pub fn conv(graph: &mut Builder, node: &Node, conv: &ConvNode, input: &str) -> Name {
    let [vertical, horizontal] = conv.padding;
    let settings = vec![
        ("dilations", sizes(&conv.dilation)),
        ("group", Attribute::Integer(conv.groups as i64)),
        ("kernel_shape", sizes(&conv.kernel)),
        ("pads", sizes(&[vertical, horizontal, vertical, horizontal])),
        ("strides", sizes(&conv.stride)),
    ];
    with_parameters(graph, node, "Conv", input, settings)
}

/// An operator that takes all parameters of the layer, in order, after its input.
pub fn with_parameters(
    graph: &mut Builder,
    node: &Node,
    kind: &'static str,
    input: &str,
    settings: Attributes,
) -> Name {
    let parameters = graph.parameters(node);
    let mut inputs = vec![input];
    inputs.extend(parameters.iter().map(String::as_str));
    graph.add(&node.name, kind, &inputs, settings)
}

fn epsilon(value: f64) -> Attributes {
    vec![("epsilon", Attribute::Float(value as f32))]
}

/// Batch normalization with the running statistics.
pub fn batch_norm(graph: &mut Builder, node: &Node, added: f64, input: &str) -> Name {
    with_parameters(graph, node, "BatchNormalization", input, epsilon(added))
}

/// Layer normalization over the last dimension; of maps, over the channels.
pub fn layer_norm(graph: &mut Builder, node: &Node, added: f64, input: &str) -> Name {
    let kind = "LayerNormalization";
    if !matches!(node.input, MapShape::Maps { .. }) {
        return with_parameters(graph, node, kind, input, epsilon(added));
    }
    let last = transpose(graph, &node.name, input, &TO_LAST);
    let normal = with_parameters(graph, node, kind, &last, epsilon(added));
    transpose(graph, &node.name, &normal, &TO_FIRST)
}

/// Group normalization: each group is normalized as if it was a channel, then each channel has its own factor and offset.
/// (ONNX's operator for it came later.)
pub fn group_norm(
    graph: &mut Builder,
    node: &Node,
    (channels, groups): (usize, usize),
    added: f64,
    input: &str,
) -> Name {
    let layer = &node.name;
    let (ones, zeros) = (vec![1.0; groups], vec![0.0; groups]);
    let (ones, zeros) = (
        graph.floats(&[groups], &ones),
        graph.floats(&[groups], &zeros),
    );
    let grouped = reshape(graph, layer, input, &[0, groups as i64, -1]);
    let inputs = [grouped.as_str(), &ones, &zeros];
    let normal = graph.add(layer, "InstanceNormalization", &inputs, epsilon(added));
    let maps: Vec<i64> = node.input.dims().iter().map(|&side| side as i64).collect();
    let mut normal = reshape(graph, layer, &normal, &[&[0], maps.as_slice()].concat());
    for (kind, parameter) in ["Mul", "Add"].into_iter().zip(graph.parameters(node)) {
        let per_channel = reshape(graph, layer, &parameter, &[channels as i64, 1, 1]);
        normal = graph.add(layer, kind, &[&normal, &per_channel], Vec::new());
    }
    normal
}

/// A factor for each channel.
pub fn scale(graph: &mut Builder, node: &Node, input: &str) -> Name {
    with_parameters(graph, node, "Mul", input, Vec::new())
}

/// Squeeze and excitation (Hu et al. 2018).
pub fn squeeze_excite(
    graph: &mut Builder,
    node: &Node,
    sizes: &SqueezeExciteNode,
    input: &str,
) -> Name {
    let layer = &node.name;
    let parameters = graph.parameters(node);
    let mut factors = graph.add(layer, "GlobalAveragePool", &[input], Vec::new());
    let functions = [sizes.activation, sizes.gate];
    for (pair, gate) in parameters.chunks_exact(2).zip(functions) {
        let inputs = [factors.as_str(), &pair[0], &pair[1]];
        let values = graph.add(layer, "Conv", &inputs, Vec::new());
        factors = function(graph, layer, gate, &values);
    }
    graph.add(layer, "Mul", &[input, &factors], Vec::new())
}

/// Zeros above, below, left and right.
pub fn zero_pad(graph: &mut Builder, layer: &str, edges: [usize; 4], input: &str) -> Name {
    let [top, bottom, left, right] = edges.map(|edge| edge as i64);
    let pads = graph.integers(&[0, 0, top, left, 0, 0, bottom, right]);
    graph.add(layer, "Pad", &[input, &pads], Vec::new())
}

/// Groups of channels as neighbouring pixels.
pub fn depth_to_space(
    graph: &mut Builder,
    layer: &str,
    (block, mode): (usize, DepthToSpaceMode),
    input: &str,
) -> Name {
    let mode = match mode {
        DepthToSpaceMode::Crd => "CRD",
        DepthToSpaceMode::Dcr => "DCR",
    };
    let settings = vec![
        ("blocksize", Attribute::Integer(block as i64)),
        ("mode", Attribute::Text(mode)),
    ];
    graph.add(layer, "DepthToSpace", &[input], settings)
}
