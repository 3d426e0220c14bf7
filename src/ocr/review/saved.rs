//! What a review saves.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::document::LETTERS;
use crate::error::{FileError, one_line};
use crate::files::{self, without_mark};
use crate::segmentation::Rect;

/// What a review's file is, for error messages.
const EXPECTED: &str = "use the file that the page of `kiln ocr --review` saves";

/// The corrected letters of each image, by file name.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// By the image's file name.
    pub images: BTreeMap<String, Vec<CorrectedBox>>,
}

/// One letter's box and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectedBox {
    /// In pixels of the image.
    pub bounds: Rect,
    /// The character; `None` for what is not a letter.
    pub character: Option<char>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "box")]
    bounds: [u32; 4],
    text: String,
}

impl Review {
    /// Reads what a review has saved.
    ///
    /// # Errors
    /// [`FileError`]: the file can't be read, or is not a review.
    pub fn open(path: &Path) -> Result<Review, FileError> {
        let text = files::read_text(path)
            .map_err(|error| FileError::named(path, error).advise(EXPECTED))?;
        Review::parse(&text).map_err(|problem| FileError::new(path, problem).advise(EXPECTED))
    }

    fn parse(text: &str) -> Result<Review, String> {
        let problem = |error: serde_json::Error| one_line(format!("not a review: {error}"));
        let mut all: Value = serde_json::from_str(without_mark(text)).map_err(problem)?;
        let letters = all.get_mut(LETTERS).map(Value::take);
        let letters = letters.ok_or_else(|| format!("has no {LETTERS:?}"))?;
        let entries: BTreeMap<String, Vec<Entry>> =
            serde_json::from_value(letters).map_err(problem)?;
        let images = entries.into_iter().map(|(image, entries)| {
            let boxes = entries.into_iter().map(corrected);
            Ok((image, boxes.collect::<Result<_, String>>()?))
        });
        Ok(Review {
            images: images.collect::<Result<_, String>>()?,
        })
    }
}

fn corrected(entry: Entry) -> Result<CorrectedBox, String> {
    let [x, y, width, height] = entry.bounds;
    let mut characters = entry.text.trim().chars();
    let character = characters.next();
    if characters.next().is_some() {
        return Err(format!("{:?} is more than one character", entry.text));
    }
    Ok(CorrectedBox {
        bounds: Rect {
            x,
            y,
            width,
            height,
        },
        character,
    })
}
