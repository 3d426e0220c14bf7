//! The tracker of an MLflow server.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::delivery::folder_for;
use super::journal::{Entry, Journal};
use super::sender::Sender;
use crate::files;
use crate::metrics::EpochRecord;
use crate::progress::CancelToken;
use crate::run_dir::{RunDir, Status};
use crate::tracking::params;
use crate::tracking::tracker::{Ending, RunFacts, Tell, Timing, TrackError, Tracker, now, results};

/// The environment variable by which MLflow's own programs choose the experiment; without it, it has the name of kiln's.
const EXPERIMENT: &str = "MLFLOW_EXPERIMENT_NAME";

/// Most settings that MLflow takes at once, most letters of a value (MLflow 2.8 and later), and of a name.
const MAX_PARAMS: usize = 100;
const MAX_VALUE: usize = 6000;
const MAX_KEY: usize = 250;

/// Hexadecimal digits of the key of a run.
const KEY_DIGITS: usize = 32;

/// Keeps what a server is to know in a journal, which a thread sends.
pub struct MlflowTracker {
    server: String,
    run_dir: RunDir,
    folder: PathBuf,
    /// Who is told that the server is away; without anybody, nothing is sent now.
    tell: Option<Tell>,
    journal: Option<Journal>,
    sender: Option<Sender>,
}

impl MlflowTracker {
    /// The tracker of a run for the server at an address. Without somebody to tell, it only keeps what the server is to know.
    pub fn new(server: &str, run_dir: &RunDir, tell: Option<Tell>) -> Self {
        Self {
            server: server.to_string(),
            run_dir: run_dir.clone(),
            folder: folder_for(run_dir, server),
            tell,
            journal: None,
            sender: None,
        }
    }

    fn push(&mut self, entries: impl IntoIterator<Item = Entry>) -> Result<(), TrackError> {
        if let Some(journal) = &mut self.journal {
            for entry in entries {
                journal.push(entry)?;
            }
        }
        if let Some(sender) = &self.sender {
            sender.wake();
        }
        Ok(())
    }

    /// The entries that a run starts with.
    fn opening(&self, run: &RunFacts) -> Vec<Entry> {
        let experiment = std::env::var(EXPERIMENT).ok();
        let experiment = experiment.filter(|name| !name.is_empty());
        let name = run.name();
        let mut entries = vec![Entry::Run {
            server: self.server.clone(),
            experiment: experiment.unwrap_or_else(|| run.experiment.name.clone()),
            key: key(&name),
            name,
            time: now(),
        }];
        let params: Vec<(String, String)> = params_of(run).into_iter().collect();
        for chunk in params.chunks(MAX_PARAMS) {
            entries.push(Entry::Params {
                values: chunk.iter().cloned().collect(),
            });
        }
        entries
    }
}

impl Tracker for MlflowTracker {
    fn name(&self) -> String {
        "mlflow".into()
    }

    fn start(&mut self, run: &RunFacts) -> Result<usize, TrackError> {
        let journal = Journal::open(&self.folder)?;
        let contents = &journal.contents;
        let last = contents.epochs.keys().next_back().copied().unwrap_or(0);
        let entries = if contents.is_empty {
            self.opening(run)
        } else {
            let mut entries = vec![status("RUNNING")];
            // MLflow's settings can't change: what a resumed run was given is noted.
            let mut changed = params_of(run);
            changed.retain(|path, value| contents.params.get(path) != Some(value));
            if !changed.is_empty() {
                entries.push(Entry::Tags { values: changed });
            }
            entries
        };
        self.journal = Some(journal);
        self.push(entries)?;
        if let Some(tell) = &self.tell {
            let sender = Sender::start(&self.run_dir, &self.folder, tell.clone());
            sender.wake();
            self.sender = Some(sender);
        }
        Ok(last)
    }

    fn epoch(&mut self, record: &EpochRecord, timing: Option<Timing>) -> Result<(), TrackError> {
        let journal = self.journal.as_ref();
        let known = journal.and_then(|journal| journal.contents.epochs.get(&record.epoch));
        if known == Some(record) {
            return Ok(());
        }
        self.push([Entry::Epoch {
            record: record.clone(),
            timing,
            time: now(),
        }])
    }

    fn finish(&mut self, ending: &Ending) -> Result<(), TrackError> {
        let mut entries = Vec::new();
        if let Some(summary) = ending.summary {
            let found = (summary.best_epoch, results(summary));
            let known = self
                .journal
                .as_ref()
                .map(|journal| &journal.contents.results);
            if known.and_then(Option::as_ref) != Some(&found) {
                let (step, values) = found;
                entries.push(Entry::Results {
                    step,
                    values,
                    time: now(),
                });
            }
        }
        // An interrupted run will have others.
        if ending.status != Status::Interrupted && ending.summary.is_some() {
            entries.extend(artifacts(&self.run_dir));
        }
        entries.push(status(match ending.status {
            Status::Finished | Status::StoppedEarly => "FINISHED",
            Status::Interrupted => "KILLED",
            Status::Failed => "FAILED",
        }));
        self.push(entries)
    }

    fn close(&mut self, cancel: &CancelToken) {
        if let Some(sender) = self.sender.take() {
            sender.close(cancel);
        }
    }
}

fn status(status: &str) -> Entry {
    Entry::Status {
        status: status.into(),
        time: now(),
    }
}

/// The files of a run that are worth keeping on a server.
fn artifacts(run_dir: &RunDir) -> Vec<Entry> {
    let files = [
        run_dir.config_file(),
        run_dir.metrics_file(),
        run_dir.summary_file(),
        run_dir.report_file(),
        run_dir.model_file(),
    ];
    let existing = files.into_iter().filter(|path| path.exists());
    existing
        .filter_map(|path| {
            let file = path.file_name()?.to_str()?.to_string();
            Some(Entry::Artifact { file })
        })
        .collect()
}

/// The settings as MLflow takes them.
fn params_of(run: &RunFacts) -> BTreeMap<String, String> {
    let mut params = BTreeMap::new();
    for (path, value) in params::flat(run.experiment) {
        let value = params::text(&value);
        if path.len() <= MAX_KEY {
            params.insert(path, value.chars().take(MAX_VALUE).collect());
        }
    }
    if let Some(count) = run.parameters {
        params.insert("parameters_trainable".into(), count.to_string());
    }
    params
}

/// A key that no other run has: of this moment, this process and this name. Drawn without the generators that training uses.
fn key(name: &str) -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let moment = since.map_or(0, |since| since.as_nanos());
    let text = format!("{name} {moment} {}", std::process::id());
    let mut digits = files::hexadecimal(&Sha256::digest(text));
    digits.truncate(KEY_DIGITS);
    digits
}
