//! Where a network looks: Grad-CAM (Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
//! Localization", ICCV 2017, equations 1 and 2) over the last feature maps.
//!
//! A map's weight is the mean of the logit's derivative over its positions, which is how the logit changes if the whole map is raised. The
//! head is run on maps that are raised and lowered (central differences), so that no gradients of the network are needed: for the heads of
//! piecewise linear layers that follow most backbones, the difference is the derivative.

use burn::prelude::*;
use burn::tensor::TensorReadError;

use super::Network;
use super::blocks::Layout;

/// How far a map is raised and lowered, as a part of the largest value of all maps: far above the rounding of 32-bit floats, and little
/// enough for few units to switch.
const STEP: f32 = 1e-2;
/// Maximum number of values of the maps that go through the head at once (32 MB).
const MAX_VALUES: usize = 8 << 20;

/// How much each place of an image speaks for a class.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivationMap {
    /// Rows of the map.
    pub height: usize,
    /// Columns of the map.
    pub width: usize,
    /// `[height, width]`, from 0 (nothing) to 1 (most); all 0 where nothing speaks for the class.
    pub values: Vec<f32>,
}

impl Network {
    /// The map of an image `[1, channels, height, width]` for the class with this index; `None` without feature maps, as in perceptrons and
    /// transformers.
    ///
    /// # Errors
    /// The device fails.
    pub fn activation_map(
        &self,
        image: Tensor<4>,
        class: usize,
    ) -> Result<Option<ActivationMap>, TensorReadError> {
        let Some(backbone) = self.backbone() else {
            return Ok(None);
        };
        let device = image.device();
        let layout = Layout::of(&device);
        let features = layout.to_channels_first(backbone.features(image));
        let [_, channels, height, width] = features.dims();
        let values: Vec<f32> = features.clone().try_into_data()?.iter::<f32>().collect();
        let largest = values
            .iter()
            .fold(0.0f32, |most, value| most.max(value.abs()));
        let step = (STEP * largest).max(f32::MIN_POSITIVE);
        let logit = |maps: Tensor<4>| -> Result<Vec<f32>, TensorReadError> {
            let logits = backbone.classify(layout.arrange(maps));
            let [_, classes] = logits.dims();
            let rows = logits.try_into_data()?;
            Ok(rows
                .iter::<f32>()
                .skip(class)
                .step_by(classes.max(1))
                .collect())
        };
        let at_once = (MAX_VALUES / values.len().max(1)).clamp(1, channels.max(1));
        let mut slopes = Vec::with_capacity(channels);
        for first in (0..channels).step_by(at_once) {
            let count = at_once.min(channels - first);
            let raise = raise(first, count, channels, step, &device);
            let above = logit(features.clone() + raise.clone())?;
            let below = logit(features.clone() - raise)?;
            let pairs = above.iter().zip(&below);
            slopes.extend(pairs.map(|(above, below)| (above - below) / (2.0 * step)));
        }
        Ok(Some(weighed(&values, &slopes, [height, width])))
    }
}

/// `[count, channels, 1, 1]`: row `i` has `step` at channel `first + i`.
fn raise(first: usize, count: usize, channels: usize, step: f32, device: &Device) -> Tensor<4> {
    let mut values = vec![0.0; count * channels];
    for row in 0..count {
        values[row * channels + first + row] = step;
    }
    Tensor::from_data(TensorData::new(values, [count, channels, 1, 1]), device)
}

/// The sum of the maps by their weights, without what is below zero, and with 1 as its largest value.
fn weighed(maps: &[f32], slopes: &[f32], [height, width]: [usize; 2]) -> ActivationMap {
    let mut values = vec![0.0; height * width];
    for (map, slope) in maps.chunks_exact((height * width).max(1)).zip(slopes) {
        for (value, at) in values.iter_mut().zip(map) {
            *value += slope * at;
        }
    }
    let most = values.iter().copied().fold(0.0f32, f32::max);
    for value in &mut values {
        *value = if most > 0.0 {
            value.max(0.0) / most
        } else {
            0.0
        };
    }
    ActivationMap {
        height,
        width,
        values,
    }
}
