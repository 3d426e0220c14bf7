//! Convolutional blocks: convolution, batch norm, ReLU and optionally a max pool.

use burn::nn::conv::Conv2d;
use burn::nn::pool::MaxPool2dConfig;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::prelude::*;
use burn::tensor::activation::relu;

use super::batch_norm::{batch_norm, update_statistics};
use super::convolution::{PADDING, conv3x3};
use super::cost::LayerCost;
use super::layout::{Layout, ONLY_KERNELS};
use crate::error::Problem;
use crate::kernels::{self, ConvNorm, Pool};
use crate::models::layer_list::{self, LayerConfig};
use crate::shape::ImageShape;

/// The problem of a network that halves images more often than they can be halved; `key` sets how often.
pub fn too_many_halvings(key: &str, blocks: usize, shape: ImageShape) -> Option<Problem> {
    let (height, width) = (shape.height, shape.width);
    let halvings = height.min(width).checked_ilog2().unwrap_or(0);
    (blocks > halvings as usize).then(|| {
        Problem::new(
            key,
            format!(
                "{blocks} blocks halve the image {blocks} times, but {height}x{width} pixels allow only {halvings}; \
                 use fewer blocks or larger images"
            ),
        )
    })
}

/// [`Block`] as layers, with the names of its parameters below `name`.
pub fn block_layers(name: &str, channels: usize, halves: bool) -> Vec<LayerConfig> {
    let mut layers = vec![
        layer_list::conv(channels, 3)
            .padding(PADDING)
            .named(format!("{name}.conv")),
        layer_list::batch_norm().named(format!("{name}.norm")),
        layer_list::relu(),
    ];
    layers.extend(halves.then(|| layer_list::max_pool(2, 2, 0, false)));
    layers
}

/// 3x3 convolution (padding 1), batch norm, ReLU, and 2x2 max pool where it halves the image.
#[derive(Module, Debug)]
pub struct Block {
    conv: Conv2d,
    norm: BatchNorm,
    #[module(skip)]
    halves: bool,
}

impl Block {
    /// A block from `inputs` to `outputs` channels; `halves` adds the max pool.
    pub fn new(inputs: usize, outputs: usize, halves: bool, device: &Device) -> Self {
        Self {
            conv: conv3x3(inputs, outputs, device),
            norm: batch_norm(&BatchNormConfig::new(outputs), device),
            halves,
        }
    }

    /// The block on images in the given layout.
    pub fn forward(&self, images: Tensor<4>, layout: Layout) -> Tensor<4> {
        match (layout, &self.conv.bias) {
            (_, Some(bias)) if ONLY_KERNELS => self.forward_fast(images, bias.val()),
            _ if ONLY_KERNELS => unreachable!("a block has a bias"),
            (Layout::ChannelsFirst, _) => self.forward_burn(images),
            // The kernels have no gradients through fixed statistics, which a frozen block on a training device needs.
            (Layout::ChannelsLast, Some(bias)) if self.kernels_apply(&images.device()) => {
                self.forward_fast(images, bias.val())
            }
            (Layout::ChannelsLast, _) => {
                let images = layout.to_channels_first(images);
                layout.arrange(self.forward_burn(images))
            }
        }
    }

    fn kernels_apply(&self, device: &Device) -> bool {
        !device.is_autodiff() || self.norm.training.is_enabled()
    }

    /// The convolution's weights, `[out, in, 3, 3]`.
    pub fn weights(&self) -> Tensor<4> {
        self.conv.weight.val()
    }

    /// What the block costs on maps of `positions` pixels.
    pub fn cost(&self, positions: usize) -> LayerCost {
        LayerCost::new(&self.conv.weight, positions)
    }

    /// Burn's operators, `[batch, channels, height, width]`.
    fn forward_burn(&self, images: Tensor<4>) -> Tensor<4> {
        let values = relu(self.norm.forward(self.conv.forward(images)));
        if self.halves {
            let pool = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]);
            pool.init().forward(values)
        } else {
            values
        }
    }

    /// The same in one operation, `[batch, height, width, channels]`; see [`kernels`].
    fn forward_fast(&self, images: Tensor<4>, bias: Tensor<1>) -> Tensor<4> {
        let norm = &self.norm;
        let device = images.device();
        let pool = if self.halves { Pool::Halve } else { Pool::None };
        let parameters = ConvNorm {
            weight: self.conv.weight.val(),
            bias,
            gamma: norm.gamma.val(),
            beta: norm.beta.val(),
            epsilon: norm.epsilon,
        };
        if ONLY_KERNELS || !device.is_autodiff() {
            let mean = norm.running_mean.value().to_device(&device);
            let variance = norm.running_var.value().to_device(&device);
            return kernels::fixed_conv_block(images, parameters, mean, variance, PADDING, pool);
        }
        let (output, mean, variance) = kernels::conv_block(images, parameters, PADDING, pool);
        update_statistics(norm, mean, variance);
        output
    }
}
