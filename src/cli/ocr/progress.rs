//! How far `kiln ocr` is: on a terminal a bar that moves, else a line for each page.

use std::io::{IsTerminal, Write};

use crate::cli::output;

/// Characters of the bar.
const BAR: usize = 24;

/// Tells how far it is, on standard error; about a single image it says nothing.
pub struct Progress {
    total: usize,
    terminal: bool,
    /// Whether the bar is on the screen.
    drawn: bool,
}

impl Progress {
    pub fn new(total: usize) -> Self {
        Self {
            total,
            terminal: std::io::stderr().is_terminal(),
            drawn: false,
        }
    }

    /// A page is being read, after `done` others.
    pub fn begins(&mut self, done: usize, name: &str) {
        if self.total > 1 && self.terminal {
            let full = BAR * done / self.total;
            let bar = format!("{}{}", "#".repeat(full), ".".repeat(BAR - full));
            // Back to the line's start, clear it (xterm control sequences).
            let mut out = std::io::stderr();
            let _ = write!(out, "\r\x1b[K[{bar}] {}/{} {name}", done + 1, self.total)
                .and_then(|()| out.flush());
            self.drawn = true;
        }
    }

    /// A page was read, as the one after `done` others.
    pub fn ended(&mut self, done: usize, name: &str, lines: usize, letters: usize) {
        if self.total > 1 && !self.terminal {
            let number = done + 1;
            output::note(&format!(
                "{number}/{} {name}: {lines} lines, {letters} letters",
                self.total
            ));
        }
    }

    /// A line that stays.
    pub fn say(&mut self, line: &str) {
        self.clear();
        output::note(line);
    }

    /// Takes the bar off the screen.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
