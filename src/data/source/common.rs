//! The keys common to all sources: `normalize`, `augment` and `exclude`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::augment::AugmentConfig;
use crate::error::Problem;
use crate::fitting::NormalizeConfig;

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

/// A key that older configs lack is omitted at its default, so that a resolved config stays the same.
pub fn is_false(value: &bool) -> bool {
    !value
}
