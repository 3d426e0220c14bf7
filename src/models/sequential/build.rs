//! Builds a list of layers that has been inferred.

use burn::nn::{BatchNormConfig, DropoutConfig, GroupNormConfig, LayerNormConfig};
use burn::prelude::*;

use super::construct::{conv, dense};
use super::module::{Layer, Operator, Sequence};
use super::parts::{ClassToken, PositionEmbedding, Scale, SelfAttention};
use crate::models::blocks::batch_norm;
use crate::models::layer_list::join;
use crate::models::layer_list::{ConvNode, Node, Operation, SqueezeExciteNode};

/// The layers, undrawn: weights are drawn when they are first used.
pub fn build(nodes: &[Node], device: &Device) -> Sequence {
    let layers = nodes.iter().map(|node| Layer {
        path: levels(&node.name),
        positions: node.output.positions(),
        operator: operator(node, device),
    });
    Sequence {
        layers: layers.collect(),
    }
}

/// The levels of a name.
fn levels(name: &str) -> Vec<String> {
    let levels = name.split('.').filter(|level| !level.is_empty());
    levels.map(String::from).collect()
}

fn operator(node: &Node, device: &Device) -> Operator {
    match &node.operation {
        Operation::Conv(node) => Operator::Conv(conv(node, device)),
        Operation::BatchNorm { .. } | Operation::GroupNorm { .. } | Operation::LayerNorm { .. } => {
            normalization(&node.operation, device)
        }
        Operation::Linear {
            inputs,
            outputs,
            bias,
            init,
        } => Operator::Linear(dense(*inputs, *outputs, *bias, *init, device)),
        Operation::Dropout(p) => Operator::Dropout(DropoutConfig::new(*p).init()),
        Operation::Residual {
            body,
            shortcut,
            drop_path,
        } => Operator::Residual {
            body: build(body, device),
            shortcut: build(shortcut, device),
            drop_path: DropoutConfig::new(*drop_path).init(),
        },
        Operation::Branches(branches) => {
            Operator::Branches(branches.iter().map(|nodes| build(nodes, device)).collect())
        }
        Operation::Group(nodes) => Operator::Group(build(nodes, device)),
        Operation::SqueezeExcite(excite) => squeeze_excite(&node.name, excite, device),
        Operation::Scale { channels, initial } => {
            Operator::Scale(Scale::new(*channels, *initial, device))
        }
        Operation::ClassToken { features } => {
            Operator::ClassToken(ClassToken::new(*features, device))
        }
        Operation::PositionEmbedding { tokens, features } => {
            Operator::PositionEmbedding(PositionEmbedding::new(*tokens, *features, device))
        }
        Operation::SelfAttention {
            features,
            heads,
            dropout,
        } => Operator::SelfAttention(SelfAttention::new(*features, *heads, *dropout, device)),
        plain => Operator::Plain(plain.clone()),
    }
}

fn normalization(operation: &Operation, device: &Device) -> Operator {
    match operation {
        Operation::BatchNorm {
            channels,
            epsilon,
            momentum,
        } => {
            let config = BatchNormConfig::new(*channels)
                .with_epsilon(*epsilon)
                .with_momentum(*momentum);
            Operator::BatchNorm(batch_norm(&config, device))
        }
        Operation::GroupNorm {
            channels,
            groups,
            epsilon,
        } => {
            let config = GroupNormConfig::new(*groups, *channels).with_epsilon(*epsilon);
            Operator::GroupNorm(config.init(device))
        }
        Operation::LayerNorm { features, epsilon } => {
            let config = LayerNormConfig::new(*features).with_epsilon(*epsilon);
            Operator::LayerNorm(config.init(device))
        }
        other => Operator::Plain(other.clone()),
    }
}

fn squeeze_excite(name: &str, node: &SqueezeExciteNode, device: &Device) -> Operator {
    let pointwise = |own: &str, inputs, outputs| {
        let sizes = ConvNode {
            inputs,
            outputs,
            kernel: [1, 1],
            stride: [1, 1],
            padding: [0, 0],
            dilation: [1, 1],
            groups: 1,
            bias: true,
            init: node.init,
        };
        Layer {
            path: levels(&join(name, own)),
            positions: 1,
            operator: Operator::Conv(conv(&sizes, device)),
        }
    };
    let [first, second] = &node.names;
    let layers = vec![
        pointwise(first, node.channels, node.hidden),
        pointwise(second, node.hidden, node.channels),
    ];
    Operator::SqueezeExcite {
        convs: Sequence { layers },
        activation: node.activation,
        gate: node.gate,
    }
}
