//! Isolated characters from UNIPEN: recorded pen strokes, redrawn with a different pen on every read.
//!
//! `strokes.jsonl.gz` has one segment per line: `{"c": character, "q": "OK" or "?", "src": file, "s": strokes}`, where a stroke is a list
//! of `[x, y]` (y down, the longer side of the segment's box is 1000). `"l"`, if there, is that longer side in x-heights, and
//! `"split"` the segment's split. Samples are grey, in the proportions of NIST36; without `characters` in 36 classes. A line that is not in
//! this format is an error that names it; a segment that is not a character (see [`flaw`]) is skipped and counted.

mod config;
mod draw;
mod flaw;
mod segment;
mod source;

pub use config::UnipenConfig;
pub(super) use config::{pen_problem, repeated_character};
pub(super) use draw::UNITS;
pub use flaw::flaw;
pub use source::Unipen;
