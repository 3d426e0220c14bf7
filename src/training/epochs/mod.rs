//! The training loop over epochs, inside burn-train.

pub mod events;
pub mod history;
pub mod profile;
pub mod strategy;
pub mod training_loop;
