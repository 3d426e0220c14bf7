//! Checkpoints: everything that a run needs to continue after an epoch, in one file per epoch.

pub mod collector;
mod format;

pub use format::{
    Checkpoint, CheckpointError, Header, Parts, Progress, epochs, from_bytes, path_of, read, write,
};
