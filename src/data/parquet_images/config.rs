//! The settings of Parquet files of images.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::source::MEMORY_MB;
use crate::data::split_rule::ShareConfig;
use crate::data::{CommonConfig, SplitRule};
use crate::error::Problem;
use crate::fitting::Fit;

/// Settings of Parquet files of images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"path": "my_set", "channels": 3, "height": 32, "width": 32}]))]
pub struct ParquetConfig {
    /// A `.parquet` file, or a folder of them, with splits by the names of files or of folders in it (`train-00000-of-00002.parquet`,
    /// `data/test-00000-of-00001.parquet`). Required. Relative to `KILN_DATA`.
    pub path: String,
    /// The column of images, encoded as PNG or JPEG and so on; if empty, it is found by its name.
    pub image: String,
    /// The column of labels, integers or strings; if empty, it is found by its name.
    pub label: String,
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
    #[schemars(range(min = 0.1, max = 1.0))]
    pub centre: f64,
    /// Maximum memory for encoded images, in MiB; those beyond it are kept in a temporary file.
    #[schemars(range(min = 0, max = 1_048_576))]
    pub memory_mb: usize,
    /// How training samples are divided where a split has no file of its own.
    pub split: SplitRule,
    /// Keys common to all sources: `normalize` and `augment`.
    #[serde(flatten)]
    pub common: CommonConfig,
}

impl Default for ParquetConfig {
    fn default() -> Self {
        Self {
            path: String::new(),
            image: String::new(),
            label: String::new(),
            height: 32,
            width: 32,
            channels: 3,
            fit: Fit::Pad,
            centre: 1.0,
            memory_mb: MEMORY_MB,
            split: SplitRule::Share(ShareConfig {
                stratify: true,
                ..ShareConfig::default()
            }),
            common: CommonConfig::default(),
        }
    }
}

impl ParquetConfig {
    /// Contradictions between the keys; `path` is that of the section.
    pub(super) fn problems(&self, path: &str) -> Vec<Problem> {
        let problem = |key: &str, message: &str| Problem::new(format!("{path}.{key}"), message);
        let is_square_grey = self.channels == 1 && self.height == self.width;
        let rules = [
            (
                self.path.is_empty(),
                "path",
                "missing; set it to a .parquet file or a folder of them",
            ),
            (
                !self.label.is_empty() && self.label == self.image,
                "label",
                "is the column of data.image; set it to the column of labels",
            ),
            (
                self.fit != Fit::Crop && self.centre < 1.0,
                "centre",
                "has no effect unless fit is \"crop\"; set that or remove this key",
            ),
            (
                self.fit == Fit::Letter && !is_square_grey,
                "fit",
                "found \"letter\", which requires square greyscale samples",
            ),
        ];
        let broken = rules.into_iter().filter(|(is_broken, ..)| *is_broken);
        broken
            .map(|(_, key, message)| problem(key, message))
            .collect()
    }
}
