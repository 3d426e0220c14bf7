//! How a sample's values are normalised.

use serde::{Deserialize, Serialize};

use crate::error::Problem;
use crate::shape::ImageShape;
use crate::vectorized::vectorized;

/// `(value - mean) / std`, per channel. For characters, a mean of 1 maps paper to 0, the value that convolutions pad
/// with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct NormalizeConfig {
    /// One value per channel, or one for all.
    #[cfg_attr(feature = "app", schemars(length(min = 1, max = 3), inner(range(min = -1000.0, max = 1000.0))))]
    pub mean: Vec<f32>,
    /// One value per channel, or one for all; at least 1e-6.
    #[cfg_attr(
        feature = "app",
        schemars(length(min = 1, max = 3), inner(range(min = 0.000001, max = 1000.0)))
    )]
    pub std: Vec<f32>,
}

impl NormalizeConfig {
    /// Normalises images of `shape`, one after the other, in place. The lists are as [`mismatch`](Self::mismatch) asks for.
    pub fn apply(&self, shape: ImageShape, pixels: &mut [f32]) {
        let plane = shape.height * shape.width;
        vectorized(
            #[inline(always)]
            || {
                let planes = pixels.chunks_exact_mut(plane.max(1)).enumerate();
                for (index, values) in planes {
                    let (mean, std) = self.of_channel(index % shape.channels);
                    for value in values {
                        *value = (*value - mean) / std;
                    }
                }
            },
        );
    }

    /// Mean and standard deviation of a channel.
    pub fn of_channel(&self, channel: usize) -> (f32, f32) {
        let of = |list: &[f32]| list[if list.len() == 1 { 0 } else { channel }];
        (of(&self.mean), of(&self.std))
    }

    /// Name and length of the list that has neither one value nor one per channel, if there is one.
    pub fn mismatch(&self, channels: usize) -> Option<(&'static str, usize)> {
        [("mean", self.mean.len()), ("std", self.std.len())]
            .into_iter()
            .find(|(_, count)| ![1, channels].contains(count))
    }

    /// A list that has neither one value nor one per channel; `path` is that of the section with the key.
    pub fn problem(&self, channels: usize, path: &str) -> Option<Problem> {
        let (name, count) = self.mismatch(channels)?;
        Some(Problem::new(
            format!("{path}.normalize.{name}"),
            format!(
                "found {count} value{}; expected 1 or one per channel ({channels})",
                if count == 1 { "" } else { "s" }
            ),
        ))
    }
}

impl Default for NormalizeConfig {
    fn default() -> Self {
        Self {
            mean: vec![0.0],
            std: vec![1.0],
        }
    }
}
