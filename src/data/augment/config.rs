//! The settings of augmentation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Problem;

/// Augmentation of training samples, redrawn for each sample and epoch; 0 disables a setting. Most are meant for dark
/// characters on white; `flip`, `crop`, `brightness`, `contrast`, `saturation` and `hue` are for photographs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// Rotation: standard deviation in degrees.
    #[schemars(range(min = 0.0, max = 90.0))]
    pub rotate: f32,
    /// Horizontal shear: standard deviation of the tangent.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub shear: f32,
    /// Scale jitter: standard deviation of the natural logarithm of the factor.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub scale: f32,
    /// Aspect-ratio jitter: standard deviation of the natural logarithm of the ratio.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub aspect: f32,
    /// Random shift: standard deviation in pixels along each axis; paper fills the gap.
    #[schemars(range(min = 0.0, max = 32.0))]
    pub shift: f32,
    /// Stroke-width jitter: maximum change in pixels, thinner or thicker.
    #[schemars(range(min = 0.0, max = 8.0))]
    pub stroke: f32,
    /// Elastic deformation: standard deviation of the displacement in pixels.
    #[schemars(range(min = 0.0, max = 8.0))]
    pub elastic: f32,
    /// Probability of a horizontal flip. Not for characters.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub flip: f32,
    /// Random shift of up to this many pixels along each axis (uniform, whole pixels), reflection-padded. For photographs;
    /// `shift` fills with paper.
    #[schemars(range(min = 0, max = 64))]
    pub crop: usize,
    /// Brightness: all values are multiplied by a factor between `1 - brightness` (at least 0) and `1 + brightness`.
    #[schemars(range(min = 0.0, max = 4.0))]
    pub brightness: f32,
    /// Contrast: distances from the image's mean grey are multiplied by a factor drawn the same way.
    #[schemars(range(min = 0.0, max = 4.0))]
    pub contrast: f32,
    /// Saturation: distances of pixels from their own grey are multiplied by a factor drawn the same way; colour only.
    #[schemars(range(min = 0.0, max = 4.0))]
    pub saturation: f32,
    /// Hue shift of up to this fraction of the hue circle, in either direction; colour only.
    #[schemars(range(min = 0.0, max = 0.5))]
    pub hue: f32,
    /// Probability of random erasing: a rectangle is filled with paper or ink.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub erase: f32,
    /// Maximum side of the erased rectangle, as a fraction of the image's.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub erase_size: f32,
}

impl AugmentConfig {
    /// Whether samples are left unchanged.
    pub fn is_off(&self) -> bool {
        [
            self.rotate,
            self.shear,
            self.scale,
            self.aspect,
            self.shift,
            self.stroke,
            self.elastic,
            self.flip,
            self.brightness,
            self.contrast,
            self.saturation,
            self.hue,
            self.erase,
        ]
        .iter()
        .all(|&strength| strength == 0.0)
            && self.crop == 0
    }

    /// Contradictions between these keys, or with the samples' `channels`; `path` is that of the `data` section.
    pub fn problems(&self, channels: usize, path: &str) -> Vec<Problem> {
        let colours = [("hue", self.hue), ("saturation", self.saturation)];
        let mut colours = colours.into_iter().filter(|&(_, strength)| strength > 0.0);
        let colour = colours
            .next()
            .filter(|_| channels != 3)
            .map(|(name, found)| {
                Problem::new(
                    format!("{path}.augment.{name}"),
                    format!(
                        "found {found}, but the samples are greyscale; set it to 0 or use data with 3 channels"
                    ),
                )
            });
        let erase = (self.erase > 0.0 && self.erase_size == 0.0).then(|| {
            Problem::new(
                format!("{path}.augment.erase_size"),
                format!(
                    "found 0, but {path}.augment.erase is above 0; set a fraction of the image such as 0.3"
                ),
            )
        });
        erase.into_iter().chain(colour).collect()
    }
}
