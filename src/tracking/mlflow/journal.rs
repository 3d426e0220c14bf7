//! The journal: what a server is to know, one JSON value per line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::FileError;
use crate::files;
use crate::metrics::EpochRecord;
use crate::tracking::tracker::Timing;

/// The file in the tracker's folder.
pub const FILE: &str = "journal.jsonl";

/// Something that a server is to know. Times are milliseconds since 1970: the same numbers sent twice are one to MLflow only if their
/// times are equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The run; always the first entry, and the only one of its kind.
    Run {
        /// Address of the server.
        server: String,
        /// The experiment that the run belongs to.
        experiment: String,
        /// What the run is called.
        name: String,
        /// A name for the run that no other has, by which it is found again.
        key: String,
        /// When it started.
        time: u64,
    },
    /// Settings.
    Params {
        /// By their paths.
        values: BTreeMap<String, String>,
    },
    /// Notes, which can be changed later, unlike settings.
    Tags {
        /// By their names.
        values: BTreeMap<String, String>,
    },
    /// An epoch.
    Epoch {
        /// Its numbers.
        record: EpochRecord,
        /// How long it took.
        timing: Option<Timing>,
        /// When it ended.
        time: u64,
    },
    /// Numbers of the whole run.
    Results {
        /// The epoch that they belong to.
        step: usize,
        /// By their names.
        values: BTreeMap<String, f64>,
        /// When they were measured.
        time: u64,
    },
    /// A file of the run directory.
    Artifact {
        /// Its name.
        file: String,
    },
    /// How the run stands.
    Status {
        /// `RUNNING`, `FINISHED`, `FAILED` or `KILLED`
        status: String,
        /// Since when.
        time: u64,
    },
}

/// The journal of a run for one server.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// What is in it.
    pub contents: Contents,
}

/// What later entries depend on.
#[derive(Debug, Default)]
pub struct Contents {
    /// Whether it has no entries.
    pub is_empty: bool,
    /// The settings.
    pub params: BTreeMap<String, String>,
    /// The epochs.
    pub epochs: BTreeMap<usize, EpochRecord>,
    /// The last numbers of the whole run.
    pub results: Option<(usize, BTreeMap<String, f64>)>,
}

impl Journal {
    /// Opens the journal in a folder, which need not exist.
    ///
    /// # Errors
    /// It can't be read, or the folder not be made.
    pub fn open(folder: &Path) -> Result<Self, FileError> {
        std::fs::create_dir_all(folder).map_err(|error| FileError::create(folder, error))?;
        let path = folder.join(FILE);
        let mut contents = Contents {
            is_empty: true,
            ..Contents::default()
        };
        if path.exists() {
            let text = files::read_text(&path).map_err(|error| FileError::io(&path, error))?;
            let whole = text.rfind('\n').map_or(0, |end| end + 1);
            for line in text[..whole].lines() {
                contents.take(parse(&path, line)?);
            }
            if whole < text.len() {
                // The machine died in the middle of a line.
                cut(&path, whole as u64).map_err(|error| FileError::write(&path, error))?;
            }
        }
        Ok(Self { path, contents })
    }

    /// Appends an entry, whole or not at all.
    ///
    /// # Errors
    /// It can't be written.
    pub fn push(&mut self, entry: Entry) -> Result<(), FileError> {
        let line = serde_json::to_vec(&entry).map_err(|error| FileError::new(&self.path, error))?;
        files::append_line(&self.path, &line)?;
        self.contents.take(entry);
        Ok(())
    }
}

impl Contents {
    fn take(&mut self, entry: Entry) {
        self.is_empty = false;
        match entry {
            Entry::Params { values } => self.params.extend(values),
            Entry::Epoch { record, .. } => {
                self.epochs.insert(record.epoch, record);
            }
            Entry::Results { step, values, .. } => self.results = Some((step, values)),
            Entry::Run { .. }
            | Entry::Tags { .. }
            | Entry::Artifact { .. }
            | Entry::Status { .. } => {}
        }
    }
}

/// An entry of the journal at `path`.
///
/// # Errors
/// The line is not one.
pub fn parse(path: &Path, line: &str) -> Result<Entry, FileError> {
    serde_json::from_str(line).map_err(|error| FileError::new(path, error))
}

fn cut(path: &Path, length: u64) -> std::io::Result<()> {
    let file = std::fs::OpenOptions::new().write(true).open(path)?;
    file.set_len(length)
}
