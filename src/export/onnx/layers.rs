//! From layers to operators.

use super::builder::{Builder, Name};
use super::functions::function;
use super::{maps, pools, sequences};
use crate::error::Problem;
use crate::models::layer_list::{Node, Operation};
use crate::onnx::Attribute;

/// Adds the operators of layers one after another; returns the name of what the last one gives. The error has the place of a
/// layer that can't be exported as its path.
pub fn layers(graph: &mut Builder, nodes: &[Node], input: Name) -> Result<Name, Problem> {
    let mut nodes = nodes.iter();
    nodes.try_fold(input, |value, node| layer(graph, node, value))
}

fn layer(graph: &mut Builder, node: &Node, input: Name) -> Result<Name, Problem> {
    let (name, value) = (&node.name, input.as_str());
    Ok(match &node.operation {
        Operation::Conv(conv) => maps::conv(graph, node, conv, value),
        Operation::BatchNorm { epsilon, .. } => maps::batch_norm(graph, node, *epsilon, value),
        Operation::GroupNorm {
            channels,
            groups,
            epsilon,
        } => maps::group_norm(graph, node, (*channels, *groups), *epsilon, value),
        Operation::LayerNorm { epsilon, .. } => maps::layer_norm(graph, node, *epsilon, value),
        Operation::Linear { .. } => sequences::linear(graph, node, value),
        Operation::Activation(kind) => function(graph, name, *kind, value),
        Operation::ZeroPad(edges) => maps::zero_pad(graph, name, *edges, value),
        Operation::MaxPool(pool) => pools::max_pool(graph, node, pool, value),
        Operation::AvgPool {
            pool,
            count_include_pad,
        } => pools::avg_pool(graph, node, pool, *count_include_pad, value),
        Operation::GlobalAvgPool => pools::global_pool(graph, name, "GlobalAveragePool", value),
        Operation::GlobalMaxPool => pools::global_pool(graph, name, "GlobalMaxPool", value),
        Operation::AdaptiveAvgPool(sides) => {
            pools::adaptive_avg_pool(graph, node, *sides, value)
                .map_err(|problem| Problem::new(node.place.as_str(), problem))?
        }
        Operation::Flatten => maps::flatten(graph, name, value),
        Operation::Unflatten(_) => {
            let shape = node.output.dims().into_iter().map(|side| side as i64);
            let shape: Vec<i64> = [0].into_iter().chain(shape).collect();
            maps::reshape(graph, name, value, &shape)
        }
        // Without effect outside of training.
        Operation::Dropout(_) => input,
        Operation::SqueezeExcite(sizes) => maps::squeeze_excite(graph, node, sizes, value),
        Operation::Residual { .. } | Operation::Branches(_) | Operation::Group(_) => {
            nested(graph, node, input)?
        }
        Operation::Scale { .. } => maps::scale(graph, node, value),
        Operation::DepthToSpace { block, mode } => {
            maps::depth_to_space(graph, name, (*block, *mode), value)
        }
        Operation::ChannelsLast => maps::transpose(graph, name, value, &maps::TO_LAST),
        Operation::ChannelsFirst => maps::transpose(graph, name, value, &maps::TO_FIRST),
        Operation::Tokens => sequences::tokens(graph, node, value),
        Operation::ClassToken { features } => sequences::class_token(graph, node, *features, value),
        Operation::PositionEmbedding { .. } => {
            maps::with_parameters(graph, node, "Add", value, Vec::new())
        }
        Operation::SelfAttention {
            features, heads, ..
        } => sequences::self_attention(graph, node, (*features, *heads), value),
        Operation::FirstToken => sequences::first_token(graph, name, value),
    })
}

/// A layer of layers.
fn nested(graph: &mut Builder, node: &Node, input: Name) -> Result<Name, Problem> {
    let mut lists: Vec<Name> = Vec::new();
    for list in node.operation.inner() {
        lists.push(layers(graph, list, input.clone())?);
    }
    let values: Vec<&str> = lists.iter().map(String::as_str).collect();
    Ok(match &node.operation {
        Operation::Residual { .. } => graph.add(&node.name, "Add", &values, Vec::new()),
        Operation::Branches(_) => {
            let channels = vec![("axis", Attribute::Integer(1))];
            graph.add(&node.name, "Concat", &values, channels)
        }
        _ => lists.pop().unwrap_or(input),
    })
}
