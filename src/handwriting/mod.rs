//! Drawing handwriting: skeletons of letters and digits, handwriting styles that vary them, pens that render them, and whole pages.
//!
//! [`skeletons`] holds the forms of each character, [`hand`] writes one of them, [`strokes`] renders it, and [`pages`] composes
//! pages with exact ground truth. Everything is a pure function of its seed; nothing reads or writes files.

mod alphabet;
mod digits;
mod form;
pub mod hand;
mod letters;
pub mod pages;
pub mod skeletons;
pub mod strokes;

pub use alphabet::{CLASSES, alphanumeric_classes};
