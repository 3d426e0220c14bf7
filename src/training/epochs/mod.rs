//! The training loop over epochs, and what it remembers.

pub mod epoch;
pub mod features;
pub mod history;
pub mod strategy;
