//! The part of the `data` section that is about folders of images: how a photograph becomes a sample.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::data::{AugmentConfig, NormalizeConfig, SplitRule};

/// Settings of folders of images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"folder": "my_images", "channels": 3, "height": 32, "width": 32}]))]
pub struct ImageFolderConfig {
    /// Folder with `train/ valid/ test/` (or `val/`), each with a folder a class; or with the class folders
    /// themselves, divided by `split`. Required. Relative to `KILN_DATA`, or to the current folder without it.
    pub folder: String,
    /// How a folder without `train/` is divided.
    pub split: SplitRule,
    /// Height of a sample in pixels.
    #[schemars(range(min = 4, max = 1024))]
    pub height: usize,
    /// Width of a sample in pixels.
    #[schemars(range(min = 4, max = 1024))]
    pub width: usize,
    /// 1 (grey) or 3 (colour).
    #[schemars(extend("enum" = [1, 3]))]
    pub channels: usize,
    /// How an image of another shape is brought to `height` x `width`.
    pub fit: Fit,
    /// With `fit` crop: the share of the largest part in the middle that is kept, along either side. 224/256 = 0.875 is
    /// "shorter side to 256, then the middle 224x224".
    #[schemars(range(min = 0.1, max = 1.0))]
    pub centre: f64,
    /// Training samples are parts of the photograph, drawn anew each time; null takes the middle as in validation.
    pub random_crop: Option<RandomCropConfig>,
    /// Most megabytes (of 2^20 bytes) of photographs kept in memory; beyond it, files are decoded at every reading.
    #[schemars(range(min = 0, max = 1_048_576))]
    pub memory_mb: usize,
    /// Brings the values to a range that the network likes; null leaves them in [0, 1].
    pub normalize: Option<NormalizeConfig>,
    /// Variation of training samples.
    pub augment: AugmentConfig,
}

impl Default for ImageFolderConfig {
    fn default() -> Self {
        Self {
            folder: String::new(),
            split: SplitRule::default(),
            height: 32,
            width: 32,
            channels: 1,
            fit: Fit::Pad,
            centre: 1.0,
            random_crop: None,
            // 1 GiB: 4,000 photographs reduced for random parts of 224x224, or 7,000 ready samples.
            memory_mb: 1024,
            normalize: None,
            augment: AugmentConfig::default(),
        }
    }
}

/// How an image of another shape is brought to the shape of a sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Fit {
    /// Keep the proportions, fill up with the colour of the image's border.
    #[default]
    Pad,
    /// Keep the proportions, cut what stands over.
    Crop,
    /// Stretch.
    Stretch,
    /// Find the one letter in the photograph and draw it as reading draws those of a page: only its ink, centred, its pen
    /// brought to one width. What shows no letter is padded. Grey squares only.
    Letter,
}

/// A part of random area and proportions, stretched to the sample (Szegedy et al. 2015, "Going deeper with convolutions",
/// section 6). The defaults are that paper's and torchvision's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RandomCropConfig {
    /// Least and largest share of the photograph's area.
    #[schemars(inner(range(min = 0.001, max = 1.0)))]
    pub scale: [f64; 2],
    /// Least and largest width divided by height, in pixels of the photograph.
    #[schemars(inner(range(min = 0.1, max = 10.0)))]
    pub ratio: [f64; 2],
}

impl Default for RandomCropConfig {
    fn default() -> Self {
        Self {
            scale: [0.08, 1.0],
            ratio: [0.75, 1.3333],
        }
    }
}
