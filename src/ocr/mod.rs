//! Reading: a photograph and a classifier become a page of text.
//!
//! Comes in: an upright image and a [`Classifier`](crate::inference::Classifier) of single characters. Goes out: a
//! [`Page`] of lines, words and letters, each with its box and confidence; [`formats`] turns a page into text or JSON,
//! [`expect`] holds it against the truth. Nothing here reads files or prints.

pub mod expect;
pub mod formats;
pub mod page;
pub mod reader;

pub use page::{Guess, Letter, Line, Page, Word};
pub use reader::{ReadError, Reading, check, read};
