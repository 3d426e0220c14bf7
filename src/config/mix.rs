//! The part of the `data` section that is about several sources that are trained on together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::data::{AugmentConfig, DataConfig, NormalizeConfig};

/// Settings of a mix of sources.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("examples" = [{"sources": [{"kind": "nist36"}, {"kind": "unipen"}]}]))]
pub struct MixConfig {
    /// The sources. Training takes the training samples of all; classes, validation and test are the first one's alone.
    /// Their samples have one shape. `normalize` and `augment` are the mix's, so the sources leave them out.
    #[schemars(length(min = 1, max = 16))]
    pub sources: Vec<DataConfig>,
    /// For each source, how often an epoch goes through its training samples; 0 leaves them out, so that the first may
    /// only measure. What the list lacks is 1.
    #[serde(default)]
    #[schemars(length(max = 16), inner(range(min = 0, max = 100)))]
    pub repeat: Vec<usize>,
    /// Classes that the first source lacks and others bring, after the first one's.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub extra_classes: Vec<String>,
    /// Brings the values to a range that the network likes; null leaves them in [0, 1].
    #[serde(default)]
    pub normalize: Option<NormalizeConfig>,
    /// Variation of training samples.
    #[serde(default)]
    pub augment: AugmentConfig,
}

impl MixConfig {
    /// How often an epoch goes through a source's training samples.
    pub fn repeat(&self, source: usize) -> usize {
        self.repeat.get(source).copied().unwrap_or(1)
    }
}
