//! The tracker that writes event files.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::event::{self, SessionStatus, Time};
use super::record::{self, Records};
use crate::error::FileError;
use crate::files;
use crate::metrics::EpochRecord;
use crate::run_dir::{RunDir, Status};
use crate::tracking::params;
use crate::tracking::tracker::{
    Ending, RunFacts, Timing, TrackError, Tracker, now, results, scalars, times,
};

/// The folder in the run directory.
const FOLDER: &str = "tensorboard";

/// How files are named: TensorBoard takes those with this in their name, in the order of the seconds after it.
const PREFIX: &str = "events.out.tfevents.";

/// Most bytes of one file that are read back; an epoch takes about 300.
const MAX_BYTES: u64 = 1 << 30;

/// Writes one event file for each time that the run starts or is resumed.
pub struct EventWriter {
    folder: PathBuf,
    /// The file of this time; `None` before the start.
    file: Option<(PathBuf, File)>,
    /// The summaries of each step that the files have.
    known: BTreeMap<usize, Vec<Vec<u8>>>,
}

impl EventWriter {
    /// The writer of a run.
    pub fn new(run_dir: &RunDir) -> Self {
        Self {
            folder: run_dir.path().join(FOLDER),
            file: None,
            known: BTreeMap::new(),
        }
    }

    /// Opens a new file, after those that are there.
    fn open(&mut self) -> Result<(), FileError> {
        std::fs::create_dir_all(&self.folder)
            .map_err(|error| FileError::create(&self.folder, error))?;
        let earlier = event_files(&self.folder);
        let last = earlier.iter().filter_map(|path| seconds(path)).max();
        // Later than the last file even if the clock went back: the order of the names is the order of the events.
        let seconds = (now() / 1000).max(last.map_or(0, |last| last + 1));
        for path in &earlier {
            self.read_back(path)?;
        }
        let path = self.folder.join(format!("{PREFIX}{seconds:010}.kiln"));
        let mut options = OpenOptions::new();
        let file = options.create_new(true).append(true).open(&path);
        let file = file.map_err(|error| FileError::create(&path, error))?;
        self.file = Some((path, file));
        self.write(&[event::version(time())])?;
        Ok(())
    }

    /// Notes what an earlier file has. The end of one may be torn, if the machine died.
    fn read_back(&mut self, path: &Path) -> Result<(), FileError> {
        let bytes = files::read(path, MAX_BYTES).map_err(|error| FileError::io(path, error))?;
        for event in Records(&bytes) {
            if let Some((step, summary)) = event::summary_of(event) {
                let known = self.known.entry(step).or_default();
                known.push(summary.to_vec());
            }
        }
        Ok(())
    }

    fn knows(&self, step: usize, summary: &[u8]) -> bool {
        let known = self.known.get(&step);
        known.is_some_and(|known| known.iter().any(|one| one == summary))
    }

    /// Writes a summary, unless the files have it.
    fn summary(&mut self, step: usize, summary: &[u8]) -> Result<(), FileError> {
        if self.knows(step, summary) {
            return Ok(());
        }
        self.write(&[event::event(time(), step, summary)])
    }

    /// Appends events, all or none.
    fn write(&mut self, events: &[Vec<u8>]) -> Result<(), FileError> {
        let Some((path, file)) = &mut self.file else {
            return Ok(());
        };
        let mut bytes = Vec::new();
        events
            .iter()
            .for_each(|event| record::push(&mut bytes, event));
        let mut append = || -> std::io::Result<()> {
            let before = file.metadata()?.len();
            file.write_all(&bytes).inspect_err(|_| {
                // On a full disk, half of it was written.
                let _ = file.set_len(before);
            })
        };
        append().map_err(|error| FileError::write(&*path, error))
    }
}

impl Tracker for EventWriter {
    fn name(&self) -> String {
        "tensorboard".into()
    }

    fn start(&mut self, run: &RunFacts) -> Result<usize, TrackError> {
        self.open()?;
        if self.known.is_empty() {
            let settings = params::flat(run.experiment);
            let summaries = [
                event::hyper_parameters(&settings, &run.name(), time()),
                event::text("config", &config_text(run)),
            ];
            for summary in summaries {
                self.write(&[event::event(time(), 0, &summary)])?;
            }
        }
        Ok(self.known.keys().next_back().copied().unwrap_or(0))
    }

    fn epoch(&mut self, record: &EpochRecord, timing: Option<Timing>) -> Result<(), TrackError> {
        let (step, summary) = (record.epoch, event::scalars(&scalars(record)));
        if self.knows(step, &summary) {
            return Ok(());
        }
        let mut events = Vec::new();
        if !self.known.split_off(&step).is_empty() {
            // The run went on from an earlier epoch, and differently.
            events.push(event::session_start(time(), step));
        }
        events.push(event::event(time(), step, &summary));
        if let Some(timing) = timing {
            let summary = event::scalars(&times(timing));
            events.push(event::event(time(), step, &summary));
        }
        Ok(self.write(&events)?)
    }

    fn finish(&mut self, ending: &Ending) -> Result<(), TrackError> {
        if let Some(summary) = ending.summary {
            let step = summary.best_epoch;
            self.summary(step, &event::scalars(&results(summary)))?;
            for picture in ending.pictures.iter().filter_map(event::picture) {
                self.summary(step, &picture)?;
            }
        }
        let status = match ending.status {
            Status::Finished | Status::StoppedEarly => SessionStatus::Success,
            Status::Interrupted | Status::Failed => SessionStatus::Failure,
        };
        let end = event::session_end(status, time());
        Ok(self.write(&[event::event(time(), 0, &end)])?)
    }
}

/// The resolved config as Markdown shows it.
fn config_text(run: &RunFacts) -> String {
    let config = serde_json::to_string_pretty(run.experiment).unwrap_or_default();
    let parameters = run
        .parameters
        .map(|count| format!("{count} trainable parameters\n\n"));
    let indented: Vec<String> = config.lines().map(|line| format!("    {line}")).collect();
    parameters.unwrap_or_default() + &indented.join("\n")
}

/// The event files of a folder in the order in which they were begun.
fn event_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut found: Vec<PathBuf> = paths.filter(|path| seconds(path).is_some()).collect();
    found.sort();
    found
}

/// When a file was begun, by its name.
fn seconds(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_prefix(PREFIX)?;
    name.split('.').next()?.parse().ok()
}

fn time() -> Time {
    Time(now() as f64 / 1000.0)
}
