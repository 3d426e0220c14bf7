//! Layers without parameters.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::{AvgPool2dConfig, MaxPool2dConfig};
use burn::prelude::*;
use burn::tensor::module::adaptive_avg_pool2d;

use super::value::{Value, mismatch};
use crate::kernels::{self, PoolOptions};
use crate::models::blocks::Layout;
use crate::models::layer_list::{Operation, PoolNode};

/// The output of a layer without parameters.
pub fn plain(operation: &Operation, value: Value, layout: Layout) -> Value {
    match (operation, value) {
        (Operation::Activation(function), value) => value.map(*function),
        (Operation::Flatten, value) => Value::Vector(value.flatten(layout)),
        (Operation::MaxPool(pool), Value::Maps(maps)) => Value::Maps(max_pool(pool, maps, layout)),
        (
            Operation::AvgPool {
                pool,
                count_include_pad,
            },
            Value::Maps(maps),
        ) => Value::Maps(channels_first(maps, layout, |maps| {
            let config = AvgPool2dConfig::new(pool.kernel)
                .with_strides(pool.stride)
                .with_padding(border(pool))
                .with_count_include_pad(*count_include_pad)
                .with_ceil_mode(pool.ceil_mode);
            config.init().forward(maps)
        })),
        (Operation::ZeroPad(edges), Value::Maps(maps)) => {
            Value::Maps(zero_pad(*edges, maps, layout))
        }
        (Operation::GlobalAvgPool, Value::Maps(maps)) => Value::Vector(layout.channel_means(maps)),
        (Operation::GlobalMaxPool, Value::Maps(maps)) => Value::Vector(layout.global_max(maps)),
        (Operation::AdaptiveAvgPool(sides), Value::Maps(maps)) => {
            Value::Maps(channels_first(maps, layout, |maps| {
                adaptive_avg_pool2d(maps, *sides)
            }))
        }
        (Operation::DepthToSpace { block, mode }, Value::Maps(maps)) => {
            Value::Maps(layout.depth_to_space(maps, *block, *mode))
        }
        (Operation::ChannelsLast, Value::Maps(maps)) => Value::LastMaps(match layout {
            Layout::ChannelsLast => maps,
            Layout::ChannelsFirst => maps.permute([0, 2, 3, 1]),
        }),
        (Operation::ChannelsFirst, Value::LastMaps(maps)) => Value::Maps(match layout {
            Layout::ChannelsLast => maps,
            Layout::ChannelsFirst => maps.permute([0, 3, 1, 2]),
        }),
        (Operation::Unflatten([height, width]), Value::Vector(values)) => {
            let [batch, count] = values.dims();
            let channels = count / (height * width);
            let maps = values.reshape([batch, channels, *height, *width]);
            Value::Maps(layout.arrange(maps))
        }
        (Operation::Tokens, Value::Maps(maps)) => {
            let last = match layout {
                Layout::ChannelsLast => maps,
                Layout::ChannelsFirst => maps.permute([0, 2, 3, 1]),
            };
            Value::Tokens(last.flatten(1, 2))
        }
        (Operation::FirstToken, Value::Tokens(tokens)) => {
            Value::Vector(tokens.narrow(1, 0, 1).squeeze_dim(1))
        }
        (_, value) => mismatch("a layer", &value),
    }
}

/// Runs a Burn operator, which takes channels first.
fn channels_first(
    maps: Tensor<4>,
    layout: Layout,
    work: impl FnOnce(Tensor<4>) -> Tensor<4>,
) -> Tensor<4> {
    layout.arrange(work(layout.to_channels_first(maps)))
}

fn border(pool: &PoolNode) -> PaddingConfig2d {
    let [vertical, horizontal] = pool.padding;
    PaddingConfig2d::Explicit(vertical, horizontal, vertical, horizontal)
}

fn max_pool(pool: &PoolNode, maps: Tensor<4>, layout: Layout) -> Tensor<4> {
    let [kernel, columns] = pool.kernel;
    let [stride, across] = pool.stride;
    let [padding, beside] = pool.padding;
    if layout == Layout::ChannelsLast && [kernel, stride, padding] == [columns, across, beside] {
        let options = PoolOptions {
            kernel,
            stride,
            padding,
            ceil_mode: pool.ceil_mode,
        };
        return kernels::max_pool2d(maps, options);
    }
    channels_first(maps, layout, |maps| {
        let config = MaxPool2dConfig::new(pool.kernel)
            .with_strides(pool.stride)
            .with_padding(border(pool))
            .with_ceil_mode(pool.ceil_mode);
        config.init().forward(maps)
    })
}

/// Zeros above, below, left and right.
fn zero_pad([top, bottom, left, right]: [usize; 4], maps: Tensor<4>, layout: Layout) -> Tensor<4> {
    let rows = layout.row_dim();
    let padded = beside(maps, rows, top, bottom);
    beside(padded, rows + 1, left, right)
}

/// Zeros before and after in one dimension.
fn beside(maps: Tensor<4>, dim: usize, before: usize, behind: usize) -> Tensor<4> {
    let (shape, device) = (maps.dims(), maps.device());
    let zeros = |count: usize| {
        let mut shape = shape;
        shape[dim] = count;
        (count > 0).then(|| Tensor::zeros(shape, &device))
    };
    let parts = [zeros(before), Some(maps), zeros(behind)];
    Tensor::cat(parts.into_iter().flatten().collect(), dim)
}
