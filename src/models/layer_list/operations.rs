//! What a single layer of a config does to maps of a shape.

use super::node::{ConvNode, Function, MapShape, Operation, SqueezeExciteNode};
use super::settings::{
    AvgPoolConfig, ConvConfig, DepthToSpaceConfig, DepthwiseConvConfig, Gate, GateActivation,
    LinearConfig, MaxPoolConfig, SelfAttentionConfig, SqueezeExciteConfig, ZeroPadConfig,
};
use super::sizes::{self, convolved, limited, padding, pooled};
use super::spec::LayerConfig;

/// The operation and the shape that it gives. Lists of layers are not asked here: they are [`Operation::Group`]s without layers.
pub fn operation(
    layer: &LayerConfig,
    input: MapShape,
    classes: usize,
) -> Result<(Operation, MapShape), String> {
    if let Some(function) = function(layer) {
        return Ok((Operation::Activation(function), input));
    }
    match layer {
        LayerConfig::Conv(config) => conv(config, input, classes),
        LayerConfig::DepthwiseConv(config) => depthwise_conv(config, input),
        LayerConfig::BatchNorm(config) => {
            let operation = Operation::BatchNorm {
                channels: maps(input)?.0,
                epsilon: config.epsilon,
                momentum: config.momentum,
            };
            Ok((operation, input))
        }
        LayerConfig::GroupNorm(config) => {
            let (channels, groups) = (maps(input)?.0, config.groups);
            if !channels.is_multiple_of(groups) {
                return Err(format!(
                    "its {channels} channels can't be divided into {groups} groups"
                ));
            }
            let epsilon = config.epsilon;
            let operation = Operation::GroupNorm {
                channels,
                groups,
                epsilon,
            };
            Ok((operation, input))
        }
        LayerConfig::LayerNorm(config) => {
            let operation = Operation::LayerNorm {
                features: input.last_side(),
                epsilon: config.epsilon,
            };
            Ok((operation, input))
        }
        LayerConfig::Linear(config) => linear(config, input, classes),
        LayerConfig::SelfAttention(config) => attention(config, input),
        LayerConfig::Dropout(config) => Ok((Operation::Dropout(config.p), input)),
        _ => rearrangement(layer, input),
    }
}

/// Pools and what moves values.
fn rearrangement(layer: &LayerConfig, input: MapShape) -> Result<(Operation, MapShape), String> {
    match layer {
        LayerConfig::MaxPool(config) => max_pool(config, input),
        LayerConfig::AvgPool(config) => avg_pool(config, input),
        LayerConfig::ZeroPad(config) => zero_pad(config, input),
        LayerConfig::GlobalAvgPool(_) => Ok((Operation::GlobalAvgPool, means(input)?)),
        LayerConfig::GlobalMaxPool(_) => Ok((Operation::GlobalMaxPool, means(input)?)),
        LayerConfig::AdaptiveAvgPool(config) => {
            let sides = config.size.sides();
            let output = sizes::maps(maps(input)?.0, sides)?;
            Ok((Operation::AdaptiveAvgPool(sides), output))
        }
        LayerConfig::SqueezeExcite(config) => squeeze_excite(config, input),
        LayerConfig::Scale(config) => {
            let operation = Operation::Scale {
                channels: maps(input)?.0,
                initial: config.initial,
            };
            Ok((operation, input))
        }
        LayerConfig::DepthToSpace(config) => depth_to_space(config, input),
        LayerConfig::Unflatten(config) => unflatten(config.size.sides(), input),
        _ => sequence(layer, input),
    }
}

/// What changes only the meaning of dimensions, and sequences.
fn sequence(layer: &LayerConfig, input: MapShape) -> Result<(Operation, MapShape), String> {
    let (operation, output) = match layer {
        LayerConfig::ChannelsLast(_) => {
            let (channels, [height, width]) = maps(input)?;
            let output = MapShape::LastMaps {
                height,
                width,
                channels,
            };
            (Operation::ChannelsLast, output)
        }
        LayerConfig::ChannelsFirst(_) => {
            let MapShape::LastMaps {
                height,
                width,
                channels,
            } = input
            else {
                return Err(format!(
                    "needs the output of \"channels_last\", not {}",
                    input.described()
                ));
            };
            (
                Operation::ChannelsFirst,
                sizes::maps(channels, [height, width])?,
            )
        }
        LayerConfig::Tokens(_) => {
            let (features, [height, width]) = maps(input)?;
            let tokens = height.saturating_mul(width);
            (Operation::Tokens, MapShape::Tokens { tokens, features })
        }
        LayerConfig::ClassToken(_) => {
            let (tokens, features) = tokens_of(input)?;
            let tokens = tokens.saturating_add(1);
            let output = limited(MapShape::Tokens { tokens, features })?;
            (Operation::ClassToken { features }, output)
        }
        LayerConfig::PositionEmbedding(_) => {
            let (tokens, features) = tokens_of(input)?;
            (Operation::PositionEmbedding { tokens, features }, input)
        }
        LayerConfig::FirstToken(_) => {
            let (_, features) = tokens_of(input)?;
            (Operation::FirstToken, MapShape::Vector { features })
        }
        LayerConfig::Flatten(_) => {
            let features = input.checked_values().ok_or("its input is too large")?;
            (Operation::Flatten, MapShape::Vector { features })
        }
        _ => (Operation::Group(Vec::new()), input),
    };
    Ok((operation, output))
}

