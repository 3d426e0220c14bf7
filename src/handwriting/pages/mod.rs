//! Whole hand-printed pages with exact ground truth: for tests, for trying the reader without a camera, for benchmarks.
//!
//! [`compose`] writes a text of letters, digits, punctuation, spaces and line breaks in one handwriting style: the same forms, slant and pen, with small differences
//! from letter to letter and a baseline that wanders. [`Scene`] sets the writing surface and camera pose;
//! [`varied`] draws all options, and the text, from one seed.

mod compose;
mod error;
mod options;
mod page;
mod paper;
mod scene;
mod vary;
mod writer;

pub use compose::compose;
pub use error::PageError;
pub use options::{PageOptions, Scene, Surface};
pub use page::{Bounds, DrawnLetter, DrawnLine, DrawnPage, DrawnWord};
pub use vary::{Varied, varied};
