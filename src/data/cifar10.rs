//! CIFAR-10 (Krizhevsky 2009): ten classes in colour, from the binary batches.
//!
//! `data_batch_1..5.bin` and `test_batch.bin` hold records of 3,073 bytes: the class, then 32x32 red, green and blue values, row by row.
//! They are held in memory unchanged, one byte per value. The last training records are used for validation.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CommonConfig, DataError, DataSource, SourceConfig, Split};
use crate::files;
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

/// The shape of a sample.
const SHAPE: ImageShape = ImageShape {
    channels: 3,
    height: 32,
    width: 32,
};

/// Bytes of a record: the class and the image.
const RECORD: usize = 1 + 3 * 32 * 32;

/// Maximum records per file; CIFAR-10's files have 10,000. All six files are held in memory, so this is 369 MB.
const MAX_RECORDS: u64 = 20_000;

/// Settings of CIFAR-10.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cifar10Config {
    /// Folder of `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`; relative to `KILN_DATA`.
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

    fn open(&self, root: &Path, _monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
        Ok(Box::new(open(self, root)?))
    }
}

/// The records of CIFAR-10 in memory.
#[derive(Debug, Clone)]
pub struct Cifar10 {
    classes: Vec<String>,
    train: Vec<u8>,
    test: Vec<u8>,
    /// Number of training records; those for validation follow.
    trained: usize,
}

/// Opens the six files in `<root>/<folder>`.
///
/// Errors name the file and the record (counted from 1): a missing file, one that is not a whole number of records, a class
/// above 9.
pub fn open(config: &Cifar10Config, root: &Path) -> Result<Cifar10, DataError> {
    let folder = root.join(&config.folder);
    let mut train = Vec::new();
    for number in 1..=5 {
        train.extend(records(folder.join(format!("data_batch_{number}.bin")))?);
    }
    let test = records(folder.join("test_batch.bin"))?;
    // No training records remain if all are requested for validation.
    let trained = (train.len() / RECORD).saturating_sub(config.valid);
    Ok(Cifar10 {
        classes: CLASSES.map(String::from).to_vec(),
        train,
        test,
        trained,
    })
}

fn records(path: PathBuf) -> Result<Vec<u8>, DataError> {
    let bytes = files::read(&path, MAX_RECORDS * RECORD as u64)
        .map_err(|source| DataError::io(&path, source))?;
    checked(bytes, &path)
}

/// Checks that the bytes are whole records with classes from 0 to 9; `path` is used only in the error.
pub fn checked(bytes: Vec<u8>, path: &Path) -> Result<Vec<u8>, DataError> {
    let (length, records) = (bytes.len(), bytes.chunks_exact(RECORD));
    if length == 0 || !records.remainder().is_empty() {
        let problem = format!("{length} bytes; expected records of {RECORD} bytes");
        return Err(DataError::format(path, problem));
    }
    let classes = records.filter_map(|record| record.first());
    let wrong = classes
        .enumerate()
        .find(|(_, class)| usize::from(**class) >= CLASSES.len());
    match wrong {
        None => Ok(bytes),
        Some((index, class)) => Err(DataError::format(
            path,
            format!("record {}: class {class}; expected 0 to 9", index + 1),
        )),
    }
}

impl Cifar10 {
    fn record(&self, split: Split, index: usize) -> &[u8] {
        let (records, first) = match split {
            Split::Train => (&self.train, 0),
            Split::Valid => (&self.train, self.trained),
            Split::Test => (&self.test, 0),
        };
        &records[(first + index) * RECORD..][..RECORD]
    }
}

impl DataSource for Cifar10 {
    fn shape(&self) -> ImageShape {
        SHAPE
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn len(&self, split: Split) -> usize {
        match split {
            Split::Train => self.trained,
            Split::Valid => self.train.len() / RECORD - self.trained,
            Split::Test => self.test.len() / RECORD,
        }
    }

    fn label(&self, split: Split, index: usize) -> usize {
        usize::from(self.record(split, index)[0])
    }

    fn read(
        &self,
        split: Split,
        index: usize,
        _draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let values = &self.record(split, index)[1..];
        for (out, &value) in out.iter_mut().zip(values) {
            *out = f32::from(value) / 255.0;
        }
        Ok(())
    }
}
