//! Progress of `kiln ocr`: a bar on a terminal, else a line for each page.

use indicatif::ProgressBar;

use crate::cli::terminal::{bars, output};

/// Progress over several images; for a single one nothing is shown.
pub struct Progress {
    total: usize,
    bar: ProgressBar,
}

impl Progress {
    /// Progress over `total` images.
    pub fn new(total: usize) -> Self {
        Self {
            total,
            bar: bars::items(total),
        }
    }

    /// An image is about to be read, after `done` others.
    pub fn starts(&self, done: usize, name: &str) {
        if self.total > 1 {
            self.bar.set_position(done as u64);
            self.bar.set_message(name.to_string());
        }
    }

    /// An image was read, after `done` others, and this was found. That it is nothing is said in any case.
    pub fn ended(&self, done: usize, name: &str, found: &str, is_empty: bool) {
        if self.total > 1 && self.bar.is_hidden() {
            output::note(&format!("{}/{} {name}: {found}", done + 1, self.total));
        } else if is_empty {
            self.note(&format!("{name}: {found}"));
        }
    }

    /// Prints a line that stays.
    pub fn note(&self, line: &str) {
        bars::note_above(&self.bar, line);
    }

    /// Removes the bar.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
