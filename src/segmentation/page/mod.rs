//! From a photograph to ink and paper.

pub(super) mod binarize;
mod corners;
pub(super) mod flatten;
mod outlines;
mod polarity;
mod rule_tracing;
mod rules;
pub(super) mod sheet;
