//! Progress of `kiln ocr`: a bar on a terminal, otherwise a line per page.

use crate::cli::terminal::output;
use crate::cli::terminal::status_line::StatusLine;

/// Width of the bar, in characters.
const BAR: usize = 24;

/// Reports progress on standard error; a single image has none.
pub struct Progress {
    total: usize,
    line: StatusLine,
}

impl Progress {
    pub fn new(total: usize) -> Self {
        Self {
            total,
            line: StatusLine::new(),
        }
    }

    /// A page is being read; `done` others were read before.
    pub fn started(&mut self, done: usize, name: &str) {
        if self.total > 1 && self.line.on_terminal() {
            let full = BAR * done / self.total;
            let bar = format!("{}{}", "#".repeat(full), ".".repeat(BAR - full));
            let line = format!("[{bar}] {}/{} {name}", done + 1, self.total);
            self.line.draw(&line);
        }
    }

    /// A page was read; `done` others were read before.
    pub fn finished(&mut self, done: usize, name: &str, lines: usize, letters: usize) {
        if self.total > 1 && !self.line.on_terminal() {
            let number = done + 1;
            output::note(&format!(
                "{number}/{} {name}: {lines} lines, {letters} letters",
                self.total
            ));
        }
    }

    /// A line that stays.
    pub fn say(&mut self, line: &str) {
        self.line.say(line);
    }

    /// Takes the bar off the screen.
    pub fn clear(&mut self) {
        self.line.clear();
    }
}
