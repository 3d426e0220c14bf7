//! Labels as JSON lines: an object per image.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::columns::{self, FILE, Labels, SPLIT};
use super::row::{Row, Table, filled};
use crate::error::one_line;
use crate::strict_json;

/// Reads JSON lines; empty lines don't count. The key of labels is the same in all lines.
///
/// # Errors
/// In words, with the line: no object, a key twice, no file, or a label that is neither text nor number; several keys that may hold the
/// labels.
pub(super) fn parse(text: &str) -> Result<Table, String> {
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let lines = lines.map(|(index, line)| (index as u64 + 1, line));
    // Twice, so that only the rows are held in memory.
    let mut keys = BTreeSet::new();
    for (number, line) in lines.clone() {
        keys.extend(object(line, number)?.into_iter().map(|(key, _)| key));
    }
    let labels = Labels::find(&keys.into_iter().collect::<Vec<String>>())?;
    let label = labels.as_ref().map(|labels| labels.name.as_str());
    let mut rows = Vec::new();
    for (number, line) in lines {
        let object = object(line, number)?;
        let row = row(&object, number, label);
        rows.push(row.map_err(|problem| format!("line {number}: {problem}"))?);
    }
    Ok(Table {
        has_splits: rows.iter().any(|row: &Row| row.split.is_some()),
        rows,
        note: labels.as_ref().and_then(Labels::note),
    })
}

fn object(text: &str, number: u64) -> Result<Map<String, Value>, String> {
    let problem = match strict_json::parse(text) {
        Ok(Value::Object(object)) => return Ok(object),
        Ok(_) => "another value".into(),
        // Of the line, which is all that was parsed.
        Err(error) => one_line(error).replace(" at line 1 column ", " at column "),
    };
    Err(format!("line {number}: not a JSON object ({problem})"))
}

fn row(object: &Map<String, Value>, line: u64, label: Option<&str>) -> Result<Row, String> {
    let keys: Vec<String> = object.keys().cloned().collect();
    let value = |names: &[&str]| {
        columns::find(&keys, names).and_then(|at| Some((&keys[at], object.get(&keys[at])?)))
    };
    let text = |found: Option<(&String, &Value)>| match found {
        None | Some((_, Value::Null)) => Ok(None),
        Some((_, Value::String(text))) => Ok(filled(text)),
        Some((_, value @ (Value::Number(_) | Value::Bool(_)))) => Ok(Some(value.to_string())),
        Some((key, Value::Array(_) | Value::Object(_))) => Err(format!(
            "{key:?} must be a string or a number; one label per image"
        )),
    };
    let file = text(value(&FILE))?.ok_or_else(|| {
        format!(
            "no file; expected {{\"file\": ..., \"label\": ...}}, found the keys {}",
            keys.join(", ")
        )
    })?;
    Ok(Row {
        line,
        file,
        label: text(label.and_then(|key| object.get_key_value(key)))?,
        split: text(value(&SPLIT))?,
    })
}
