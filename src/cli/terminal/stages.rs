//! Progress of long work that is not training: a bar on a terminal, lines elsewhere.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::signals::Interruption;
use super::{bars, output};
use crate::cli::failure::Failure;
use crate::progress::{Monitor, Watcher};
use crate::report::format::duration;

/// Between two updates of the bar.
const BAR_INTERVAL: Duration = Duration::from_millis(100);
/// A stage without a terminal prints its first line after this time: shorter ones need none.
const FIRST_LINE: Duration = Duration::from_secs(2);
/// Between its further lines.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// The monitor of work that signals cancel, with its stages on standard error.
pub fn monitor(interruption: &Interruption) -> Monitor {
    let lines = Arc::new(StageLines::default());
    Monitor::new(interruption.cancel().clone(), lines)
}

/// A monitor for work that saves nothing: it shows its stages, and signals end it.
pub fn listening_monitor() -> Result<Monitor, Failure> {
    let interruption = Interruption::default();
    interruption.listen(|| {})?;
    Ok(monitor(&interruption))
}

/// Shows the stages of work on standard error.
#[derive(Default)]
struct StageLines {
    stage: Mutex<Option<Shown>>,
}

/// The stage that is shown.
struct Shown {
    name: &'static str,
    total: Option<usize>,
    bar: ProgressBar,
    began: Instant,
    next_update: Instant,
}

impl Watcher for StageLines {
    fn begins(&self, name: &'static str, total: Option<usize>) {
        let bar = bars::stage(name, total);
        let began = Instant::now();
        let wait = if bar.is_hidden() {
            FIRST_LINE
        } else {
            BAR_INTERVAL
        };
        let next_update = began + wait;
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        *stage = Some(Shown {
            name,
            total,
            bar,
            began,
            next_update,
        });
    }

    fn advances(&self, done: usize) {
        // Another thread is at it.
        let Ok(mut stage) = self.stage.try_lock() else {
            return;
        };
        if let Some(shown) = stage.as_mut() {
            shown.update(done);
        }
    }

    fn ends(&self) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shown) = stage.take() {
            shown.bar.finish_and_clear();
        }
    }
}

impl Shown {
    fn update(&mut self, done: usize) {
        let now = Instant::now();
        if now < self.next_update {
            return;
        }
        if self.bar.is_hidden() {
            self.next_update = now + LINE_INTERVAL;
            output::note(&line(self.name, done, self.total, now - self.began));
        } else {
            self.next_update = now + BAR_INTERVAL;
            self.bar.set_position(done as u64);
        }
    }
}

/// How far a stage has come after `elapsed`.
fn line(name: &str, done: usize, total: Option<usize>, elapsed: Duration) -> String {
    let Some(total) = total.filter(|&total| total > 0) else {
        return format!("{name}: {done} so far");
    };
    let share = done as f64 / total as f64;
    // The rest takes as long per item as what is done.
    let left = elapsed.mul_f64((1.0 - share).max(0.0) / share.max(f64::MIN_POSITIVE));
    format!(
        "{name}: {done} of {total} ({:.0} %), {} left",
        100.0 * share,
        duration(left)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_is_done_and_how_long_the_rest_takes_at_this_rate() {
        let after = Duration::from_secs(30);
        let text = line("reading images", 1500, Some(6000), after);
        assert_eq!(text, "reading images: 1500 of 6000 (25 %), 1 min 30 s left");
        assert_eq!(
            line("listing files", 7, None, after),
            "listing files: 7 so far"
        );
    }
}
