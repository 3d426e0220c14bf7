//! The settings of folders of images.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::source::{MEGABYTE, MEMORY_MB};
use crate::data::{ClassOrder, CommonConfig, SplitRule};
use crate::error::Problem;
use crate::fitting::{Fit, RandomCropConfig, View};

/// Default of `cache_mb`: 20 GiB, 80,000 photographs reduced for random crops of 224x224.
const CACHE_MB: usize = 20 << 10;

fn is_default_cache(cache_mb: &usize) -> bool {
    *cache_mb == CACHE_MB
}

/// What happens with images that can't be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OnBadImage {
    /// The run ends before its first step, with a list of them.
    #[default]
    Stop,
    /// They are passed over and counted.
    Skip,
}

impl OnBadImage {
    /// Whether this is what happens in configs that don't say.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How JPEGs are decoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Decode {
    /// In full.
    #[default]
    Exact,
    /// At 1/2, 1/4 or 1/8 of their size where that is at least twice the size of the sample: faster, with slightly different values.
    Scaled,
}

impl Decode {
    /// Whether this is what happens in configs that don't say.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Settings of folders of images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"folder": "my_images", "split": {"by": "share", "valid": 0.1, "test": 0.1, "stratify": true}, "class_order": "text", "channels": 3, "height": 32, "width": 32}]))]
pub struct ImageFolderConfig {
    /// Folder with `train/ valid/ test/` (or by their other usual names), each with one folder per class; or with the class
    /// folders themselves, divided by `split`; or with the images that `labels` names. Required. Relative to `KILN_DATA`, or
    /// to the current folder if that is not set.
    pub folder: String,
    /// File with the label of each image, relative to `folder`: CSV (`,`, `;` or tab) with columns `file`, `label` and, where
    /// the splits are given, `split`; or JSON lines with these keys. null takes the labels from the folders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// What happens with images that can't be read: `stop` lists them before the run starts, `skip` passes over them.
    #[serde(skip_serializing_if = "OnBadImage::is_default")]
    pub on_bad_image: OnBadImage,
    /// How images without given splits are divided, and those of `train/` where `valid/` is missing.
    pub split: SplitRule,
    /// Order of classes whose folders are all named by numbers: `numeric` (2 before 10) or `text` (10 before 2), which is that of
    /// torchvision's `ImageFolder`.
    #[serde(skip_serializing_if = "ClassOrder::is_default")]
    pub class_order: ClassOrder,
    /// Height of a sample in pixels.
    #[schemars(range(min = 4, max = 1024))]
    pub height: usize,
    /// Width of a sample in pixels.
    #[schemars(range(min = 4, max = 1024))]
    pub width: usize,
    /// 1 (greyscale) or 3 (colour).
    #[schemars(extend("enum" = [1, 3]))]
    pub channels: usize,
    /// How an image of another shape is fitted to `height` x `width`: `pad`, `crop`, `stretch` or `letter`.
    pub fit: Fit,
    /// With `fit` "crop": side of the centre crop, as a fraction of the largest crop with the sample's aspect ratio.
    /// 224/256 = 0.875 equals Resize(256) + CenterCrop(224).
    #[schemars(range(min = 0.1, max = 1.0))]
    pub centre: f64,
    /// Random resized crops for training, redrawn on every read; null uses the centre crop, as in validation.
    pub random_crop: Option<RandomCropConfig>,
    /// How JPEGs are decoded: `exact` (in full) or `scaled` (large ones at 1/2, 1/4 or 1/8 of their size, which is faster; values
    /// differ slightly).
    #[serde(skip_serializing_if = "Decode::is_default")]
    pub decode: Decode,
    /// Maximum memory for cached images, in MiB; images beyond it are decoded on every read.
    #[schemars(range(min = 0, max = 1_048_576))]
    pub memory_mb: usize,
    /// Folder that keeps decoded images on the disk, for later runs and other processes. It is made if there is none; a relative path
    /// starts from where that of `folder` does. null keeps none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<String>,
    /// Maximum space that all images in `cache` take, in MiB.
    #[schemars(range(min = 0, max = 1_073_741_824))]
    #[serde(skip_serializing_if = "is_default_cache")]
    pub cache_mb: usize,
    /// Keys common to all sources: `normalize` and `augment`.
    #[serde(flatten)]
    pub common: CommonConfig,
}

impl Default for ImageFolderConfig {
    fn default() -> Self {
        Self {
            folder: String::new(),
            labels: None,
            on_bad_image: OnBadImage::default(),
            split: SplitRule::default(),
            class_order: ClassOrder::default(),
            height: 32,
            width: 32,
            channels: 1,
            fit: Fit::Pad,
            centre: 1.0,
            random_crop: None,
            memory_mb: MEMORY_MB,
            decode: Decode::default(),
            cache: None,
            cache_mb: CACHE_MB,
            common: CommonConfig::default(),
        }
    }
}

impl ImageFolderConfig {
    /// Bytes that images in `cache` may take.
    pub(super) fn cache_bytes(&self) -> u64 {
        (self.cache_mb as u64).saturating_mul(MEGABYTE as u64)
    }

