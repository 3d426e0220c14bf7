//! Some rows of a split as a data set: what `kiln eval --rows` evaluates.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use super::source::{DataError, DataSource, PassedOver, Split};
use crate::error::FileError;
use crate::files;
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// Chosen samples of one split; the other splits stay whole.
pub struct Subset {
    source: Arc<dyn DataSource>,
    split: Split,
    rows: Vec<usize>,
}

impl Subset {
    /// Reads which samples of `split` to use: a text file with one number per line, counted from 0 in the order of the source.
    /// Empty lines and lines that start with `#` are skipped.
    ///
    /// # Errors
    /// The file can't be read or is not such a list; a row that the split doesn't have, or twice; no rows.
    pub fn open(source: Arc<dyn DataSource>, split: Split, path: &Path) -> Result<Self, FileError> {
        let text = files::read_text(path).map_err(|error| FileError::named(path, error))?;
        let rows = rows(&text, source.len(split), split)
            .map_err(|problem| FileError::new(path, problem).advise(EXPECTED))?;
        Ok(Self {
            source,
            split,
            rows,
        })
    }

    /// The row of the source that a sample is.
    fn row(&self, split: Split, index: usize) -> Option<usize> {
        if split == self.split {
            self.rows.get(index).copied()
        } else {
            Some(index)
        }
    }
}

/// What a list of rows is, for error messages.
const EXPECTED: &str = "a list of rows is a text file with one number per line, counted from 0 in the order of the data";

/// Parses a list of rows of a split with `samples` samples.
fn rows(text: &str, samples: usize, split: Split) -> Result<Vec<usize>, String> {
    let mut taken = vec![false; samples];
    let mut rows = Vec::new();
    for (line, text) in files::without_mark(text).lines().enumerate() {
        let (line, text) = (line + 1, text.trim());
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let row: usize = text
            .parse()
            .map_err(|_| format!("line {line}: {text:?} is not a row number"))?;
        let name = split.name();
        match taken.get_mut(row) {
            None => {
                return Err(format!(
                    "line {line}: there is no row {row}; the {name} split has {samples} rows"
                ));
            }
            Some(true) => return Err(format!("line {line}: row {row} is listed twice")),
            Some(taken) => *taken = true,
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Err("has no rows".into());
    }
    Ok(rows)
}

impl DataSource for Subset {
    fn shape(&self) -> ImageShape {
        self.source.shape()
    }

    fn classes(&self) -> &[String] {
        self.source.classes()
    }

    fn len(&self, split: Split) -> usize {
        if split == self.split {
            self.rows.len()
        } else {
            self.source.len(split)
        }
    }

    fn label(&self, split: Split, index: usize) -> usize {
        let row = self.row(split, index);
        row.map_or(0, |row| self.source.label(split, row))
    }

    fn name(&self, split: Split, index: usize) -> Cow<'_, str> {
        let row = self.row(split, index);
        row.map_or(Cow::Borrowed(""), |row| self.source.name(split, row))
    }

    fn file(&self, split: Split, index: usize) -> Option<&Path> {
        self.source.file(split, self.row(split, index)?)
    }

    fn notes(&self) -> Vec<String> {
        self.source.notes()
    }

    fn warnings(&self) -> Vec<String> {
        self.source.warnings()
    }

    fn passed_over(&self) -> Vec<PassedOver> {
        self.source.passed_over()
    }

    fn read_soon(&self, split: Split, index: usize) {
        if let Some(row) = self.row(split, index) {
            self.source.read_soon(split, row);
        }
    }

    fn check(&self, splits: &[Split], monitor: &Monitor) -> Result<(), DataError> {
        self.source.check(splits, monitor)
    }

    fn redraws(&self) -> bool {
        self.source.redraws()
    }

    fn read(
        &self,
        split: Split,
        index: usize,
        draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        match self.row(split, index) {
            Some(row) => self.source.read(split, row, draw, out),
            None => Err(DataError::Empty(format!(
                "there is no sample {index} in the rows of the {} split",
                split.name()
            ))),
        }
    }
}
