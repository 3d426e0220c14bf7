//! Images that occur more than once.
//!
//! Exact copies have equal values. Near ones are found in three steps: a perceptual [`hash`] proposes the nearest few of each image;
//! [`align`] compares the two pictures directly, with the crop and the change of brightness that fit best; and only pairs that are
//! much more alike than pictures of their class usually are remain. The last step is what keeps small pictures apart: two letters I of
//! different hands agree as well as two copies of one photograph.

mod align;
mod groups;
mod hash;
mod near;

pub use groups::find;

/// Side of the grey pictures that are compared first.
pub const THUMB: usize = 32;
