//! Labels as CSV: `,`, `;` or tabs between the columns, with or without a header.

use super::columns::{self, FILE, LABEL, Labels, SPLIT};
use super::row::{Row, Table, filled};
use crate::data::formats::separator;
use crate::data::source::split_named;
use crate::error::{counted, one_line};
use crate::photo::has_image_extension;

/// A line with its number, from 1.
type Line = (u64, Vec<String>);

/// The columns by their places.
struct Columns {
    file: usize,
    label: usize,
    split: Option<usize>,
    has_header: bool,
    /// The column of labels, if it was found by its name.
    labels: Option<Labels>,
}

/// Reads CSV. `is_file` tells whether a text is the name of an image.
///
/// # Errors
/// In words, with the line: the columns can't be told apart, or a line has fewer or more of them than the first.
pub(super) fn parse(text: &str, is_file: &dyn Fn(&str) -> bool) -> Result<Table, String> {
    let lines = lines(text)?;
    let Some((_, first)) = lines.first() else {
        return Err("has no rows; expected one per image: file,label".into());
    };
    let columns = columns_of(&lines, is_file)?;
    let skipped = if columns.has_header { 1 } else { 0 };
    let rows = lines[skipped..]
        .iter()
        .map(|(line, cells)| row(*line, cells, &columns));
    let rows = rows.collect::<Result<Vec<Row>, String>>()?;
    Ok(Table {
        rows,
        has_splits: columns.split.is_some(),
        note: columns.note(first),
    })
}

impl Columns {
    /// What columns were taken for that have no usual name, and which columns of labels were not taken; `names` are those of the header.
    fn note(&self, names: &[String]) -> Option<String> {
        if !self.has_header {
            return None;
        }
        let is_called = |at: usize, known: &[&str]| columns::find(&names[at..=at], known).is_some();
        let is_usual = is_called(self.file, &FILE)
            && self.labels.is_some()
            && self.split.is_none_or(|at| is_called(at, &SPLIT));
        let called = |at: usize| format!("{:?}", names[at]);
        let columns = (!is_usual).then(|| {
            let split = self
                .split
                .map_or_else(String::new, |at| format!(", splits in {}", called(at)));
            format!(
                "files are in the column {}, labels in {}{split}",
                called(self.file),
                called(self.label)
            )
        });
        let choice = self.labels.as_ref().and_then(Labels::note);
        let notes: Vec<String> = columns.into_iter().chain(choice).collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

/// All lines that are not empty, each with as many cells as the first.
fn lines(text: &str) -> Result<Vec<Line>, String> {
    let first = text.lines().find(|line| !line.trim().is_empty());
    let delimiter = first.and_then(separator::of).unwrap_or(b',');
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(::csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut lines: Vec<Line> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(one_line)?;
        let line = record.position().map_or(0, |position| position.line());
        let mut cells: Vec<String> = record.iter().map(unquoted).collect();
        let width = lines.first().map_or(cells.len(), |(_, first)| first.len());
        while cells.len() > width && cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        if cells.iter().all(String::is_empty) {
            continue;
        }
        if cells.len() != width {
            return Err(format!(
                "line {line}: {}, but the first line has {width}; quote fields that contain the separator",
                counted(cells.len(), "column", "columns")
            ));
        }
        lines.push((line, cells));
    }
    Ok(lines)
}

/// A cell without quotes that stand after a space, where CSV keeps them: `a.png, "cat"`.
fn unquoted(cell: &str) -> String {
    let inner = cell
        .strip_prefix('"')
        .and_then(|cell| cell.strip_suffix('"'));
    inner.map_or_else(|| cell.to_owned(), |inner| inner.replace("\"\"", "\""))
}

/// Which columns hold what: by their names, else by what is in them.
fn columns_of(lines: &[Line], is_file: &dyn Fn(&str) -> bool) -> Result<Columns, String> {
    let (line, first) = &lines[0];
    let width = first.len();
    if width < 2 {
        return Err(format!(
            "line {line}: 1 column; expected file,label, with \",\", \";\" or a tab between them"
        ));
    }
    let looks_like_file = |text: &String| is_file(text) || has_image_extension(text.as_ref());
    let by_name = columns::find(first, &FILE);
    let has_label = columns::find(first, &LABEL).is_some();
    let named = by_name.filter(|_| has_label || !first.iter().any(looks_like_file));
    let (_, sample) = lines.get(1).unwrap_or(&lines[0]);
    let file = named.or_else(|| sample.iter().position(looks_like_file)).ok_or_else(|| {
        format!("no column holds names of images; name the columns file and label in the first line, which is {:?}", first.join(","))
    })?;
    let has_header = named.is_some() || !looks_like_file(&first[file]);
    let skipped = if has_header { 1 } else { 0 };
    let holds_splits = |at: usize| {
        let mut cells = lines[skipped..].iter().map(|(_, cells)| &cells[at]);
        width > 2 && lines.len() > skipped && cells.all(|cell| split_named(cell).is_some())
    };
    let labels = if has_header {
        Labels::find(first)?
    } else {
        None
    };
    let place = |labels: &Labels| first.iter().position(|name| *name == labels.name);
    let label = labels.as_ref().and_then(place).filter(|&at| at != file);
    let split = columns::find(first, &SPLIT).filter(|_| has_header);
    let split = split
        .or_else(|| (0..width).find(|&at| at != file && Some(at) != label && holds_splits(at)));
    let rest: Vec<usize> = (0..width)
        .filter(|&at| at != file && Some(at) != split)
        .collect();
    let is_by_name = label.is_some();
    let label = match label {
        Some(label) => label,
        None => only_one(&rest, first)?,
    };
    // A column called "set" or "usage" may hold anything else; one called "split" may not.
    let is_split = |&at: &usize| {
        let mut cells = lines[skipped..].iter().map(|(_, cells)| cells[at].as_str());
        first[at].eq_ignore_ascii_case(SPLIT[0]) || cells.any(|cell| split_named(cell).is_some())
    };
    let split = split.filter(|&at| at != label).filter(is_split);
    if has_header {
        for at in [Some(file), Some(label), split].into_iter().flatten() {
            columns::require_single(first, &first[at])?;
        }
    }
    Ok(Columns {
        file,
        label,
        split,
        has_header,
        labels: labels.filter(|_| is_by_name),
    })
}

/// The only column that is left for the labels; `names` are those of the first line.
fn only_one(rest: &[usize], names: &[String]) -> Result<usize, String> {
    match rest {
        [only] => Ok(*only),
        _ => Err(format!(
            "several columns may hold the labels ({}); name the columns file, label and split in the first line",
            rest.iter()
                .map(|&at| format!("{:?}", names[at]))
                .collect::<Vec<_>>()
                .join(", ")
        )),
    }
}

fn row(line: u64, cells: &[String], columns: &Columns) -> Result<Row, String> {
    let cell = |at: usize| filled(&cells[at]);
    Ok(Row {
        line,
        file: cell(columns.file).ok_or_else(|| format!("line {line}: no file"))?,
        label: cell(columns.label),
        split: columns.split.and_then(cell),
    })
}
