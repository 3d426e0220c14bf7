//! Augmentation of training samples: geometry, stroke width, colour, erasing.

mod apply;
mod config;
mod jitter;
mod stroke;
mod warp;

pub use apply::apply;
pub use config::AugmentConfig;
pub use jitter::Jitter;