    /// How an image becomes a sample without random crops.
    pub fn view(&self) -> View {
        View {
            fit: self.fit,
            centre: self.centre,
        }
    }

    /// Contradictions between the keys; `path` is that of the section.
    pub(super) fn problems(&self, path: &str) -> Vec<Problem> {
        let rules = [
            self.folder_problem(path),
            self.centre_problem(path),
            self.random_crop_problem(path),
            self.range_problem(path),
            self.letter_problem(path),
            self.cache_problem(path),
        ];
        rules.into_iter().flatten().collect()
    }

    fn folder_problem(&self, path: &str) -> Option<Problem> {
        self.folder.is_empty().then(|| {
            Problem::new(
                format!("{path}.folder"),
                "missing; set it to the folder that contains train/ and valid/, or one folder per class",
            )
        })
    }

    fn cache_problem(&self, path: &str) -> Option<Problem> {
        match &self.cache {
            Some(folder) if folder.is_empty() => Some(Problem::new(
                format!("{path}.cache"),
                "empty; name a folder for decoded images, or remove this key",
            )),
            None if !is_default_cache(&self.cache_mb) => Some(Problem::new(
                format!("{path}.cache_mb"),
                format!("has no effect without {path}.cache; set that or remove this key"),
            )),
            _ => None,
        }
    }

    fn centre_problem(&self, path: &str) -> Option<Problem> {
        (self.fit != Fit::Crop && self.centre < 1.0).then(|| {
            Problem::new(
                format!("{path}.centre"),
                format!(
                    "found {}, which has no effect unless {path}.fit is \"crop\"; set that or remove this key",
                    self.centre
                ),
            )
        })
    }

    fn random_crop_problem(&self, path: &str) -> Option<Problem> {
        (self.fit != Fit::Crop && self.random_crop.is_some()).then(|| {
            Problem::new(
                format!("{path}.random_crop"),
                format!(
                    "requires {path}.fit = \"crop\", so that validation preserves the aspect ratio too"
                ),
            )
        })
    }

    fn range_problem(&self, path: &str) -> Option<Problem> {
        let crop = self.random_crop.as_ref()?;
        let (name, [least, most]) = [("scale", crop.scale), ("ratio", crop.ratio)]
            .into_iter()
            .find(|(_, [least, most])| least > most)?;
        Some(Problem::new(
            format!("{path}.random_crop.{name}"),
            format!("found {least} to {most}; the minimum must not exceed the maximum"),
        ))
    }

    fn letter_problem(&self, path: &str) -> Option<Problem> {
        let supported = self.channels == 1 && self.height == self.width;
        (self.fit == Fit::Letter && !supported).then(|| {
            Problem::new(
                format!("{path}.fit"),
                format!(
                    "found \"letter\" for samples of {}x{}x{} (channels x height x width); fit \"letter\" requires square greyscale samples",
                    self.channels, self.height, self.width
                ),
            )
        })
    }
}
