//! The lines that training prints without a dashboard.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::cli::terminal::output;
use crate::cli::terminal::signals::Interruption;
use crate::error::printable;
use crate::metrics::Metrics;
use crate::report::format::duration;
use crate::training::{EpochReport, Observer, Plan};
use crate::weights::Taken;

/// One line per epoch, and more within long ones.
pub struct PlainLines {
    /// A dashboard leaves no room for lines.
    quiet: AtomicBool,
    /// Precedes each line.
    indent: &'static str,
    last_line: Mutex<Instant>,
    /// Warnings that wait for the dashboard to close.
    held: Mutex<Vec<String>>,
    /// Learns when there is something to save.
    interruption: Interruption,
    /// Is told the folder of the run.
    folder: Option<ToldFolder>,
}

/// Something that is told a folder.
type ToldFolder = Box<dyn Fn(&Path) + Send + Sync>;

/// After this time without a line, progress within the epoch is printed.
pub const LINE_INTERVAL: Duration = Duration::from_secs(20);

impl PlainLines {
    /// Lines for a run.
    pub fn new(interruption: &Interruption) -> Self {
        Self {
            quiet: AtomicBool::new(false),
            indent: "",
            last_line: Mutex::new(Instant::now()),
            held: Mutex::default(),
            interruption: interruption.clone(),
            folder: None,
        }
    }

    /// Lines for a run among others.
    pub fn indented(interruption: &Interruption) -> Self {
        Self {
            indent: "  ",
            ..Self::new(interruption)
        }
    }

    /// Lines for a run whose folder someone else wants to know.
    pub fn telling(interruption: &Interruption, folder: ToldFolder) -> Self {
        Self {
            folder: Some(folder),
            ..Self::new(interruption)
        }
    }

    /// Says that the run is being stopped, after Ctrl-C.
    pub fn stopping(&self) {
        self.note(output::STOPPING);
    }

    fn held(&self) -> MutexGuard<'_, Vec<String>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, line: &str) {
        if !self.quiet.load(Ordering::Relaxed) {
            output::note(&format!("{}{line}", self.indent));
        }
        *self
            .last_line
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl Observer for PlainLines {
    fn dashboard(&self, is_shown: bool) {
        self.quiet.store(is_shown, Ordering::Relaxed);
        if !is_shown {
            let held = std::mem::take(&mut *self.held());
            held.iter().for_each(|warning| self.warning(warning));
        }
    }

    fn started(&self, plan: &Plan) {
        self.interruption.saves();
        if let Some(folder) = &self.folder {
            folder(&plan.run_dir);
        }
        let samples = plan.samples;
        self.note(&format!(
            "run {}: {} parameters; {} train, {} valid, {} test samples",
            plan.run_dir.display(),
            plan.parameters,
            samples.train,
            samples.valid,
            samples.test
        ));
        for note in &plan.notes {
            self.note(&format!("data: {}", printable(note)));
        }
        if let Some((path, taken)) = &plan.weights {
            self.note(&weights_line(path, taken));
        }
        for warning in &plan.warnings {
            self.warning(warning);
        }
        if plan.epochs_done > 0 {
            self.note(&format!("resumed after epoch {}", plan.epochs_done));
        }
    }

    fn progress(&self, epoch: usize, part: &str, done: usize, total: usize) {
        let last = *self
            .last_line
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= LINE_INTERVAL {
            self.note(&format!("epoch {epoch}  {part} {done}/{total} samples"));
        }
    }

    fn finishing(&self) {
        self.note("evaluating the best weights");
    }

    fn warning(&self, warning: &str) {
        if self.quiet.load(Ordering::Relaxed) {
            self.held().push(warning.to_string());
        } else {
            output::note(&format!("{}warning: {warning}", self.indent));
        }
    }

    fn epoch(&self, report: &EpochReport) {
        let width = report.epochs.to_string().len();
        let list = |metrics: &Metrics| {
            let parts: Vec<String> = metrics
                .iter()
                .map(|(name, value)| format!("{name} {value:.4}"))
                .collect();
            parts.join(" ")
        };
        let record = &report.record;
        self.note(&format!(
            "epoch {:>width$}/{}  train {}  valid {}  lr {:.2e}  {:.0} samples/s  {} left{}",
            record.epoch,
            report.epochs,
            list(&record.train),
            list(&record.valid),
            record.learning_rate,
            report.samples_per_second,
            duration(report.time_left),
            if report.is_best { "  best" } else { "" },
        ));
    }
}

/// How many patterns, and names beside a prefix, a line lists.
const SHOWN_NAMES: usize = 12;

/// One line about the initial weights: how many were taken, and how their names came to be the network's.
pub fn weights_line(path: &Path, taken: &Taken) -> String {
    let list = |what: &str, names: &[String]| match names {
        [] => String::new(),
        names => format!("; {what}: {}", names.join(", ")),
    };
    let mut notes = String::new();
    if !taken.dictionary.is_empty() {
        notes.push_str(&format!("; from `{}`", taken.dictionary));
    }
    if !taken.others.is_empty() {
        notes.push_str(&format!(" (not `{}`)", taken.others.join("`, `")));
    }
    if !taken.prefix.is_empty() {
        notes.push_str(&format!("; prefix `{}` removed", taken.prefix));
    }
    if taken.is_unwrapped {
        notes.push_str("; wrappers within names removed");
    }
    let renamed = taken.renamed.iter().map(|pattern| pattern.to_string());
    format!(
        "weights {}: {} tensors applied{notes}{}{}{}{}{}",
        path.display(),
        taken.applied.len(),
        list("renamed", &first_names(renamed.collect())),
        list("transposed", &first_names(taken.transposed.clone())),
        list("left out", &first_names(taken.outside.clone())),
        list("unused", &taken.unused),
        list("newly initialized", &taken.fresh)
    )
}

/// The first of many names, and how many more there are.
fn first_names(mut names: Vec<String>) -> Vec<String> {
    let more = names.len().saturating_sub(SHOWN_NAMES);
    if more > 0 {
        names.truncate(SHOWN_NAMES);
        names.push(format!("and {more} more"));
    }
    names
}
