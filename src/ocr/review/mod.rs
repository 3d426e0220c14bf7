//! Correcting what was read: a page to type on, and training data from what was typed.

mod document;
mod letters;
mod saved;
mod section;

pub use document::{CORRECTED, document};
pub use letters::{Corrected, corrected_letters};
pub use saved::{CorrectedBox, Review};
pub use section::section;
