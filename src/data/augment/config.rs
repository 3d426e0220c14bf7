//! How training samples are varied.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Problem;

/// Random augmentation of training samples, drawn anew for each sample and epoch; zero switches each part off. Most of it is
/// for dark characters on white; `flip`, `crop`, `brightness`, `contrast`, `saturation` and `hue` are for photographs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// Rotation: standard deviation in degrees.
    #[schemars(range(min = 0.0, max = 90.0))]
    pub rotate: f32,
    /// Horizontal shear: standard deviation as a tangent.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub shear: f32,
    /// Scaling: standard deviation of the natural logarithm of the factor.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub scale: f32,
    /// Aspect ratio: standard deviation of the natural logarithm of the factor of width to height.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub aspect: f32,
    /// Translation: standard deviation in pixels, in both directions.
    #[schemars(range(min = 0.0, max = 32.0))]
    pub shift: f32,
    /// Stroke width: maximum change in pixels, thinner or thicker.
    #[schemars(range(min = 0.0, max = 8.0))]
    pub stroke: f32,
    /// Elastic deformation: standard deviation of the displacement in pixels.
    #[schemars(range(min = 0.0, max = 8.0))]
    pub elastic: f32,
    /// Probability that the image is mirrored horizontally. Not for characters.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub flip: f32,
    /// Translation by up to this many whole pixels in both directions, uniformly, with reflection at the border. For
    /// photographs; `shift` fills with paper instead.
    #[schemars(range(min = 0, max = 64))]
    pub crop: usize,
    /// Brightness: every value is multiplied by a factor between `1 - brightness` (at least 0) and `1 + brightness`.
    #[schemars(range(min = 0.0, max = 4.0))]
    pub brightness: f32,
    /// Contrast: the difference of every value from the image's mean grey is multiplied by a factor drawn in the same way.
    #[schemars(range(min = 0.0, max = 4.0))]
    pub contrast: f32,
    /// Saturation: the difference of every pixel from its own grey is multiplied by a factor drawn in the same way; colour only.
    #[schemars(range(min = 0.0, max = 4.0))]
    pub saturation: f32,
    /// Hue: maximum rotation of the colours, as a share of the colour circle, in either direction; colour only.
    #[schemars(range(min = 0.0, max = 0.5))]
    pub hue: f32,
    /// Probability that a rectangle is filled with paper or ink.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub erase: f32,
    /// Maximum side of that rectangle, as a share of the image's side.
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
