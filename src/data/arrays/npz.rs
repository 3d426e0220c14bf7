//! NumPy's files: `.npz` as Keras and MedMNIST publish them, or a folder of `.npy` files.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::files::{self, Format};
use super::members::MemberConfig;
use super::{ArrayKeys, FlatOrder};
use crate::data::formats::npz;
use crate::data::{CommonConfig, DataError, DataSource, SourceConfig, SplitRule};
use crate::error::Problem;
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// Pixels in a row are in the order of C.
const FORMAT: Format = Format {
    open: npz::open,
    flat: FlatOrder::Rows,
    classes: |_, _| None,
};

/// Settings of NumPy's files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NpzConfig {
    /// Training images and labels: a `.npz` file or a folder of `.npy` files, and the names of the two arrays.
    pub train: MemberConfig,
    /// Images and labels for validation, found in the file of the training images if it has them; otherwise training images are
    /// divided by `split`.
    pub valid: MemberConfig,
    /// The same for testing.
    pub test: MemberConfig,
    /// Keys of all sources of arrays.
    #[serde(flatten)]
    pub arrays: ArrayKeys,
    /// Keys common to all sources: `normalize` and `augment`.
    #[serde(flatten)]
    pub common: CommonConfig,
}

impl Default for NpzConfig {
    fn default() -> Self {
        Self {
            train: MemberConfig {
                file: "mnist.npz".into(),
                ..MemberConfig::default()
            },
            valid: MemberConfig::default(),
            test: MemberConfig::default(),
            arrays: ArrayKeys::default(),
            common: CommonConfig::default(),
        }
    }
}

impl NpzConfig {
    fn members(&self) -> [&MemberConfig; 3] {
        [&self.train, &self.valid, &self.test]
    }
}

impl SourceConfig for NpzConfig {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn files(&self) -> Vec<&str> {
        files::named(self.members())
    }

    fn shape(&self) -> ImageShape {
        self.arrays.shape()
    }

    fn classes(&self) -> Option<usize> {
        self.arrays.class_count()
    }

    fn split(&self) -> Option<&SplitRule> {
        Some(&self.arrays.split)
    }

    fn problems(&self, path: &str) -> Vec<Problem> {
        let missing = files::problem(&self.train, path).into_iter();
        missing.chain(self.arrays.problems(path)).collect()
    }

    fn open(&self, root: &Path, monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
        let source = files::open(&FORMAT, &self.arrays, self.members(), root, monitor)?;
        Ok(Box::new(source))
    }
}
