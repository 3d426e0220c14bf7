//! The keys common to all sources: `normalize`, `augment` and `exclude`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::augment::AugmentConfig;
use crate::error::Problem;

/// Keys common to all sources. A source's config flattens it, last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CommonConfig {
    /// Normalizes pixel values; null leaves them in [0, 1].
    pub normalize: Option<NormalizeConfig>,
    /// Augmentation of training samples.
    pub augment: AugmentConfig,
    /// List of samples to leave out, as `kiln data check --exclude-out` writes it: one name a line. Relative to `KILN_DATA`, or else to the
    /// current folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude: Option<String>,
}

impl CommonConfig {
    /// Contradictions between these keys, or with the samples' `channels`; `path` is that of the `data` section.
    pub fn problems(&self, channels: usize, path: &str) -> Vec<Problem> {
        let normalize = self.normalize.as_ref();
        let normalize = normalize.and_then(|normalize| normalize.problem(channels, path));
        let augment = self.augment.problems(channels, path);
        normalize.into_iter().chain(augment).collect()
    }
}

/// `(value - mean) / std`, per channel. For characters, a mean of 1 maps paper to 0, the value that convolutions pad
/// with.
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
    pub fn mismatch(&self, channels: usize) -> Option<(&'static str, usize)> {
        [("mean", self.mean.len()), ("std", self.std.len())]
            .into_iter()
            .find(|(_, count)| ![1, channels].contains(count))
    }

    fn problem(&self, channels: usize, path: &str) -> Option<Problem> {
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

/// A key that older configs lack is omitted at its default, so that a resolved config stays the same.
pub fn is_false(value: &bool) -> bool {
    !value
}
