//! Sources whose images are arrays of numbers in a few files: their keys, and how arrays become images and classes.

pub mod idx;
mod keys;
mod labels;
mod layout;
mod pixels;
mod range;
mod source;

pub use idx::IdxConfig;
pub use keys::ArrayKeys;
pub use labels::{Classes, Label, Labels};
pub use layout::{Expected, FlatOrder};
pub use pixels::{Images, Pixels, images};
pub use range::Range;
pub use source::{ArraySource, Part};
