//! How training samples are varied.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Problem;

/// Variation of training samples, drawn anew for each sample and epoch; everything is off at zero. Most of it is made for
/// dark characters on white; `flip`, `crop`, `brightness`, `contrast`, `saturation` and `hue` are for photographs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// Rotation: standard deviation in degrees.
    #[schemars(range(min = 0.0, max = 90.0))]
    pub rotate: f32,
    /// Horizontal shear: standard deviation as a tangent.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub shear: f32,
    /// Size: standard deviation of the natural logarithm of the factor.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub scale: f32,
    /// Width against height: standard deviation of the natural logarithm of the ratio.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub aspect: f32,
    /// Position: standard deviation in pixels, each way.
    #[schemars(range(min = 0.0, max = 32.0))]
    pub shift: f32,
    /// Stroke width: largest change in pixels, thinner or thicker.
    #[schemars(range(min = 0.0, max = 8.0))]
    pub stroke: f32,
    /// Elastic bending: standard deviation of the displacement in pixels.
    #[schemars(range(min = 0.0, max = 8.0))]
    pub elastic: f32,
    /// Probability that the image is mirrored, left for right. Not for characters.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub flip: f32,
    /// Position in whole pixels: moved by at most so many each way, uniformly, with the image mirrored at its border. For
    /// photographs; `shift` brings in paper.
    #[schemars(range(min = 0, max = 64))]
    pub crop: usize,
    /// Brightness: every value is multiplied by a factor between `1 - brightness` (at least 0) and `1 + brightness`.
    #[schemars(range(min = 0.0, max = 4.0))]
    pub brightness: f32,
    /// Contrast: the distance of every value from the image's mean grey is multiplied by a factor drawn likewise.
    #[schemars(range(min = 0.0, max = 4.0))]
    pub contrast: f32,
    /// Saturation: the distance of every pixel from its own grey is multiplied by a factor drawn likewise; colour only.
    #[schemars(range(min = 0.0, max = 4.0))]
    pub saturation: f32,
    /// Hue: colours are turned about grey by at most this share of the colour circle, either way; colour only.
    #[schemars(range(min = 0.0, max = 0.5))]
    pub hue: f32,
    /// Probability that a rectangle is painted over with paper or ink.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub erase: f32,
    /// Longest side of that rectangle, as a share of the image.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub erase_size: f32,
}

impl AugmentConfig {
    /// Whether samples pass unchanged.
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

    /// What these keys contradict each other or the samples' `channels` in; `path` is that of the `data` section.
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
                        "found {found}, but the samples are grey; set 0 or use data of 3 channels"
                    ),
                )
            });
        let erase = (self.erase > 0.0 && self.erase_size == 0.0).then(|| {
            Problem::new(
                format!("{path}.augment.erase_size"),
                format!(
                    "found 0, but {path}.augment.erase is on; set a share of the image such as 0.3"
                ),
            )
        });
        erase.into_iter().chain(colour).collect()
    }
}