fn function(layer: &LayerConfig) -> Option<Function> {
    Some(match layer {
        LayerConfig::Relu(_) => Function::Relu,
        LayerConfig::Relu6(_) => Function::Relu6,
        LayerConfig::LeakyRelu(config) => Function::LeakyRelu {
            slope: config.slope,
        },
        LayerConfig::Gelu(_) => Function::Gelu,
        LayerConfig::Silu(_) => Function::Silu,
        LayerConfig::Hardswish(_) => Function::Hardswish,
        LayerConfig::Hardsigmoid(_) => Function::Hardsigmoid,
        LayerConfig::Sigmoid(_) => Function::Sigmoid,
        LayerConfig::Tanh(_) => Function::Tanh,
        _ => return None,
    })
}

/// Channels, and height and width, of maps.
fn maps(shape: MapShape) -> Result<(usize, [usize; 2]), String> {
    match shape {
        MapShape::Maps {
            channels,
            height,
            width,
        } => Ok((channels, [height, width])),
        MapShape::LastMaps { .. } => Err(format!(
            "needs feature maps with channels first, but its input of {shape} has them last; add \"channels_first\" before it"
        )),
        MapShape::Tokens { .. } => Err(format!(
            "needs feature maps, but its input is {}",
            shape.described()
        )),
        MapShape::Vector { features } => Err(format!(
            "needs feature maps, but its input is a vector of {features} values; put it before \"flatten\" and global pooling"
        )),
    }
}

fn tokens_of(shape: MapShape) -> Result<(usize, usize), String> {
    match shape {
        MapShape::Tokens { tokens, features } => Ok((tokens, features)),
        _ => Err(format!(
            "needs a sequence, but its input is {}; add \"tokens\" before it",
            shape.described()
        )),
    }
}

/// One value for each channel.
fn means(input: MapShape) -> Result<MapShape, String> {
    let (features, _) = maps(input)?;
    Ok(MapShape::Vector { features })
}

fn conv(
    config: &ConvConfig,
    input: MapShape,
    classes: usize,
) -> Result<(Operation, MapShape), String> {
    let (inputs, sides) = maps(input)?;
    let (kernel, dilation) = (config.kernel.sides(), config.dilation.sides());
    let node = ConvNode {
        inputs,
        outputs: config.channels.unwrap_or(classes),
        kernel,
        stride: config.stride.sides(),
        padding: padding(config.padding, kernel, dilation)?,
        dilation,
        groups: config.groups,
        bias: config.bias,
        init: config.init,
    };
    for (channels, what) in [(inputs, "input"), (node.outputs, "output")] {
        if !channels.is_multiple_of(node.groups) {
            return Err(format!(
                "the number of {what} channels, {channels}, is not a multiple of {} groups",
                node.groups
            ));
        }
    }
    Ok((Operation::Conv(node), convolved(&node, sides)?))
}

fn depthwise_conv(
    config: &DepthwiseConvConfig,
    input: MapShape,
) -> Result<(Operation, MapShape), String> {
    let (inputs, sides) = maps(input)?;
    let (kernel, dilation) = (config.kernel.sides(), config.dilation.sides());
    let node = ConvNode {
        inputs,
        outputs: inputs.saturating_mul(config.multiplier),
        kernel,
        stride: config.stride.sides(),
        padding: padding(config.padding, kernel, dilation)?,
        dilation,
        groups: inputs,
        bias: config.bias,
        init: config.init,
    };
    Ok((Operation::Conv(node), convolved(&node, sides)?))
}

