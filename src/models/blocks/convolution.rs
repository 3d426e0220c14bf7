//! Convolutions.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
#[cfg(not(target_arch = "wasm32"))]
use burn::nn::conv::Conv2dConfig;
use burn::prelude::*;
use burn::tensor::activation::relu;

use super::layout::Layout;
use crate::kernels;

/// A square convolution with the same padding on all sides, and ReLU if `with_relu` is set.
pub fn convolve(layer: &Conv2d, images: Tensor<4>, with_relu: bool, layout: Layout) -> Tensor<4> {
    match (&layer.bias, layout) {
        (Some(bias), Layout::ChannelsLast) => {
            let padding = match layer.padding {
                PaddingConfig2d::Explicit(top, ..) => top,
                _ => 0,
            };
            let weight = layer.weight.val();
            kernels::conv2d(
                images,
                weight,
                bias.val(),
                layer.stride[0],
                padding,
                with_relu,
            )
        }
        // The kernels add a bias always.
        _ => {
            let output = layer.forward(layout.to_channels_first(images));
            layout.arrange(if with_relu { relu(output) } else { output })
        }
    }
}

/// A 3x3 convolution that keeps the image's size, drawn as PyTorch draws its own.
pub fn conv3x3(inputs: usize, outputs: usize, device: &Device) -> Conv2d {
    #[cfg(target_arch = "wasm32")]
    return super::undrawn::convolution(inputs, outputs, 3, PADDING, device);
    #[cfg(not(target_arch = "wasm32"))]
    Conv2dConfig::new([inputs, outputs], [3, 3])
        .with_padding(PaddingConfig2d::Explicit(
            PADDING, PADDING, PADDING, PADDING,
        ))
        .init(device)
}

/// Keeps the size of the image under a 3x3 kernel.
pub(super) const PADDING: usize = 1;
