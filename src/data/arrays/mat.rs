//! MATLAB's files with arrays of any names: SVHN, EMNIST, and your own.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::files::{self, Format};
use super::members::MemberConfig;
use super::{ArrayKeys, Classes, FlatOrder, Found, Label};
use crate::data::formats::mat::arrays;
use crate::data::{CommonConfig, DataError, DataSource, SourceConfig, SplitRule};
use crate::error::Problem;
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// Pixels in a row are in the order of MATLAB.
const FORMAT: Format = Format {
    open: arrays::open,
    flat: FlatOrder::Columns,
    classes: house_numbers,
};

/// SVHN calls its arrays so, and the digit 0 a 10.
const SVHN: [&str; 2] = ["X", "y"];
const SVHN_ZERO: i64 = 10;

fn house_numbers(found: &Found, labels: &[Label]) -> Option<(Classes, &'static str)> {
    let Found::Both(of_images, of_labels) = found else {
        return None;
    };
    let mut found: Vec<&Label> = labels.iter().collect();
    found.sort();
    found.dedup();
    let ten = (1..=SVHN_ZERO).map(Label::Number);
    if [of_images, of_labels] != SVHN || !found.into_iter().eq(ten.collect::<Vec<_>>().iter()) {
        return None;
    }
    let digits = std::iter::once(SVHN_ZERO).chain(1..SVHN_ZERO);
    let digits = digits.map(|label| (Label::Number(label), (label % SVHN_ZERO).to_string()));
    let note = "labels run from 1 to 10, and 10 is the digit 0, as in SVHN";
    Some((Classes::listed(digits.collect()), note))
}

/// Settings of MATLAB's files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MatConfig {
    /// Training images and labels: a file of MATLAB 5 to 7, and the names of the two arrays, such as `dataset.train.images` in structures.
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

impl Default for MatConfig {
    fn default() -> Self {
        Self {
            train: MemberConfig {
                file: "train_32x32.mat".into(),
                ..MemberConfig::default()
            },
            valid: MemberConfig::default(),
            test: MemberConfig::default(),
            arrays: ArrayKeys::default(),
            common: CommonConfig::default(),
        }
    }
}

impl MatConfig {
    fn members(&self) -> [&MemberConfig; 3] {
        [&self.train, &self.valid, &self.test]
    }
}

impl SourceConfig for MatConfig {
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
