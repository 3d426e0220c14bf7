//! Drawing handwriting: skeletons of letters, digits and punctuation, handwriting styles that vary them, pens that render them, and whole pages.
//!
//! [`skeletons`] holds the forms of each character, [`hand`] writes one of them, [`strokes`] renders it, and [`pages`] composes
//! pages with exact ground truth. Everything is a pure function of its seed; nothing reads or writes files.

mod alphabet;
mod digits;
mod form;
pub mod hand;
mod letters;
mod lower;
mod marks;
pub mod pages;
pub mod skeletons;
pub mod strokes;

pub use alphabet::{CLASSES, PUNCTUATION, alphanumeric_classes, characters, class_of};