fn linear(
    config: &LinearConfig,
    input: MapShape,
    classes: usize,
) -> Result<(Operation, MapShape), String> {
    let outputs = config.features.unwrap_or(classes);
    let (inputs, output) = match input {
        MapShape::Vector { features } => (features, MapShape::Vector { features: outputs }),
        MapShape::Tokens { tokens, features } => {
            let output = MapShape::Tokens {
                tokens,
                features: outputs,
            };
            (features, output)
        }
        MapShape::LastMaps {
            height,
            width,
            channels,
        } => {
            let output = MapShape::LastMaps {
                height,
                width,
                channels: outputs,
            };
            (channels, output)
        }
        MapShape::Maps { .. } => {
            return Err(format!(
                "needs a vector, but its input is {}; add \"flatten\" before it",
                input.described()
            ));
        }
    };
    let operation = Operation::Linear {
        inputs,
        outputs,
        bias: config.bias,
        init: config.init,
    };
    Ok((operation, limited(output)?))
}

fn attention(
    config: &SelfAttentionConfig,
    input: MapShape,
) -> Result<(Operation, MapShape), String> {
    let ((_, features), heads) = (tokens_of(input)?, config.heads);
    if !features.is_multiple_of(heads) {
        return Err(format!(
            "tokens of {features} values can't be divided among {heads} heads"
        ));
    }
    let operation = Operation::SelfAttention {
        features,
        heads,
        dropout: config.dropout,
    };
    Ok((operation, input))
}

fn max_pool(config: &MaxPoolConfig, input: MapShape) -> Result<(Operation, MapShape), String> {
    let (channels, sides) = maps(input)?;
    let pool = sizes::windows(
        config.kernel,
        config.stride,
        config.padding,
        config.ceil_mode,
    )?;
    Ok((Operation::MaxPool(pool), pooled(&pool, channels, sides)?))
}

fn avg_pool(config: &AvgPoolConfig, input: MapShape) -> Result<(Operation, MapShape), String> {
    let (channels, sides) = maps(input)?;
    let pool = sizes::windows(
        config.kernel,
        config.stride,
        config.padding,
        config.ceil_mode,
    )?;
    let operation = Operation::AvgPool {
        pool,
        count_include_pad: config.count_include_pad,
    };
    Ok((operation, pooled(&pool, channels, sides)?))
}

fn zero_pad(config: &ZeroPadConfig, input: MapShape) -> Result<(Operation, MapShape), String> {
    let (channels, [height, width]) = maps(input)?;
    let height = height.saturating_add(config.top + config.bottom);
    let width = width.saturating_add(config.left + config.right);
    let output = sizes::maps(channels, [height, width])?;
    let edges = [config.top, config.bottom, config.left, config.right];
    Ok((Operation::ZeroPad(edges), output))
}

fn squeeze_excite(
    config: &SqueezeExciteConfig,
    input: MapShape,
) -> Result<(Operation, MapShape), String> {
    let (channels, _) = maps(input)?;
    let node = SqueezeExciteNode {
        channels,
        hidden: config.channels,
        activation: match config.activation {
            GateActivation::Relu => Function::Relu,
            GateActivation::Silu => Function::Silu,
        },
        gate: match config.gate {
            Gate::Sigmoid => Function::Sigmoid,
            Gate::Hardsigmoid => Function::Hardsigmoid,
        },
        init: config.init,
        names: config.names.clone(),
    };
    Ok((Operation::SqueezeExcite(node), input))
}

fn depth_to_space(
    config: &DepthToSpaceConfig,
    input: MapShape,
) -> Result<(Operation, MapShape), String> {
    let (channels, sides) = maps(input)?;
    let (block, mode) = (config.block, config.mode);
    if !channels.is_multiple_of(block * block) {
        return Err(format!(
            "the number of input channels, {channels}, is not a multiple of block x block = {}",
            block * block
        ));
    }
    let sides = sides.map(|side| side.saturating_mul(block));
    let output = sizes::maps(channels / (block * block), sides)?;
    Ok((Operation::DepthToSpace { block, mode }, output))
}

fn unflatten(sides: [usize; 2], input: MapShape) -> Result<(Operation, MapShape), String> {
    let MapShape::Vector { features } = input else {
        return Err(format!(
            "needs a vector, but its input is {}; add \"flatten\" before it",
            input.described()
        ));
    };
    let positions = sides[0].saturating_mul(sides[1]);
    if !features.is_multiple_of(positions) {
        return Err(format!(
            "the number of input values, {features}, is not a multiple of {}x{} positions",
            sides[0], sides[1]
        ));
    }
    let output = sizes::maps(features / positions, sides)?;
    Ok((Operation::Unflatten(sides), output))
}
