//! The letters of NIST: 26 classes, from the course's `nist26_valid.mat`.
//!
//! Same format as NIST36, with 26 classes; the single file is divided by `data.split`. Held in memory.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nist36::{SHAPE, read_samples};
use super::source::folder_at;
use super::split_rule::{self, SplitRule};
use super::{CommonConfig, DataError, DataSource, MemorySource, SourceConfig};
use crate::handwriting::alphanumeric_classes;
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// Number of classes, A..Z.
const CLASSES: usize = 26;

/// Settings of the NIST letters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"split": {"by": "share", "valid": 0.1, "test": 0.1, "stratify": true}}]))]
pub struct Nist26Config {
    /// Folder of `nist26_valid.mat`; relative to `KILN_DATA`.
    pub folder: String,
    /// How the file is divided into training, validation and test.
    pub split: SplitRule,
    /// Keys common to all sources: `normalize` and `augment`.
    #[serde(flatten)]
    pub common: CommonConfig,
}

impl Default for Nist26Config {
    fn default() -> Self {
        Self {
            folder: "nist26".into(),
            split: SplitRule::default(),
            common: CommonConfig::default(),
        }
    }
}

impl SourceConfig for Nist26Config {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn folders(&self) -> Vec<&str> {
        vec![&self.folder]
    }

    fn shape(&self) -> ImageShape {
        SHAPE
    }

    fn classes(&self) -> Option<usize> {
        Some(CLASSES)
    }

    fn split(&self) -> Option<&SplitRule> {
        Some(&self.split)
    }

    fn open(&self, root: &Path, _monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
        Ok(Box::new(open(self, root)?))
    }
}

/// Opens `<root>/<folder>/nist26_valid.mat`; errors as in [`super::nist36::open`].
///
/// For the division, a sample's name is its class and its index within that class, from 0: `A0`, `A1`.
pub fn open(config: &Nist26Config, root: &Path) -> Result<MemorySource, DataError> {
    let path = folder_at(root, &config.folder)?.join("nist26_valid.mat");
    let samples = read_samples(&path, "valid", CLASSES)?;
    let classes: Vec<String> = alphanumeric_classes().into_iter().take(CLASSES).collect();
    let mut source = MemorySource::new(SHAPE, classes.clone());
    let mut seen = [0usize; CLASSES];
    let names = samples.labels.iter().map(|&label| {
        seen[label] += 1;
        (format!("{}{}", classes[label], seen[label] - 1), label)
    });
    let names: Vec<(String, usize)> = names.collect();
    let splits = split_rule::divide(&config.split, &names);
    let images = samples.values.chunks_exact(SHAPE.values());
    for (((_, label), split), image) in names.into_iter().zip(splits).zip(images) {
        source.extend(split, &[label], image);
    }
    Ok(source)
}
