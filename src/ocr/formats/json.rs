//! JSON with everything that is known about a page.

use serde::Serialize;

use super::format::Format;
use super::sheet::Sheet;
use crate::metrics::text::{TextScore, total};

/// JSON: one sheet as an object, several as a list of objects; with scores, that list beside the total score.
pub static JSON: Format = Format {
    name: "json",
    description: "Lines, words and letters with boxes, confidences and alternatives",
    extensions: &["json"],
    is_binary: false,
    shows_image: false,
    holds_scores: true,
    write: |sheets, several| json(sheets, several).map(String::into_bytes),
};

/// Several sheets with their total score.
#[derive(Serialize)]
struct Scored<'a> {
    pages: &'a [Sheet],
    score: TextScore,
}

fn json(sheets: &[Sheet], several: bool) -> serde_json::Result<String> {
    let scores = || sheets.iter().filter_map(|sheet| sheet.score.as_ref());
    let text = match sheets {
        [sheet] if !several => serde_json::to_string_pretty(sheet)?,
        pages if scores().next().is_some() => serde_json::to_string_pretty(&Scored {
            pages,
            score: total(scores()),
        })?,
        sheets => serde_json::to_string_pretty(sheets)?,
    };
    Ok(text + "\n")
}
