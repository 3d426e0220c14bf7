//! Tables of numbers as text (CSV): a row per line, separated by commas, semicolons, tabs or spaces; with names of the columns or not.

use std::io::Read;

use super::array::Values;
use super::lines::{Limits, Lines};

/// Longest line and file in bytes: 1024x1024 pixels in colour of ten letters each, and Kaggle's largest of digits 200 times.
const LIMITS: Limits = Limits {
    line: 32 << 20,
    file: 16 << 30,
};
/// Most columns.
const MAX_COLUMNS: usize = 4 << 20;
/// Most values held, as in other arrays.
const MAX_VALUES: usize = super::array::MAX_VALUES as usize;

/// Which column has the labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelColumn {
    /// By its name.
    Name(String),
    /// By its index, from 0.
    Index(usize),
    /// Found by its name, or the first if there is one column more than pixels.
    Auto,
}

/// A table, its labels apart from its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The numbers, row by row.
    pub values: Values,
    /// Columns of numbers.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// The labels as text, one per row; `None` if there is no column for them.
    pub labels: Option<Vec<String>>,
    /// Which column they were, in words.
    pub about: String,
}

/// Usual names of the column of labels.
const LABEL_NAMES: [&str; 6] = ["label", "labels", "class", "target", "y", "category"];

/// Reads a table of `pixels` numbers in a row besides the label. `each` is called for every row.
///
/// # Errors
/// Text that is not a number, rows of different length, no column of the name; one problem with the line, without the file's name.
pub fn read<E: From<String>>(
    reader: impl Read,
    label: &LabelColumn,
    pixels: usize,
    mut each: impl FnMut() -> Result<(), E>,
) -> Result<Table, E> {
    let mut lines = Lines::new(reader, &LIMITS);
    let mut rows = None;
    let mut names: Option<Vec<String>> = None;
    while let Some(line) = lines.next_line()? {
        let text = line.text.trim_start_matches('\u{feff}').trim_end();
        if text.is_empty() {
            continue;
        }
        let rows = match &mut rows {
            Some(rows) => rows,
            None => {
                let separator = separator(text);
                let cells: Vec<String> = text.split(separator).map(cell).collect();
                if names.is_none() && cells.iter().any(|cell| is_name(cell, &cells)) {
                    names = Some(cells);
                    continue;
                }
                rows.insert(Rows::new(
                    separator,
                    names.as_deref(),
                    cells.len(),
                    label,
                    pixels,
                )?)
            }
        };
        rows.push(text)
            .map_err(|problem| format!("line {}: {problem}", line.number))?;
        each()?;
    }
    let rows = rows.ok_or_else(|| "has no rows of numbers".to_string())?;
    Ok(rows.finish())
}

fn separator(text: &str) -> char {
    let separators = [',', ';', '\t'];
    let found = separators
        .into_iter()
        .find(|&separator| text.contains(separator));
    found.unwrap_or(' ')
}

fn cell(text: &str) -> String {
    text.trim().trim_matches('"').to_string()
}

/// What programs write for a missing value, in lower case.
const MISSING: [&str; 6] = ["", "na", "n/a", "null", "none", "?"];

/// Whether a cell of the first line is the name of a column: no number and no mark of a missing value. A single one may be a label.
fn is_name(cell: &str, cells: &[String]) -> bool {
    let is_text = |cell: &String| {
        cell.parse::<f64>().is_err() && !MISSING.contains(&cell.to_lowercase().as_str())
    };
    LABEL_NAMES.contains(&cell.to_lowercase().as_str())
        || cells.iter().filter(|cell| is_text(cell)).count() > 1
}

/// The rows read so far.
struct Rows {
    separator: char,
    label: Option<usize>,
    about: String,
    columns: usize,
    count: usize,
    labels: Vec<String>,
    bytes: Vec<u8>,
    /// All values, from the first on that is not a whole number from 0 to 255.
    floats: Option<Vec<f32>>,
}

impl Rows {
    fn new(
        separator: char,
        names: Option<&[String]>,
        cells: usize,
        label: &LabelColumn,
        pixels: usize,
    ) -> Result<Self, String> {
        if cells > MAX_COLUMNS {
            return Err(format!(
                "has {cells} columns; at most {MAX_COLUMNS} are read"
            ));
        }
        let label = label_column(names, cells, label, pixels)?;
        let name = |index: usize| names.and_then(|names| names.get(index));
        let about = label.map_or_else(String::new, |index| match name(index) {
            Some(name) => format!("labels in column {name:?}"),
            None => format!("labels in column {index}"),
        });
        Ok(Self {
            separator,
            label,
            about,
            columns: cells - usize::from(label.is_some()),
            count: 0,
            labels: Vec::new(),
            bytes: Vec::new(),
            floats: None,
        })
    }

    fn push(&mut self, text: &str) -> Result<(), String> {
        let (mut found, mut numbers) = (0, 0);
        for (index, text) in text.split(self.separator).enumerate() {
            found += 1;
            if Some(index) == self.label {
                self.labels.push(cell(text));
                continue;
            }
            numbers += 1;
            if numbers <= self.columns {
                self.number(text, index)?;
            }
        }
        let expected = self.columns + usize::from(self.label.is_some());
        if found != expected {
            return Err(format!(
                "has {found} columns; the lines before have {expected}"
            ));
        }
        self.count += 1;
        if self.count.saturating_mul(self.columns) > MAX_VALUES {
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
        let number: f32 = text
            .parse()
            .map_err(|_| format!("column {index}: found {text:?}; expected a number"))?;
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
            columns: self.columns,
            rows: self.count,
            labels: self.label.map(|_| self.labels),
            about: self.about,
        }
    }
}

/// The index of the column of labels; `None` if there are only pixels.
fn label_column(
    names: Option<&[String]>,
    cells: usize,
    label: &LabelColumn,
    pixels: usize,
) -> Result<Option<usize>, String> {
    let by_name = |wanted: &str| {
        let mut names = names.unwrap_or_default().iter();
        names.position(|name| name.eq_ignore_ascii_case(wanted))
    };
    match label {
        _ if cells == pixels => Ok(None),
        LabelColumn::Index(index) if *index < cells => Ok(Some(*index)),
        LabelColumn::Index(index) => Err(format!(
            "has {cells} columns, none with the index {index} (data.label)"
        )),
        LabelColumn::Name(name) => by_name(name).map(Some).ok_or_else(|| match names {
            Some(_) => format!("has no column {name:?} (data.label)"),
            None => format!(
                "has no names of columns, so none is called {name:?}; set data.label to an index from 0"
            ),
        }),
        LabelColumn::Auto => {
            let named = LABEL_NAMES.iter().find_map(|name| by_name(name));
            let first = (cells == pixels + 1).then_some(0);
            named.or(first).map(Some).ok_or_else(|| {
                format!(
                    "has {cells} columns; expected {pixels} pixels (data.channels x data.height x data.width) and a label; set \
                     data.label to the column of labels"
                )
            })
        }
    }
}
