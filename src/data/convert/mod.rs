//! Any source as files that every program reads: `kiln data convert`.

mod folders;
mod names;

pub use folders::{Written, to_folders};
