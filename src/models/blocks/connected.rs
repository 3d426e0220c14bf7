//! Fully connected layers.

use burn::module::{Initializer, Param};
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;

use super::layout::ONLY_KERNELS;
use crate::kernels::{self, Activation};
use crate::shape::ImageShape;

/// Fully connected layers of the given widths; biases start at zero.
pub fn fully_connected(
    widths: &[usize],
    initializer: &Initializer,
    device: &Device,
) -> Vec<Linear> {
    let layers = widths.windows(2).map(|pair| {
        let mut layer = LinearConfig::new(pair[0], pair[1])
            .with_initializer(initializer.clone())
            .init(device);
        // The initializer also draws the bias.
        layer.bias = zero_bias([pair[1]], device);
        layer
    });
    layers.collect()
}

/// A fully connected layer, drawn as PyTorch draws its own.
pub fn connected(inputs: usize, outputs: usize, device: &Device) -> Linear {
    #[cfg(target_arch = "wasm32")]
    return super::undrawn::connected(inputs, outputs, device);
    #[cfg(not(target_arch = "wasm32"))]
    LinearConfig::new(inputs, outputs).init(device)
}

/// `layer` and the non-linearity after it: `[batch, in]` to `[batch, out]`.
pub fn linear(layer: &Linear, input: Tensor<2>, activation: Activation) -> Tensor<2> {
    match &layer.bias {
        Some(bias) if ONLY_KERNELS || kernels::supported(&input.device()) => {
            kernels::linear(input, layer.weight.val(), bias.val(), activation)
        }
        _ if ONLY_KERNELS => unreachable!("the layers of the models that kiln ships have a bias"),
        _ => kernels::activate(layer.forward(input), activation),
    }
}

/// The weights of each unit of a fully connected layer on images of `shape`: `[units, channels, height, width]`.
pub fn unit_images(layer: &Linear, shape: ImageShape) -> Tensor<4> {
    let weight = layer.weight.val().transpose();
    let [units, _] = weight.dims();
    weight.reshape([units, shape.channels, shape.height, shape.width])
}

/// A layer's bias at zero.
pub fn zero_bias<const D: usize>(shape: [usize; D], device: &Device) -> Option<Param<Tensor<D>>> {
    Some(Initializer::Zeros.init(shape, device))
}
