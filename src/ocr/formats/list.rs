//! All formats.

use super::format::Format;
use super::{alto, hocr, json, pdf, text, tsv};

/// All formats; the first is the default.
pub static FORMATS: [&Format; 6] = [
    &text::TEXT,
    &json::JSON,
    &hocr::HOCR,
    &alto::ALTO,
    &tsv::TSV,
    &pdf::PDF,
];
