//! Pixels become the network's input.

use burn::prelude::*;

use crate::fitting::NormalizeConfig;
use crate::shape::ImageShape;

/// The network's input `[count, channels, height, width]` on `device`, normalised.
///
/// `pixels` holds the values of `count` images of `shape` in [0, 1], one image after the other.
pub fn to_input(
    pixels: Vec<f32>,
    count: usize,
    shape: ImageShape,
    normalize: Option<&NormalizeConfig>,
    device: &Device,
) -> Tensor<4> {
    let dims = [count, shape.channels, shape.height, shape.width];
    let images = Tensor::<4>::from_data(TensorData::new(pixels, dims), device);
    match normalize {
        None => images,
        Some(normalize) => {
            let mean = per_channel(&normalize.mean, device);
            let std = per_channel(&normalize.std, device);
            (images - mean) / std
        }
    }
}

/// `[1, channels, 1, 1]`, or `[1, 1, 1, 1]` where one value serves all channels.
fn per_channel(values: &[f32], device: &Device) -> Tensor<4> {
    let dims = [1, values.len(), 1, 1];
    Tensor::from_data(TensorData::new(values.to_vec(), dims), device)
}
