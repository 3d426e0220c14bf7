//! Why a page was not drawn.

use crate::error::{ErrorExit, ExitKind};
use crate::handwriting::PUNCTUATION;

/// Why a page was not drawn.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PageError {
    /// A character that kiln can't write.
    #[error(
        "line {line}, column {column}: can't write {character:?}; use A-Z, a-z, 0-9, {PUNCTUATION} , spaces and line breaks"
    )]
    Character {
        /// The character.
        character: char,
        /// Its line, from 1.
        line: usize,
        /// Its place in the line, from 1.
        column: usize,
    },
    /// An option outside its range.
    #[error("{option} is {value}; must be between {least} and {most}")]
    Option {
        /// Name of the option, with its unit.
        option: &'static str,
        /// Its value.
        value: f32,
        /// Lowest value.
        least: f32,
        /// Highest value.
        most: f32,
    },
    /// The requested page is too small for the text, or too large to draw.
    #[error("a page of {width}x{height} pixels {problem}")]
    Size {
        /// Width in pixels.
        width: u64,
        /// Height in pixels.
        height: u64,
        /// The problem.
        problem: String,
    },
}

impl ErrorExit for PageError {
    fn exit_kind(&self) -> ExitKind {
        ExitKind::Usage
    }
}
