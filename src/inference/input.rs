//! Pixels become the network's input.

use burn::prelude::*;
use rayon::prelude::*;

use crate::fitting::NormalizeConfig;
use crate::shape::ImageShape;

/// Values per job, at least.
const VALUES_PER_JOB: usize = 1 << 16;

/// The network's input `[count, channels, height, width]` on `device`, normalised.
///
/// `pixels` holds the values of `count` images of `shape` in [0, 1], one image after the other.
pub fn to_input(
    mut pixels: Vec<f32>,
    count: usize,
    shape: ImageShape,
    normalize: Option<&NormalizeConfig>,
    device: &Device,
) -> Tensor<4> {
    let dims = [count, shape.channels, shape.height, shape.width];
    if let Some(normalize) = normalize {
        pixels
            .par_chunks_exact_mut(shape.values().max(1))
            .with_min_len((VALUES_PER_JOB / shape.values().max(1)).max(1))
            .for_each(|image| normalize.apply(shape, image));
    }
    Tensor::from_data(TensorData::new(pixels, dims), device)
}
