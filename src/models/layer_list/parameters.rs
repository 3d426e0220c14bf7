//! Names and shapes of the parameters of a list of layers, as in files, and what they cost, without building it.

use super::node::{Node, Operation};

/// Place of the layer, name of the parameter, and its shape.
pub type NamedShape = (String, String, Vec<usize>);

/// All parameters, running statistics included, in the order of the layers.
pub fn parameters(nodes: &[Node]) -> Vec<NamedShape> {
    let mut all = Vec::new();
    for node in nodes {
        let own = own_parameters(&node.operation).into_iter();
        all.extend(own.map(|(name, shape)| (node.place.clone(), join(&node.name, &name), shape)));
        for list in node.operation.inner() {
            all.extend(parameters(list));
        }
    }
    all
}

/// A name below another one.
pub fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_string()
    } else {
        format!("{prefix}.{name}")
    }
}

/// The parameters of one operation, without those of the layers inside of it.
pub fn own_parameters(operation: &Operation) -> Vec<(String, Vec<usize>)> {
    let named = |name: &str, shape: &[usize]| (name.to_string(), shape.to_vec());
    match operation {
        Operation::Conv(conv) => {
            let [rows, columns] = conv.kernel;
            let inputs = conv.inputs / conv.groups;
            let weight = named("weight", &[conv.outputs, inputs, rows, columns]);
            let bias = conv.bias.then(|| named("bias", &[conv.outputs]));
            [weight].into_iter().chain(bias).collect()
        }
        Operation::BatchNorm { channels, .. } => ["weight", "bias", "running_mean", "running_var"]
            .map(|name| named(name, &[*channels]))
            .to_vec(),
        Operation::GroupNorm { channels, .. }
        | Operation::LayerNorm {
            features: channels, ..
        } => vec![named("weight", &[*channels]), named("bias", &[*channels])],
        Operation::Linear {
            inputs,
            outputs,
            bias,
            ..
        } => {
            let weight = named("weight", &[*outputs, *inputs]);
            let bias = bias.then(|| named("bias", &[*outputs]));
            [weight].into_iter().chain(bias).collect()
        }
        Operation::SqueezeExcite(node) => {
            let (channels, hidden) = (node.channels, node.hidden);
            let [first, second] = &node.names;
            vec![
                (join(first, "weight"), vec![hidden, channels, 1, 1]),
                (join(first, "bias"), vec![hidden]),
                (join(second, "weight"), vec![channels, hidden, 1, 1]),
                (join(second, "bias"), vec![channels]),
            ]
        }
        Operation::Scale { channels, .. } => vec![named("layer_scale", &[*channels, 1, 1])],
        Operation::ClassToken { features } => vec![named("class_token", &[1, 1, *features])],
        Operation::PositionEmbedding { tokens, features } => {
            vec![named("pos_embedding", &[1, *tokens, *features])]
        }
        Operation::SelfAttention { features, .. } => vec![
            named("in_proj_weight", &[3 * features, *features]),
            named("in_proj_bias", &[3 * features]),
            named("out_proj.weight", &[*features, *features]),
            named("out_proj.bias", &[*features]),
        ],
        _ => Vec::new(),
    }
}

/// What batch norms keep beside their parameters.
const STATISTICS: [&str; 2] = ["running_mean", "running_var"];

/// Number of values of one operation that training may change, without those of the layers inside of it.
pub fn trainable_values(operation: &Operation) -> usize {
    let own = own_parameters(operation).into_iter();
    let trainable = own.filter(|(name, _)| !STATISTICS.contains(&name.as_str()));
    trainable
        .map(|(_, shape)| shape.iter().product::<usize>())
        .sum()
}

/// Multiply-adds of one layer for one image, without those of the layers inside of it: matrix products and convolutions.
pub fn multiply_adds(node: &Node) -> usize {
    let positions = node.output.positions();
    match &node.operation {
        Operation::Conv(conv) => {
            let [rows, columns] = conv.kernel;
            conv.outputs * (conv.inputs / conv.groups) * rows * columns * positions
        }
        Operation::Linear {
            inputs, outputs, ..
        } => inputs * outputs * positions,
        Operation::SqueezeExcite(sizes) => 2 * sizes.channels * sizes.hidden,
        // Queries, keys, values and the output; each token's scores with all tokens, and their weighted sum.
        Operation::SelfAttention { features, .. } => {
            4 * features * features * positions + 2 * positions * positions * features
        }
        _ => 0,
    }
}
