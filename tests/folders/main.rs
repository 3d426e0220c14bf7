//! What a folder of other people's images gives: which files are read, what is told about the rest, and how a run ends.

#[path = "../common/mod.rs"]
mod common;

mod formats;
