//! What should have been read: the truth that `--expect` takes.

use serde_json::Value;

use crate::error::one_line;
use crate::files::without_mark;

/// Finds the lines of an image in a truth file.
///
/// The file is a text (a line per line), a JSON object of file name to list of lines, or the JSON that
/// `kiln data page` writes (with the lines under `text`). `image` is the image's file name. The error says what was
/// expected.
pub fn lines(truth: &str, image: &str) -> Result<Vec<String>, String> {
    let truth = without_mark(truth);
    let looks_like_json = truth.trim_start().starts_with(['{', '[']);
    let map = match serde_json::from_str::<Value>(truth) {
        Ok(Value::Object(map)) => Some(map),
        _ if !looks_like_json => None,
        Ok(_) => return Err("expected an object of file name to list of lines".into()),
        Err(error) => return Err(format!("not valid JSON: {error}")),
    };
    let Some(map) = map else {
        return Ok(text_lines(truth));
    };
    let entry = map.get(image).or_else(|| map.get("text"));
    let Some(entry) = entry else {
        let names: Vec<&str> = map.keys().map(String::as_str).collect();
        return Err(one_line(format!(
            "has no entry {image:?}; it has {}",
            names.join(", ")
        )));
    };
    let lines: Option<Vec<String>> = entry.as_array().and_then(|lines| {
        lines
            .iter()
            .map(|line| line.as_str().map(str::to_string))
            .collect()
    });
    lines.ok_or_else(|| {
        one_line(format!(
            "{image:?}: expected a list of lines, found {entry}"
        ))
    })
}

/// The lines of a text, without those that are empty and without white space around them.
pub fn text_lines(truth: &str) -> Vec<String> {
    without_mark(truth)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_string)
        .collect()
}
