//! The line on a terminal that says how far something is, and changes in its place.

use std::io::{IsTerminal, Write};

use crate::cli::terminal::output;

/// Back to the line's start, and clear it (xterm control sequences).
const CLEAR: &str = "\r\x1b[K";

/// A changing line on standard error.
pub struct StatusLine {
    terminal: bool,
    /// Whether it is on the screen.
    drawn: bool,
}

impl StatusLine {
    pub fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            drawn: false,
        }
    }

    /// Whether there is a terminal to draw it on.
    pub fn on_terminal(&self) -> bool {
        self.terminal
    }

    /// Shows it instead of what it showed before.
    pub fn draw(&mut self, line: &str) {
        let mut out = std::io::stderr();
        let _ = write!(out, "{CLEAR}{line}").and_then(|()| out.flush());
        self.drawn = true;
    }

    /// Prints a line that stays.
    pub fn say(&mut self, line: &str) {
        self.clear();
        output::note(line);
    }

    /// Takes it off the screen.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(std::io::stderr(), "{CLEAR}");
        }
    }
}
