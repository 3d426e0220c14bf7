//! Talking to the person at the terminal: results, messages, progress and Ctrl-C.

pub mod bars;
pub mod ctrl_c;
pub mod output;
pub mod progress;
