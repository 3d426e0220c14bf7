//! Networks and model files.

#[path = "../common/mod.rs"]
mod common;

use burn::prelude::*;
use common::noise;

mod files;
mod networks;
mod reference;

/// `count` images of [`noise`].
fn images(count: usize, [c, h, w]: [usize; 3], device: &Device) -> Tensor<4> {
    let values = noise(count * c * h * w, 0).into_iter().map(|v| v as f32);
    Tensor::from_data(
        TensorData::new(values.collect::<Vec<_>>(), [count, c, h, w]),
        device,
    )
}
