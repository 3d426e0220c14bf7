//! Finds lines, words and letters on a photographed page of hand-printed block capitals, without a neural network.
//!
//! A page passes through `page` (paper, light, ink), `letters` (connected ink, letters, what else may be a letter) and
//! `layout` (lines and words). Every rule is relative to what the page itself measures: light, noise, width of the pen,
//! height of the letters. The photograph must be upright; letters are found, not read.

mod boxes;
mod debug;
mod distance;
mod geometry;
mod ink;
mod layout;
mod letters;
mod page;
mod plane;
mod segment;
mod stages;
mod statistics;
mod view;

pub use boxes::{
    Candidate, Candidates, LetterBox, LineBox, Measures, Segmentation, SmallMark, WordBox,
};
pub use debug::overlay::{Label, overlay};
pub use debug::pictures::StagePicture;
pub use geometry::Rect;
pub use ink::Crop;
pub use segment::{segment, segment_view, segment_with_pictures};
pub use view::View;
