//! What formats are given: a page with the image that it was read from.

use serde::Serialize;

use super::picture::Picture;
use crate::metrics::text::TextScore;
use crate::ocr::page::Page;

/// A page with what it was read from.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
pub struct Sheet {
    /// The file's name, as the user gave it.
    pub image: String,
    /// Which page of the file this is, from 1, if it has several.
    #[serde(rename = "page", skip_serializing_if = "Option::is_none")]
    pub page_number: Option<usize>,
    /// What was read.
    #[serde(flatten)]
    pub page: Page,
    /// How well, where the truth is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<TextScore>,
    /// The image, for formats that show it.
    #[serde(skip)]
    pub picture: Option<Picture>,
}

impl Sheet {
    /// What the page is called: `scan.pdf, page 2`.
    pub fn name(&self) -> String {
        match self.page_number {
            Some(number) => page_name(&self.image, number),
            None => self.image.clone(),
        }
    }
}

/// What a page of a file with several is called.
pub fn page_name(file: &str, number: usize) -> String {
    format!("{file}, page {number}")
}

/// The names of the files of all sheets, each once, for the title of a document.
pub(super) fn title(sheets: &[Sheet]) -> String {
    let mut names: Vec<&str> = sheets.iter().map(|sheet| sheet.image.as_str()).collect();
    names.dedup();
    names.join(", ")
}
