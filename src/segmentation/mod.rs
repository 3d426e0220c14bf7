//! Finds lines, words and letters on a photographed page of hand-printed block capitals, without a neural network.
//!
//! A page passes through `page` (paper, light, ink), `letters` (connected ink, letters, what else may be a letter) and
//! `layout` (lines and words). Every rule is relative to what the page itself measures: light, noise, width of the pen,
//! height of the letters. A [`View`] says how the photograph is turned and straightened first; letters are found, not read.

mod boxes;
mod columns;
mod debug;
mod distance;
mod geometry;
mod ink;
mod layout;
mod letters;
mod page;
mod plane;
mod segment;
mod slope;
mod stages;
mod statistics;
mod straightening;
mod view;

pub use boxes::{
    Candidate, Candidates, Emptiness, JUNK, LetterBox, LineBox, Measures, Segmentation, SmallMark,
    WordBox,
};
pub use debug::overlay::{Label, overlay};
pub use debug::pictures::StagePicture;
pub use geometry::Rect;
pub use ink::Crop;
pub use segment::{CutPage, segment, segment_view, segment_with_pictures};
pub use straightening::Straightening;
pub use view::View;
