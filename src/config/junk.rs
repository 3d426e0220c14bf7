//! The part of the `data` section that is about ink that is no character.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::data::{AugmentConfig, NormalizeConfig};

/// Settings of made-up ink that is no character.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"train": 3000, "valid": 300, "test": 300}]))]
pub struct JunkConfig {
    /// Folder of `strokes.jsonl.gz`, whose characters are put together and cut up; relative to `KILN_DATA`.
    pub folder: String,
    /// Number of training samples.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub train: usize,
    /// Number of validation samples.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub valid: usize,
    /// Number of test samples.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub test: usize,
    /// Height and width of a sample in pixels.
    #[schemars(range(min = 16, max = 128))]
    pub size: usize,
    /// Thinnest pen in pixels.
    #[schemars(range(min = 0.5, max = 16.0))]
    pub pen_min: f32,
    /// Thickest pen in pixels; blots are thicker.
    #[schemars(range(min = 0.5, max = 16.0))]
    pub pen_max: f32,
    /// Brings the values to a range that the network likes; null leaves them in [0, 1].
    pub normalize: Option<NormalizeConfig>,
    /// Variation of training samples.
    pub augment: AugmentConfig,
}

impl Default for JunkConfig {
    fn default() -> Self {
        Self {
            folder: "unipen".into(),
            // About 6 % of a mix with the strokes themselves and NIST36, the share that a study of reading found useful.
            train: 3_000,
            valid: 0,
            test: 0,
            size: 32,
            pen_min: 1.6,
            pen_max: 4.6,
            normalize: None,
            augment: AugmentConfig::default(),
        }
    }
}
