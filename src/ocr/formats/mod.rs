//! A page in the forms that people and programs take.
//!
//! Comes in: [`Sheet`]s, which are pages with the names of their images (and, for a PDF, the images themselves). Goes
//! out: the bytes of a file, in one of the [`Format`]s. Everything here is a pure function; nothing is written.

mod alto;
mod hocr;
mod pdf;
mod picture;
mod tsv;
mod xml;

use std::path::Path;

use serde::Serialize;

use super::page::Page;
use crate::metrics::text::{TextScore, total};
use crate::segmentation::Label;

pub use alto::alto;
pub use hocr::hocr;
pub use pdf::pdf;
pub use picture::Picture;
pub use tsv::tsv;

/// What a page is written as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// The text, a line per line
    #[default]
    Text,
    /// Lines, words and letters with boxes, confidences and the next guesses
    Json,
    /// hOCR 1.2: XHTML with boxes and confidences
    Hocr,
    /// ALTO 4.4: XML with boxes, confidences and the next guesses
    Alto,
    /// The columns of Tesseract's TSV
    Tsv,
    /// The image with the text invisibly over it, to be searched and copied
    Pdf,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 6] = [
        Format::Text,
        Format::Json,
        Format::Hocr,
        Format::Alto,
        Format::Tsv,
        Format::Pdf,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Hocr => "hocr",
            Format::Alto => "alto",
            Format::Tsv => "tsv",
            Format::Pdf => "pdf",
        }
    }

    /// The format whose files are named like this one.
    pub fn of_name(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        Self::ALL.into_iter().find(|format| {
            let mut extensions = format.extensions().iter();
            extensions.any(|known| extension.eq_ignore_ascii_case(known))
        })
    }

    /// What the names of files end in; the first is what kiln calls them itself.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Format::Text => &["txt"],
            Format::Json => &["json"],
            Format::Hocr => &["hocr", "html", "xhtml"],
            Format::Alto => &["xml", "alto"],
            Format::Tsv => &["tsv"],
            Format::Pdf => &["pdf"],
        }
    }
}

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
    /// The image, where the format shows it.
    #[serde(skip)]
    pub picture: Option<Picture>,
}

/// A file of all sheets. `several` says whether there may be more than one: then texts have headings and JSON is a list.
pub fn write(
    format: Format,
    sheets: &[Sheet],
    several: bool,
) -> Result<Vec<u8>, serde_json::Error> {
    Ok(match format {
        Format::Text => texts(sheets, several, |_| String::new()).into_bytes(),
        Format::Json => json(sheets, several)?.into_bytes(),
        Format::Hocr => hocr(sheets).into_bytes(),
        Format::Alto => alto(sheets).into_bytes(),
        Format::Tsv => tsv(sheets).into_bytes(),
        Format::Pdf => pdf(sheets),
    })
}

/// The text, a line per line, each ended by a newline.
pub fn text(page: &Page) -> String {
    page.lines
        .iter()
        .map(|line| format!("{}\n", line.text))
        .collect()
}

/// The text of all sheets; several get a heading each. `after` gives what stands below a sheet's text.
pub fn texts(sheets: &[Sheet], several: bool, after: impl Fn(&Sheet) -> String) -> String {
    let one = |sheet: &Sheet| {
        let heading = match several {
            true => format!("== {}\n", sheet.image),
            false => String::new(),
        };
        format!("{heading}{}{}", text(&sheet.page), after(sheet))
    };
    sheets.iter().map(one).collect()
}

/// One sheet as an object, several as a list of objects; with scores, the list beside the score of all.
fn json(sheets: &[Sheet], several: bool) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Scored<'a> {
        pages: &'a [Sheet],
        score: TextScore,
    }
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

/// Box around all lines, if there are any.
fn bounds(page: &Page) -> Option<crate::segmentation::Rect> {
    let bounds = page.lines.iter().map(|line| line.bounds);
    bounds.reduce(|a, b| a.union(b))
}
