//! Labels as JSON lines: an object per image.

use serde_json::{Map, Value};

use super::columns::{self, FILE, LABEL, SPLIT};
use super::row::{Row, Table, filled};
use crate::error::one_line;

/// Reads JSON lines; empty lines don't count.
///
/// # Errors
/// In words, with the line: no object, no file, or a label that is neither text nor number.
pub(super) fn parse(text: &str) -> Result<Table, String> {
    let mut rows = Vec::new();
    for (index, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let line_number = index as u64 + 1;
        let row =
            row(line, line_number).map_err(|problem| format!("line {line_number}: {problem}"))?;
        rows.push(row);
    }
    Ok(Table {
        has_splits: rows.iter().any(|row| row.split.is_some()),
        rows,
        note: None,
    })
}

fn row(text: &str, line: u64) -> Result<Row, String> {
    let object: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| format!("not a JSON object ({})", one_line(error)))?;
    let keys: Vec<String> = object.keys().cloned().collect();
    let value = |names: &[&str]| {
        columns::find(&keys, names).and_then(|at| Some((&keys[at], object.get(&keys[at])?)))
    };
    let text = |names: &[&str]| match value(names) {
        None | Some((_, Value::Null)) => Ok(None),
        Some((_, Value::String(text))) => Ok(filled(text)),
        Some((_, value @ (Value::Number(_) | Value::Bool(_)))) => Ok(Some(value.to_string())),
        Some((key, Value::Array(_) | Value::Object(_))) => Err(format!(
            "{key:?} must be a string or a number; one label per image"
        )),
    };
    let file = text(&FILE)?.ok_or_else(|| {
        format!(
            "no file; expected {{\"file\": ..., \"label\": ...}}, found the keys {}",
            keys.join(", ")
        )
    })?;
    Ok(Row {
        line,
        file,
        label: text(&LABEL)?,
        split: text(&SPLIT)?,
    })
}
