//! Why a page has no text: what segmentation or the network says about it.

use super::page::Page;
use crate::segmentation::{Emptiness, Segmentation};

/// Mean confidence below which what was read is no writing: less than a letter has by chance. Of 23 pages with writing, those of a case
/// that the model doesn't know had 0.55, the others 0.75 to 1.
const NO_WRITING: f32 = 0.5;

/// Why a page has no text that kiln can read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unreadable {
    /// Nothing is written on it.
    Blank,
    /// Its ink is of this height in pixels: too low for letters.
    TooSmall(f32),
    /// Its ink has no letter's size.
    NoLetters,
    /// What looks like letters are few specks, or marks that are no characters.
    NoCharacters,
    /// What was read has this mean confidence.
    Unsure(f32),
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Blank => write!(f, "the page is blank"),
            Self::TooSmall(height) => write!(
                f,
                "its marks are {height:.0} pixels high; photograph or scan it with more pixels"
            ),
            Self::NoLetters => write!(f, "nothing on the page has the size of a letter"),
            Self::NoCharacters => write!(f, "what is on the page looks like no character"),
            Self::Unsure(confidence) => write!(
                f,
                "what is on the page hardly looks like characters (mean confidence {confidence:.2})"
            ),
        }
    }
}

/// Drops all lines of a page that is no writing; why it has no text, or `None` if it has.
pub(super) fn check_readable(page: &mut Page, segmentation: &Segmentation) -> Option<Unreadable> {
    let confidence = page.confidence();
    if !page.lines.is_empty() && confidence < NO_WRITING {
        page.lines.clear();
        return Some(Unreadable::Unsure(confidence));
    }
    page.lines.is_empty().then(|| match segmentation.emptiness {
        Some(Emptiness::Blank) => Unreadable::Blank,
        Some(Emptiness::TooSmall(height)) => Unreadable::TooSmall(height),
        Some(Emptiness::NoLetters) => Unreadable::NoLetters,
        None => Unreadable::NoCharacters,
    })
}
