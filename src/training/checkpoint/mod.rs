//! Checkpoints: everything that a run needs to continue after an epoch, in one file per epoch.

mod contents;
pub mod fingerprint;
mod format;
mod networks;
mod stored;
mod writer;

pub use contents::{Checkpoint, Header, Parts, Progress};
pub use format::{from_bytes, read, write};
pub use stored::{epochs, latest_usable, of_epoch, path_of};
pub use writer::CheckpointWriter;
