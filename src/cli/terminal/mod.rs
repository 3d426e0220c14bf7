//! Talking to the person at the terminal: results, messages, progress and Ctrl-C.

pub mod ctrl_c;
pub mod output;
pub mod progress;
pub mod status_line;
