//! The `data` section of an experiment: which images, and how they are varied in training.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shape::ImageShape;

pub use super::image_folder::{Fit, ImageFolderConfig, RandomCropConfig};
pub use super::junk::JunkConfig;
pub use super::mix::MixConfig;
pub use super::split::{NumberConfig, ShareConfig, SplitRule};

/// Which images to train on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DataConfig {
    /// Capitals and digits that kiln draws itself; needs no files.
    Glyphs(GlyphsConfig),
    /// The course's `nist36_{train,valid,test}.mat`.
    Nist36(Nist36Config),
    /// Letters of NIST in `nist26_valid.mat` (26 classes), mostly for testing.
    Nist26(Nist26Config),
    /// The binary batches of CIFAR-10.
    Cifar10(Cifar10Config),
    /// Pen strokes of UNIPEN, drawn anew with another pen at every epoch.
    Unipen(UnipenConfig),
    /// Folders of images, one folder a class.
    ImageFolder(ImageFolderConfig),
    /// Ink that is no character, made of pen strokes: one class, for a mix.
    Junk(JunkConfig),
    /// Several of these together: training samples of all, validation and test of the first.
    Mix(MixConfig),
}

impl DataConfig {
    /// The value of `data.kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            DataConfig::Glyphs(_) => "glyphs",
            DataConfig::Nist36(_) => "nist36",
            DataConfig::Nist26(_) => "nist26",
            DataConfig::Cifar10(_) => "cifar10",
            DataConfig::Unipen(_) => "unipen",
            DataConfig::ImageFolder(_) => "image_folder",
            DataConfig::Junk(_) => "junk",
            DataConfig::Mix(_) => "mix",
        }
    }

    /// The settings that every source shares.
    pub fn augment(&self) -> &AugmentConfig {
        match self {
            DataConfig::Glyphs(config) => &config.augment,
            DataConfig::Nist36(config) => &config.augment,
            DataConfig::Nist26(config) => &config.augment,
            DataConfig::Cifar10(config) => &config.augment,
            DataConfig::Unipen(config) => &config.augment,
            DataConfig::ImageFolder(config) => &config.augment,
            DataConfig::Junk(config) => &config.augment,
            DataConfig::Mix(config) => &config.augment,
        }
    }

    /// How values are normalised before they reach the network.
    pub fn normalize(&self) -> Option<&NormalizeConfig> {
        match self {
            DataConfig::Glyphs(config) => config.normalize.as_ref(),
            DataConfig::Nist36(config) => config.normalize.as_ref(),
            DataConfig::Nist26(config) => config.normalize.as_ref(),
            DataConfig::Cifar10(config) => config.normalize.as_ref(),
            DataConfig::Unipen(config) => config.normalize.as_ref(),
            DataConfig::ImageFolder(config) => config.normalize.as_ref(),
            DataConfig::Junk(config) => config.normalize.as_ref(),
            DataConfig::Mix(config) => config.normalize.as_ref(),
        }
    }

    /// Number of classes, where the config alone tells it.
    pub fn classes(&self) -> Option<usize> {
        match self {
            DataConfig::Glyphs(_) | DataConfig::Nist36(_) | DataConfig::Unipen(_) => Some(36),
            DataConfig::Nist26(_) => Some(26),
            DataConfig::Cifar10(_) => Some(10),
            DataConfig::Junk(_) => Some(1),
            DataConfig::ImageFolder(_) => None,
            DataConfig::Mix(config) => {
                let first = config.sources.first()?.classes()?;
                Some(first + config.extra_classes.len())
            }
        }
    }

    /// The shape of one sample.
    pub fn shape(&self) -> ImageShape {
        match self {
            DataConfig::Glyphs(config) => ImageShape::new(1, config.size, config.size),
            DataConfig::Unipen(config) => ImageShape::new(1, config.size, config.size),
            DataConfig::Junk(config) => ImageShape::new(1, config.size, config.size),
            // The format of the course: rows of 1024 values.
            DataConfig::Nist36(_) | DataConfig::Nist26(_) => ImageShape::new(1, 32, 32),
            DataConfig::Cifar10(_) => ImageShape::new(3, 32, 32),
            DataConfig::ImageFolder(config) => {
                ImageShape::new(config.channels, config.height, config.width)
            }
            // Without a first source, which the schema refuses, there are no samples.
            DataConfig::Mix(config) => {
                let first = config.sources.first();
                first.map_or(ImageShape::new(0, 0, 0), Self::shape)
            }
        }
    }

    /// The sources of a mix, or this one.
    pub fn parts(&self) -> &[DataConfig] {
        match self {
            DataConfig::Mix(config) => &config.sources,
            _ => std::slice::from_ref(self),
        }
    }
}

