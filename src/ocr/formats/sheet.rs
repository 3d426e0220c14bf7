//! What formats are given: a page with the image that it was read from.

use serde::Serialize;

use super::picture::Picture;
use crate::metrics::text::TextScore;
use crate::ocr::page::Page;

/// A page with what it was read from.
#[derive(Debug, Clone, Serialize)]
pub struct Sheet {
    /// The image's name, as the user gave it.
    pub image: String,
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
