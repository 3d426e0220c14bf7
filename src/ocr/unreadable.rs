//! Why a page has no text, by segmentation and by the network, or could not be read at all.

use super::page::Page;
use crate::error::{ErrorExit, ExitKind};
use crate::inference::ModelError;
use crate::progress::Cancelled;
use crate::segmentation::{Emptiness, Segmentation};

/// A page with a lower mean confidence has no writing that the model knows. Of 23 pages with writing, those in lower case, which the shipped
/// model doesn't know, had 0.55, the others 0.75 to 1.
const NO_WRITING: f32 = 0.5;

/// Why a page could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The network failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model can't read letters, or not these.
    #[error("{0}")]
    Unsuitable(String),
    /// [`ReadOptions::cancel`](super::ReadOptions::cancel) was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl ErrorExit for ReadError {
    fn exit_kind(&self) -> ExitKind {
        match self {
            Self::Model(error) => error.exit_kind(),
            Self::Unsuitable(_) => ExitKind::Usage,
            Self::Cancelled(error) => error.exit_kind(),
        }
    }
}

/// Why a page has no text that kiln can read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unreadable {
    /// There is no ink on it.
    Blank,
    /// Its marks have this height in pixels: too little for letters.
    TooSmall(f32),
    /// None of its marks has the size of a letter.
    NoLetters,
    /// Its marks are specks, or not characters.
    NoCharacters,
    /// What was read has this mean confidence in [0, 1], and is dropped.
    Unsure(f32),
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Blank => write!(f, "the page is blank"),
            Self::TooSmall(height) => write!(
                f,
                "its marks are {height:.0} pixels high; photograph or scan it at a higher resolution"
            ),
            Self::NoLetters => write!(f, "nothing on the page has the size of a letter"),
            Self::NoCharacters => write!(f, "nothing on the page looks like a character"),
            Self::Unsure(confidence) => write!(
                f,
                "its marks do not look like characters (mean confidence {confidence:.2})"
            ),
        }
    }
}

/// Drops the lines of a page whose marks do not look like characters. Returns why it has no text; `None` if it has some.
pub(super) fn check_readable(page: &mut Page, segmentation: &Segmentation) -> Option<Unreadable> {
    let confidence = page.confidence();
    if !page.lines.is_empty() && confidence < NO_WRITING {
        page.lines.clear();
        return Some(Unreadable::Unsure(confidence));
    }
    let reason = match segmentation.emptiness {
        Some(Emptiness::Blank) => Unreadable::Blank,
        Some(Emptiness::TooSmall(height)) => Unreadable::TooSmall(height),
        Some(Emptiness::NoLetters) => Unreadable::NoLetters,
        None => Unreadable::NoCharacters,
    };
    page.lines.is_empty().then_some(reason)
}
