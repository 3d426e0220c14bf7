//! Reading a file of labels in either format.

use super::row::Table;
use super::{delimited, json_lines};
use crate::files;

/// Reads a file of labels: JSON lines if it starts with `{`, else CSV. `is_file` tells whether a text is the name of an image.
///
/// # Errors
/// In words, with the line.
pub fn parse(bytes: &[u8], is_file: &dyn Fn(&str) -> bool) -> Result<Table, String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("is in UTF-16; save it in UTF-8".into());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        format!("line {line}: not valid UTF-8; save the file in UTF-8")
    })?;
    let text = files::without_mark(text);
    let table = match text.trim_start().chars().next() {
        None => return Err("is empty; expected one row per image: file,label".into()),
        Some('{') => json_lines::parse(text)?,
        Some('[') => return Err(
            "is a JSON array; write one object per line instead: {\"file\": ..., \"label\": ...}"
                .into(),
        ),
        Some(_) => delimited::parse(text, is_file)?,
    };
    if table.rows.is_empty() {
        return Err("has no rows; expected one per image: file,label".into());
    }
    Ok(table)
}
