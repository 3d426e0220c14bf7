//! Variation of a training sample: moved, bent, written with another pen, in other colours, partly hidden.

mod apply;
mod config;
mod jitter;

pub use apply::apply;
pub use config::AugmentConfig;
pub use jitter::Jitter;