/// Settings of the drawn glyphs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GlyphsConfig {
    /// Number of training samples; class = index modulo 36.
    #[schemars(range(min = 36, max = 1_000_000))]
    pub train: usize,
    /// Number of validation samples.
    #[schemars(range(min = 36, max = 1_000_000))]
    pub valid: usize,
    /// Number of test samples.
    #[schemars(range(min = 36, max = 1_000_000))]
    pub test: usize,
    /// Height and width of a sample in pixels.
    #[schemars(range(min = 16, max = 128))]
    pub size: usize,
    /// Which samples are drawn. Not the run's `seed`: runs with other seeds see the same data.
    pub seed: u64,
    /// Brings the values to a range that the network likes; null leaves them in [0, 1].
    pub normalize: Option<NormalizeConfig>,
    /// Variation of training samples.
    pub augment: AugmentConfig,
}

impl Default for GlyphsConfig {
    fn default() -> Self {
        Self {
            train: 10_800,
            valid: 3_600,
            test: 3_600,
            size: 32,
            seed: 0,
            normalize: None,
            augment: AugmentConfig::default(),
        }
    }
}

/// Settings of the course's MATLAB files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Nist36Config {
    /// Folder of `nist36_train.mat`, `nist36_valid.mat`, `nist36_test.mat`; relative to `KILN_DATA`.
    pub folder: String,
    /// Brings the values to a range that the network likes; null leaves them in [0, 1].
    pub normalize: Option<NormalizeConfig>,
    /// Variation of training samples.
    pub augment: AugmentConfig,
}

impl Default for Nist36Config {
    fn default() -> Self {
        Self {
            folder: "nist36".into(),
            normalize: None,
            augment: AugmentConfig::default(),
        }
    }
}

/// Settings of the NIST letters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Nist26Config {
    /// Folder of `nist26_valid.mat`; relative to `KILN_DATA`.
    pub folder: String,
    /// How the one file is divided.
    pub split: SplitRule,
    /// Brings the values to a range that the network likes; null leaves them in [0, 1].
    pub normalize: Option<NormalizeConfig>,
    /// Variation of training samples.
    pub augment: AugmentConfig,
}

impl Default for Nist26Config {
    fn default() -> Self {
        Self {
            folder: "nist26".into(),
            split: SplitRule::default(),
            normalize: None,
            augment: AugmentConfig::default(),
        }
    }
}

/// Settings of CIFAR-10.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cifar10Config {
    /// Folder of `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`; relative to `KILN_DATA`.
    pub folder: String,
    /// How many of the training records, the last ones, are used for validation.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub valid: usize,
    /// Brings the values to a range that the network likes; null leaves them in [0, 1].
    pub normalize: Option<NormalizeConfig>,
    /// Variation of training samples.
    pub augment: AugmentConfig,
}

impl Default for Cifar10Config {
    fn default() -> Self {
        Self {
            folder: "cifar10".into(),
            valid: 5_000,
            normalize: None,
            augment: AugmentConfig::default(),
        }
    }
}

/// Settings of the pen strokes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UnipenConfig {
    /// Folder of `strokes.jsonl.gz`; relative to `KILN_DATA`.
    pub folder: String,
    /// How the segments are divided. Segments of one file (so of one writer) always stay together.
    pub split: SplitRule,
    /// Also use segments whose label the contributor did not verify.
    pub unverified: bool,
    /// Height and width of a sample in pixels.
    #[schemars(range(min = 16, max = 128))]
    pub size: usize,
    /// Thinnest pen in pixels. Widths in between are drawn around the geometric mean, few near the ends.
    #[schemars(range(min = 0.5, max = 16.0))]
    pub pen_min: f32,
    /// Thickest pen in pixels.
    #[schemars(range(min = 0.5, max = 16.0))]
    pub pen_max: f32,
    /// How much another hand is put into the strokes in training (moved against each other, bent, sheared, turned), in
    /// multiples of what drawn glyphs vary by; 0 leaves them as they were recorded.
    #[schemars(range(min = 0.0, max = 4.0))]
    pub hand: f32,
    /// Brings the values to a range that the network likes; null leaves them in [0, 1].
    pub normalize: Option<NormalizeConfig>,
    /// Variation of training samples.
    pub augment: AugmentConfig,
}

impl Default for UnipenConfig {
    fn default() -> Self {
        Self {
            folder: "unipen".into(),
            split: SplitRule::default(),
            unverified: true,
            size: 32,
            pen_min: 1.6,
            pen_max: 4.6,
            hand: 0.0,
            normalize: None,
            augment: AugmentConfig::default(),
        }
    }
}

/// `(value - mean) / std`, per channel. For characters a mean of 1 makes paper 0, which is also what convolutions see
/// beyond the edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NormalizeConfig {
    /// One value per channel, or one for all.
    #[schemars(length(min = 1, max = 3), inner(range(min = -1000.0, max = 1000.0)))]
    pub mean: Vec<f32>,
    /// One value per channel, or one for all; at least 1e-6.
    #[schemars(length(min = 1, max = 3), inner(range(min = 0.000001, max = 1000.0)))]
    pub std: Vec<f32>,
}

impl NormalizeConfig {
    /// Name and length of the list that has neither one value nor one per channel, if there is one.
    pub fn misfit(&self, channels: usize) -> Option<(&'static str, usize)> {
        [("mean", self.mean.len()), ("std", self.std.len())]
            .into_iter()
            .find(|(_, count)| ![1, channels].contains(count))
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
}
