//! Tables of pixels (CSV), an image per line with its label: Kaggle's digits and letters, Fashion-MNIST, sign language.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ArrayKeys, ArraySource, Expected, FlatOrder, Label, Labels, Part, Range, images};
use crate::data::formats::array::Array;
use crate::data::formats::packed;
use crate::data::formats::table::{self, LabelColumn, Table};
use crate::data::{CommonConfig, DataError, DataSource, SourceConfig, Split, SplitRule};
use crate::error::Problem;
use crate::progress::{Cancelled, Monitor};
use crate::shape::ImageShape;

/// The column of labels, as a config names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum ColumnConfig {
    /// Its index, from 0.
    Index(usize),
    /// Its name.
    Name(String),
}

/// Settings of tables of pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CsvConfig {
    /// Table of the training images, which may be gzipped: a line per image, its pixels row by row, and its label. Required. Relative to
    /// `KILN_DATA`.
    pub train: String,
    /// Table for validation; if empty, training images are divided by `split`.
    pub valid: String,
    /// Table for testing; if empty, or if it has no labels, training images are divided by `split`.
    pub test: String,
    /// The column of labels by name or by index from 0; null finds it.
    pub label: Option<ColumnConfig>,
    /// Whether the channels of each pixel are side by side (red, green, blue, red, ...), not one channel after the other.
    pub interleaved: bool,
    /// Keys of all sources of arrays.
    #[serde(flatten)]
    pub arrays: ArrayKeys,
    /// Keys common to all sources: `normalize` and `augment`.
    #[serde(flatten)]
    pub common: CommonConfig,
}

impl Default for CsvConfig {
    fn default() -> Self {
        Self {
            train: "train.csv".into(),
            valid: String::new(),
            test: String::new(),
            label: None,
            interleaved: false,
            arrays: ArrayKeys::default(),
            common: CommonConfig::default(),
        }
    }
}

impl CsvConfig {
    fn tables(&self) -> [&str; 3] {
        [&self.train, &self.valid, &self.test]
    }
}

impl SourceConfig for CsvConfig {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn files(&self) -> Vec<&str> {
        let files = self.tables().into_iter();
        files.filter(|file| !file.is_empty()).collect()
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
        let missing = self.train.is_empty().then(|| {
            Problem::new(
                format!("{path}.train"),
                "missing; set it to the table of the training images",
            )
        });
        missing
            .into_iter()
            .chain(self.arrays.problems(path))
            .collect()
    }

    fn open(&self, root: &Path, monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
        Ok(Box::new(open(self, root, monitor)?))
    }
}

/// Opens the tables, relative to `root`.
///
/// # Errors
/// They name the file and the line: missing, damaged, text that is no number, rows of another size than the config's images.
pub fn open(config: &CsvConfig, root: &Path, monitor: &Monitor) -> Result<ArraySource, DataError> {
    let keys = &config.arrays;
    let (mut parts, mut notes) = (Vec::new(), Vec::new());
    let mut range = keys.range;
    for (split, file) in Split::ALL.into_iter().zip(config.tables()) {
        if file.is_empty() {
            continue;
        }
        let path = root.join(file);
        let wrong = |problem: String| DataError::format(&path, problem);
        let mut table = read(config, &path, monitor)?;
        let Some(labels) = table.labels.take() else {
            if split == Split::Train {
                let problem = "has no column of labels; training images need one";
                return Err(wrong(problem.into()));
            }
            notes.push(format!(
                "{file} has no labels: its {} images are not used",
                table.rows
            ));
            continue;
        };
        let about = std::mem::take(&mut table.about);
        let part = part(config, table, labels, split, range).map_err(wrong)?;
        // The training images decide for all.
        range = part.images.range;
        if split == Split::Train {
            let (count, images) = (part.labels.labels.len(), &part.images.about);
            notes.push(format!("{count} training images: {images}; {about}"));
        }
        parts.push(part);
    }
    ArraySource::of_parts(keys, None, parts, notes)
        .map_err(|problem| DataError::format(root.join(&config.train), problem))
}

/// Why a table was not read.
enum Unread {
    Problem(String),
    Cancelled(Cancelled),
}

impl From<String> for Unread {
    fn from(problem: String) -> Self {
        Self::Problem(problem)
    }
}

impl From<Cancelled> for Unread {
    fn from(cancelled: Cancelled) -> Self {
        Self::Cancelled(cancelled)
    }
}

fn read(config: &CsvConfig, path: &Path, monitor: &Monitor) -> Result<Table, DataError> {
    let label = match &config.label {
        None => LabelColumn::Auto,
        Some(ColumnConfig::Index(index)) => LabelColumn::Index(*index),
        Some(ColumnConfig::Name(name)) => LabelColumn::Name(name.clone()),
    };
    let stage = monitor.stage("reading rows", None);
    let pixels = config.arrays.shape().values();
    let table = table::read(
        packed::open(path)?,
        &label,
        pixels,
        || Ok(stage.advance(1)?),
    );
    table.map_err(|unread| match unread {
        Unread::Problem(problem) => DataError::format(path, problem),
        Unread::Cancelled(cancelled) => cancelled.into(),
    })
}

fn part(
    config: &CsvConfig,
    table: Table,
    labels: Vec<String>,
    split: Split,
    range: Range,
) -> Result<Part, String> {
    let keys = &config.arrays;
    let expected = Expected {
        shape: keys.shape(),
        images: table.rows,
        flat: if config.interleaved {
            FlatOrder::Interleaved
        } else {
            FlatOrder::Rows
        },
        is_transposed: keys.is_transposed(&config.train),
    };
    let array = Array {
        dimensions: vec![table.rows, table.columns],
        is_fortran: false,
        values: table.values,
    };
    let number = |label: &str| match label.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() < 1e9 => Some(number as i64),
        _ => None,
    };
    let are_numbers = labels.iter().all(|label| number(label).is_some());
    let labels = labels.into_iter().map(|label| match number(&label) {
        Some(number) if are_numbers => Label::Number(number),
        _ => Label::Name(label),
    });
    let labels = Labels {
        labels: labels.collect(),
        one_hot: None,
    };
    let images = images(array, &expected, range, keys.invert)?;
    Ok(Part {
        split,
        images,
        labels,
    })
}
