//! Tables of pixels (CSV), an image per line with its label: Kaggle's digits and letters, Fashion-MNIST, sign language.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ArrayKeys, ArraySource, Expected, FlatOrder, Label, Labels, Part, Wanted, images};
use crate::data::formats::array::{Array, Values};
use crate::data::formats::table::{self, Columns, ExpectedColumns, LabelColumn, Table};
use crate::data::formats::{Unread, packed};
use crate::data::{CommonConfig, DataError, DataSource, SourceConfig, Split, SplitRule};
use crate::error::{Problem, counted};
use crate::progress::Monitor;
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
    /// The column of labels by name or by index from 0; null finds it: a column called `label` and the like, or else the first.
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

    fn key(&self) -> &'static str {
        "train"
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
/// They name the file and the line: missing, damaged, text that is not a number, rows of another size than the config's images.
pub fn open(config: &CsvConfig, root: &Path, monitor: &Monitor) -> Result<ArraySource, DataError> {
    let keys = &config.arrays;
    let (mut parts, mut notes) = (Vec::new(), Vec::new());
    let mut wanted = Wanted::Config(keys.range);
    let mut columns = None;
    for (split, file) in Split::ALL.into_iter().zip(config.tables()) {
        if file.is_empty() {
            continue;
        }
        let path = root.join(file);
        let wrong = |problem: String| DataError::format(&path, problem);
        let mut table = read(config, &path, columns.as_ref(), monitor)?;
        columns = columns.or_else(|| Some(table.found().clone()));
        let labels = table.labels.take();
        let Some(labels) = labels.filter(|labels| !labels.is_empty()) else {
            if split == Split::Train {
                let problem = "has no column of labels; training images need one";
                return Err(wrong(match table.unlabelled.first() {
                    None => problem.into(),
                    Some(_) => format!("the {} are all empty", table.about),
                }));
            }
            let images = counted(table.rows + table.unlabelled.len(), "image", "images");
            notes.push(format!("{file} has no labels: {images} not used"));
            continue;
        };
        notes.extend(without_label(file, &table));
        let about = std::mem::take(&mut table.about);
        let part = part(config, table, labels, split, path.clone(), &wanted).map_err(wrong)?;
        wanted = wanted.after(part.images.found, file);
        if split == Split::Train {
            let (count, images) = (part.counted(), &part.images.about);
            notes.push(format!("{count}: {images}; {about}"));
        }
        parts.push(part);
    }
    ArraySource::of_parts(keys, None, parts, notes)
}

/// A line about rows whose label is empty.
fn without_label(file: &str, table: &Table) -> Option<String> {
    let first = table.unlabelled.first()?;
    Some(format!(
        "rows of {file} without a label, not used: {} (the first is line {first})",
        table.unlabelled.len()
    ))
}

/// Reads a table; one without names has the columns of the table of training, if it has as many.
fn read(
    config: &CsvConfig,
    path: &Path,
    training: Option<&Columns>,
    monitor: &Monitor,
) -> Result<Table, DataError> {
    let label = match &config.label {
        None => LabelColumn::Auto,
        Some(ColumnConfig::Index(index)) => LabelColumn::Index(*index),
        Some(ColumnConfig::Name(name)) => LabelColumn::Name(name.clone()),
    };
    let stage = monitor.stage("reading rows", None);
    let expected = ExpectedColumns {
        label: &label,
        pixels: config.arrays.shape().values(),
        as_in: training,
    };
    let table = table::read(packed::open(path)?, &expected, || Ok(stage.advance(1)?));
    table.map_err(|unread: Unread| unread.of_file(path))
}

fn part(
    config: &CsvConfig,
    mut table: Table,
    labels: Vec<String>,
    split: Split,
    file: PathBuf,
    wanted: &Wanted,
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
        values: std::mem::replace(&mut table.values, Values::Bytes(Vec::new())),
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
    let place = |index: usize| table.place(index);
    let images = images(array, &expected, wanted, keys.invert, &place)?;
    Ok(Part {
        split,
        file,
        images,
        labels,
    })
}
