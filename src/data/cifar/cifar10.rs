//! CIFAR-10: ten classes, from `data_batch_1..5.bin` and `test_batch.bin`, or from the pickles of the same names without `.bin`. The
//! last training records are used for validation.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::records::{self, Format, Records, SHAPE, either};
use crate::data::source::folder_at;
use crate::data::{CommonConfig, DataError, DataSource, SourceConfig, Split};
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// Names of the classes, in the order of the labels.
const CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];

/// Records of 3,073 bytes, the first of which is the class.
const FORMAT: Format = Format {
    labels: &[("class", CLASSES.len())],
    class: 0,
};

/// Settings of CIFAR-10.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cifar10Config {
    /// Folder of `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, or of the pickles of the Python version, named the
    /// same without `.bin`; relative to `KILN_DATA`.
    pub folder: String,
    /// Number of training records, counted from the end, that are used for validation.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub valid: usize,
    /// Keys common to all sources: `normalize` and `augment`.
    #[serde(flatten)]
    pub common: CommonConfig,
}

impl Default for Cifar10Config {
    fn default() -> Self {
        Self {
            folder: "cifar10".into(),
            valid: 5_000,
            common: CommonConfig::default(),
        }
    }
}

impl SourceConfig for Cifar10Config {
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
        Some(CLASSES.len())
    }

    fn split_key(&self, _split: Split) -> Option<String> {
        Some("valid".into())
    }

    fn open(&self, root: &Path, _monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
        Ok(Box::new(open(self, root)?))
    }
}

/// Opens the six files in `<root>/<folder>`.
///
/// Errors name the file and the record (counted from 1): a missing file, one that is not a whole number of records, a class
/// above 9, a pickle of something else.
pub fn open(config: &Cifar10Config, root: &Path) -> Result<Records, DataError> {
    let folder = folder_at(root, &config.folder)?;
    let batch = |name: &str| match either(&folder, &format!("{name}.bin"), name) {
        (path, true) => records::read_pickle(FORMAT, &path, &["labels"]),
        (path, false) => records::read(FORMAT, &path),
    };
    let mut train = Vec::new();
    for number in 1..=5 {
        train.extend(batch(&format!("data_batch_{number}"))?);
    }
    let test = batch("test_batch")?;
    let classes = CLASSES.map(String::from).to_vec();
    Ok(Records::new(FORMAT, classes, [train, test], config.valid))
}

/// Checks that the bytes are whole records with classes from 0 to 9; `path` is used only in the error.
pub fn checked(bytes: Vec<u8>, path: &Path) -> Result<Vec<u8>, DataError> {
    records::checked(FORMAT, bytes, path)
}
