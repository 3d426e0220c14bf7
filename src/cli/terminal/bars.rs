//! Progress bars on standard error. Without a terminal they are invisible, and lines take their place.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

use super::{output, tty};
use crate::report::format::{duration, size};

/// Between two lines of a download without a terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
/// A bar that fills from left to right.
const BAR_CHARACTERS: &str = "#..";

/// A bar over a number of items, with the name of the current one.
pub fn items(total: usize) -> ProgressBar {
    visible_bar(Some(total as u64)).with_style(style("[{bar:24}] {pos}/{len} {msg}"))
}

/// A bar over the items of a stage of work, if their number is known, or a count of them.
pub fn stage(name: &'static str, total: Option<usize>) -> ProgressBar {
    let template = match total {
        Some(_) => "{msg} [{bar:24}] {pos}/{len}  {eta} left",
        None => "{msg} {pos}",
    };
    visible_bar(total.map(|total| total as u64))
        .with_style(style(template))
        .with_message(name)
}

/// A bar on standard error that leaves nothing behind; invisible where nothing can be drawn.
fn visible_bar(length: Option<u64>) -> ProgressBar {
    let target = if tty::error_draws() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    ProgressBar::with_draw_target(length, target).with_finish(ProgressFinish::AndClear)
}

/// Prints a line above the bar, or just prints it where no bar is visible.
pub fn note_above(bar: &ProgressBar, line: &str) {
    bar.suspend(|| output::note(line));
}

/// A bar over the bytes of a download.
pub struct DownloadBar {
    bar: ProgressBar,
    last_line: Instant,
}

impl DownloadBar {
    /// A bar that is drawn from the first [`advance`](Self::advance) on.
    pub fn new() -> Self {
        Self {
            bar: visible_bar(None),
            last_line: Instant::now(),
        }
    }

    /// Starts a file of which `done` bytes exist already.
    pub fn start(&mut self, done: u64, total: Option<u64>) {
        let template = match total {
            Some(total) => {
                self.bar.set_length(total);
                "[{bar:24}] {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left"
            }
            None => {
                self.bar.unset_length();
                "{decimal_bytes}  {decimal_bytes_per_sec}"
            }
        };
        self.bar.set_style(style(template));
        self.bar.set_position(done);
        self.bar.reset_elapsed();
        self.bar.reset_eta();
        self.last_line = Instant::now();
    }

    /// Moves the bar to `done` bytes.
    pub fn advance(&mut self, done: u64) {
        self.bar.set_position(done);
        if self.bar.is_hidden() && self.last_line.elapsed() >= LINE_INTERVAL {
            self.last_line = Instant::now();
            output::note(&self.line(done));
        }
    }

    /// Prints a line above the bar.
    pub fn note(&self, line: &str) {
        note_above(&self.bar, line);
    }

    /// Removes the bar.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, done: u64) -> String {
        let rate = size(self.bar.per_sec() as u64);
        match self.bar.length().filter(|total| *total > 0) {
            Some(total) => format!(
                "{:3.0} % of {}  {rate}/s  {} left",
                100.0 * done as f64 / total as f64,
                size(total),
                duration(self.bar.eta())
            ),
            None => format!("{}  {rate}/s", size(done)),
        }
    }
}

/// A style of a template of this file; a plain bar if indicatif does not know it any more.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars(BAR_CHARACTERS)
}
