//! A page in the forms that people and programs take.

use super::page::Page;
use crate::segmentation::Label;

/// The text, a line per line, each ended by a newline.
pub fn text(page: &Page) -> String {
    page.lines
        .iter()
        .map(|line| format!("{}\n", line.text))
        .collect()
}

/// The letters as labels of an overlay.
pub fn labels(page: &Page) -> Vec<Label> {
    page.lines
        .iter()
        .flat_map(|line| &line.words)
        .flat_map(|word| &word.letters)
        .map(|letter| Label {
            bounds: letter.bounds,
            text: letter.text.clone(),
            confidence: letter.confidence,
        })
        .collect()
}
