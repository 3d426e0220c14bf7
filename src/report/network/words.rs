//! What a layer is, in the words of a config.

use crate::models::layer_list::{ConvNode, Function, Node, Operation, PoolNode};

/// The kind of a layer.
pub fn kind(operation: &Operation) -> &'static str {
    match operation {
        Operation::Conv(conv) if is_depthwise(conv) => "depthwise_conv",
        Operation::Conv(_) => "conv",
        Operation::BatchNorm { .. } => "batch_norm",
        Operation::GroupNorm { .. } => "group_norm",
        Operation::LayerNorm { .. } => "layer_norm",
        Operation::Linear { .. } => "linear",
        Operation::Activation(function) => name_of(*function),
        Operation::ZeroPad(_) => "zero_pad",
        Operation::MaxPool(_) => "max_pool",
        Operation::AvgPool { .. } => "avg_pool",
        Operation::GlobalAvgPool => "global_avg_pool",
        Operation::GlobalMaxPool => "global_max_pool",
        Operation::AdaptiveAvgPool(_) => "adaptive_avg_pool",
        Operation::Flatten => "flatten",
        Operation::Unflatten(_) => "unflatten",
        Operation::Dropout(_) => "dropout",
        Operation::Residual { .. } => "residual",
        Operation::Branches(_) => "branches",
        Operation::SqueezeExcite(_) => "squeeze_excite",
        Operation::Group(_) => "group",
        Operation::Scale { .. } => "scale",
        Operation::DepthToSpace { .. } => "depth_to_space",
        Operation::ChannelsLast => "channels_last",
        Operation::ChannelsFirst => "channels_first",
        Operation::Tokens => "tokens",
        Operation::ClassToken { .. } => "class_token",
        Operation::PositionEmbedding { .. } => "position_embedding",
        Operation::SelfAttention { .. } => "self_attention",
        Operation::FirstToken => "first_token",
    }
}

fn name_of(function: Function) -> &'static str {
    match function {
        Function::Relu => "relu",
        Function::Relu6 => "relu6",
        Function::LeakyRelu { .. } => "leaky_relu",
        Function::Gelu => "gelu",
        Function::Silu => "silu",
        Function::Hardswish => "hardswish",
        Function::Hardsigmoid => "hardsigmoid",
        Function::Sigmoid => "sigmoid",
        Function::Tanh => "tanh",
    }
}

fn is_depthwise(conv: &ConvNode) -> bool {
    conv.groups > 1 && conv.groups == conv.inputs
}

/// The settings of a layer that its shapes don't tell, such as `3x3, stride 2`; empty if there are none.
pub fn settings(node: &Node) -> String {
    match &node.operation {
        Operation::Conv(conv) => of_conv(conv),
        Operation::GroupNorm { groups, .. } => format!("{groups} groups"),
        Operation::Activation(Function::LeakyRelu { slope }) => format!("slope {slope}"),
        Operation::ZeroPad(edges) => of_edges(*edges),
        Operation::MaxPool(pool) | Operation::AvgPool { pool, .. } => of_pool(pool),
        Operation::AdaptiveAvgPool(sides) | Operation::Unflatten(sides) => by(*sides),
        Operation::Dropout(p) => format!("p {p}"),
        Operation::Residual { drop_path, .. } if *drop_path > 0.0 => {
            format!("drop_path {drop_path:.3}")
        }
        Operation::SqueezeExcite(sizes) => format!("{} hidden", sizes.hidden),
        Operation::DepthToSpace { block, .. } => by([*block, *block]),
        Operation::SelfAttention { heads, .. } => {
            format!("{heads} {}", if *heads == 1 { "head" } else { "heads" })
        }
        _ => String::new(),
    }
}

/// `3x5`
fn by([rows, columns]: [usize; 2]) -> String {
    format!("{rows}x{columns}")
}

/// One number where both are the same.
fn short([down, right]: [usize; 2]) -> String {
    if down == right {
        down.to_string()
    } else {
        by([down, right])
    }
}

fn of_conv(conv: &ConvNode) -> String {
    let mut words = vec![by(conv.kernel)];
    if conv.stride != [1, 1] {
        words.push(format!("stride {}", short(conv.stride)));
    }
    if conv.dilation != [1, 1] {
        words.push(format!("dilation {}", short(conv.dilation)));
    }
    if conv.groups > 1 && !is_depthwise(conv) {
        words.push(format!("{} groups", conv.groups));
    }
    words.join(", ")
}

fn of_pool(pool: &PoolNode) -> String {
    let mut words = vec![by(pool.kernel)];
    if pool.stride != [1, 1] {
        words.push(format!("stride {}", short(pool.stride)));
    }
    words.join(", ")
}

/// The sides that get zeros.
fn of_edges(edges: [usize; 4]) -> String {
    let sides = ["top", "bottom", "left", "right"].into_iter().zip(edges);
    let sides = sides.filter(|(_, edge)| *edge > 0);
    let words: Vec<String> = sides.map(|(side, edge)| format!("{side} {edge}")).collect();
    words.join(", ")
}
