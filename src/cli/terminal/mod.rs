//! Talking to the person at the terminal: results, messages, progress and signals.

pub mod bars;
pub mod output;
pub mod progress;
pub mod signals;
pub mod stages;
pub mod tty;
