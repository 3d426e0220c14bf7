//! The rows of a table, line by line.

use std::io::Read;

use super::columns::{Columns, ExpectedColumns, Role, are_names};
use super::guess::{Doubt, doubt};
use crate::data::formats::array::{MAX_VALUES, Values};
use crate::data::formats::lines::{Limits, Lines};
use crate::data::formats::separator;
use crate::error::counted;

/// Longest line and file in bytes: 1024x1024 pixels in colour of ten letters each, and Kaggle's largest of digits 200 times.
const LIMITS: Limits = Limits {
    line: 32 << 20,
    file: 16 << 30,
};

/// A table, its labels apart from its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The numbers, row by row.
    pub values: Values,
    /// Columns of numbers.
    pub columns: usize,
    /// Rows that have a label, or all if there is no column for labels.
    pub rows: usize,
    /// The labels as text, one per row; `None` if there is no column for them.
    pub labels: Option<Vec<String>>,
    /// Lines whose label is empty, which are not among the rows.
    pub unlabelled: Vec<usize>,
    /// Which column the labels were in, in words.
    pub about: String,
    /// The line of each row.
    lines: Vec<usize>,
    found: Columns,
}

impl Table {
    /// What its columns are.
    pub fn found(&self) -> &Columns {
        &self.found
    }

    /// Where a value is, by its index among the values: `line 7, column "pixel3"`.
    pub fn place(&self, index: usize) -> String {
        let columns = self.columns.max(1);
        let line = self.lines.get(index / columns).copied().unwrap_or_default();
        format!("line {line}, {}", self.found.pixel_called(index % columns))
    }
}

impl Table {
    /// Why the labels may not be in the first column, where nothing says that they are.
    fn misplaced_labels(&self) -> Option<String> {
        let (found, labels) = (&self.found, self.labels.as_ref()?);
        let (label, last) = (found.label()?, found.last_pixel()?);
        if !found.is_guess {
            return None;
        }
        let (first, last_called) = (found.called(label), found.called(last));
        Some(match doubt(labels, &self.values, self.columns)? {
            Doubt::Fractions(row) => format!(
                "line {}: {first}: found {:?}, which is not a label, and no column name says where the labels are; set data.label to the index of \
                 their column, from 0: {last} if they come last",
                self.lines.get(row).copied().unwrap_or_default(),
                labels[row]
            ),
            Doubt::LastAsLikely => format!(
                "labels may be in {first} and in {last_called}, and no column name says which; set data.label to {label} or {last}"
            ),
        })
    }
}

/// Reads a table. `each` is called for every row.
///
/// # Errors
/// Text that is no number, rows of different length, no column of the name, labels of which it is not clear where they are; one problem
/// with the line, without the file's name.
pub fn read<E: From<String>>(
    reader: impl Read,
    expected: &ExpectedColumns,
    mut each: impl FnMut() -> Result<(), E>,
) -> Result<Table, E> {
    let mut lines = Lines::new(reader, &LIMITS);
    let mut rows = None;
    let mut names: Option<Vec<String>> = None;
    while let Some(line) = lines.next_line()? {
        let text = line.text.trim_start_matches('\u{feff}');
        let text = text.trim_end_matches(['\r', '\n', ' ']);
        if text.trim().is_empty() {
            continue;
        }
        let rows = match &mut rows {
            Some(rows) => rows,
            None => {
                let separator = separator::of(text).map_or(' ', char::from);
                let cells: Vec<String> = text.split(separator).map(cell).collect();
                if names.is_none() && are_names(&cells) {
                    names = Some(cells);
                    continue;
                }
                let found = Columns::find(names.as_deref(), cells.len(), expected)?;
                rows.insert(Rows::new(separator, found))
            }
        };
        rows.push(text, line.number)
            .map_err(|problem| format!("line {}: {problem}", line.number))?;
        each()?;
    }
    let rows = rows.ok_or_else(|| "has no rows of numbers".to_string())?;
    let table = rows.finish();
    match table.misplaced_labels() {
        Some(problem) => Err(problem.into()),
        None => Ok(table),
    }
}

fn cell(text: &str) -> String {
    text.trim().trim_matches('"').trim().to_string()
}

/// The rows read so far.
struct Rows {
    separator: char,
    columns: Columns,
    pixels: usize,
    lines: Vec<usize>,
    labels: Vec<String>,
    unlabelled: Vec<usize>,
    bytes: Vec<u8>,
    /// All values, from the first on that is no whole number from 0 to 255.
    floats: Option<Vec<f32>>,
}

impl Rows {
    fn new(separator: char, columns: Columns) -> Self {
        Self {
            separator,
            pixels: columns.pixels(),
            columns,
            lines: Vec::new(),
            labels: Vec::new(),
            unlabelled: Vec::new(),
            bytes: Vec::new(),
            floats: None,
        }
    }

    fn push(&mut self, text: &str, line: usize) -> Result<(), String> {
        let (mut found, mut label) = (0, None);
        for (index, text) in text.split(self.separator).enumerate() {
            found += 1;
            match self.columns.roles.get(index).copied() {
                Some(Role::Pixel) => self.number(text, index)?,
                Some(Role::Label) => label = Some(cell(text)),
                Some(Role::Other) | None => {}
            }
        }
        let expected = self.columns.roles.len();
        if found != expected {
            let found = counted(found, "column", "columns");
            return Err(format!("has {found}; the lines before have {expected}"));
        }
        if label.as_ref().is_some_and(String::is_empty) {
            self.unlabelled.push(line);
            let before = self.lines.len() * self.pixels;
            self.bytes.truncate(before);
            if let Some(floats) = &mut self.floats {
                floats.truncate(before);
            }
            return Ok(());
        }
        self.labels.extend(label);
        self.lines.push(line);
        if self.lines.len().saturating_mul(self.pixels) > MAX_VALUES as usize {
            return Err(format!(
                "the table has more than {MAX_VALUES} values up to here"
            ));
        }
        Ok(())
    }

    fn number(&mut self, text: &str, index: usize) -> Result<(), String> {
        let text = text.trim().trim_matches('"');
        if let (None, Ok(byte)) = (&self.floats, text.parse::<u8>()) {
            self.bytes.push(byte);
            return Ok(());
        }
        let number: f32 = text.parse().map_err(|_| {
            let column = self.columns.called(index);
            let is_last = self.columns.is_guess && self.columns.last_pixel() == Some(index);
            let advice = if is_last {
                format!("; if the labels are in this column, set data.label to {index}")
            } else {
                String::new()
            };
            format!("{column}: found {text:?}; expected a number{advice}")
        })?;
        let bytes = &mut self.bytes;
        let floats = self.floats.get_or_insert_with(|| {
            let floats = bytes.iter().map(|&byte| byte.into()).collect();
            *bytes = Vec::new();
            floats
        });
        floats.push(number);
        Ok(())
    }

    fn finish(self) -> Table {
        Table {
            values: match self.floats {
                Some(floats) => Values::Floats(floats),
                None => Values::Bytes(self.bytes),
            },
            columns: self.pixels,
            rows: self.lines.len(),
            labels: self.columns.has_labels().then_some(self.labels),
            unlabelled: self.unlabelled,
            about: self.columns.about.clone(),
            lines: self.lines,
            found: self.columns,
        }
    }
}
