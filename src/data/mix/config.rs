//! Settings of a mix of sources.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::source::CommonConfig;
use crate::error::Problem;

/// Settings of a mix of sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MixConfig", extend("examples" = [{"sources": [{"kind": "nist36"}, {"kind": "unipen"}]}]))]
pub struct MixConfig<S> {
    /// The sources. Training uses the training samples of all; classes, validation and test come from the first alone.
    /// All samples must have the same shape. `normalize` and `augment` are set on the mix, not on its sources.
    #[schemars(length(min = 1, max = 16))]
    pub sources: Vec<S>,
    /// Passes over each source's training samples per epoch. 0 excludes them (the first source may then serve only for
    /// validation and test). Missing entries default to 1.
    #[serde(default)]
    #[schemars(length(max = 16), inner(range(min = 0, max = 100)))]
    pub repeat: Vec<usize>,
    /// The sources whose validation and test samples are used, by their place from 0; without it, the first alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub evaluate: Vec<usize>,
    /// Classes that only other sources have; they follow those of the first source.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub extra_classes: Vec<String>,
    /// Keys common to all sources: `normalize` and `augment`.
    #[serde(flatten)]
    pub common: CommonConfig,
}

impl<S> Default for MixConfig<S> {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            repeat: Vec::new(),
            evaluate: Vec::new(),
            extra_classes: Vec::new(),
            common: CommonConfig::default(),
        }
    }
}

impl<S> MixConfig<S> {
    /// Passes over a source's training samples per epoch.
    pub fn repeat(&self, source: usize) -> usize {
        self.repeat.get(source).copied().unwrap_or(1)
    }

    pub(super) fn repeat_problem(&self, path: &str) -> Option<Problem> {
        let (repeats, sources) = (self.repeat.len(), self.sources.len());
        let problem = if repeats > sources {
            format!("found {repeats} values, but {path}.sources has {sources}")
        } else if (0..sources).all(|source| self.repeat(source) == 0) {
            "found only 0, which leaves nothing to train on; set at least one to 1".into()
        } else {
            return None;
        };
        Some(Problem::new(format!("{path}.repeat"), problem))
    }

    pub(super) fn evaluate_problem(&self, path: &str) -> Option<Problem> {
        let (sources, places) = (self.sources.len(), &self.evaluate);
        let (index, place) = places
            .iter()
            .enumerate()
            .find(|(index, place)| **place >= sources || places[..*index].contains(place))?;
        let problem = if *place >= sources {
            format!("found {place}, but {path}.sources has {sources}, counted from 0")
        } else {
            format!("found {place} twice; remove one")
        };
        Some(Problem::new(format!("{path}.evaluate[{index}]"), problem))
    }

    pub(super) fn classes_problem(&self, path: &str) -> Option<Problem> {
        let names = &self.extra_classes;
        let (index, name) = names
            .iter()
            .enumerate()
            .find(|(index, name)| name.is_empty() || names[..*index].contains(name))?;
        let problem = if name.is_empty() {
            "found an empty name; set or remove it".into()
        } else {
            format!("duplicate name {name:?}; remove it")
        };
        Some(Problem::new(
            format!("{path}.extra_classes[{index}]"),
            problem,
        ))
    }
}
