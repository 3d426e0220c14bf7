//! Sending a journal: from where the last delivery stopped, in order.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::api::{Api, Failure, NewRun, Number, RemoteRun};
use super::journal::{self, Entry};
use crate::error::FileError;
use crate::files;
use crate::run_dir::RunDir;
use crate::tracking::tracker::{TrackError, scalars, times};

/// The folder in the run directory; those for other servers have a number as well.
const FOLDER: &str = "mlflow";

/// How far the journal was sent.
const SENT_FILE: &str = "sent.json";

/// Bytes of the journal that are read at a time: memory stays the same, however long a server was away.
const BLOCK: u64 = 1 << 20;

/// Most metrics that MLflow takes at once.
const MAX_NUMBERS: usize = 1000;

/// Where the sending of a journal stands. If the file is lost, all is sent again, which changes nothing on the server.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Sent {
    /// Bytes of the journal that the server has.
    bytes: u64,
    /// The run's id on the server, and where its files are.
    run: Option<(String, String)>,
}

/// How a delivery goes, for who waits for it.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Grows with every answer, and with every block of a file.
    steps: Arc<AtomicU64>,
    /// The delivery is to stop.
    stop: Arc<AtomicBool>,
}

impl Progress {
    /// Something was sent.
    fn step(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    /// A number that changes as long as something is sent.
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// Asks the delivery to stop before its next request.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// A journal and its server.
pub struct Delivery {
    api: Api,
    server: String,
    run_dir: PathBuf,
    folder: PathBuf,
    sent: Sent,
    delivered: usize,
    /// What the server would not take.
    refused: Option<String>,
}

/// The folders with a journal in a run directory.
pub fn folders(run_dir: &RunDir) -> Vec<PathBuf> {
    let folders = (1..).map(|number| folder(run_dir, number));
    folders
        .take_while(|folder| journal_of(folder).exists())
        .collect()
}

/// The folder for a server: its own, or a new one.
pub fn folder_for(run_dir: &RunDir, server: &str) -> PathBuf {
    let mut all = folders(run_dir);
    let next = folder(run_dir, all.len() + 1);
    all.retain(|folder| server_of(folder).is_ok_and(|known| known == server));
    all.into_iter().next().unwrap_or(next)
}

fn folder(run_dir: &RunDir, number: usize) -> PathBuf {
    run_dir.path().join(match number {
        1 => FOLDER.to_string(),
        number => format!("{FOLDER}-{number}"),
    })
}

fn journal_of(folder: &Path) -> PathBuf {
    folder.join(journal::FILE)
}

/// Whether a journal has something that was not sent.
pub fn is_unsent(folder: &Path) -> bool {
    let length = std::fs::metadata(journal_of(folder)).map_or(0, |data| data.len());
    sent(folder).bytes < length
}

fn sent(folder: &Path) -> Sent {
    let text = files::read_text(&folder.join(SENT_FILE)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// The server that a journal is for.
fn server_of(folder: &Path) -> Result<String, FileError> {
    let path = journal_of(folder);
    let no_journal = || FileError::new(&path, "does not begin with the name of a server");
    match entries_from(&path, 0)?.into_iter().next() {
        Some((Entry::Run { server, .. }, _)) => Ok(server),
        _ => Err(no_journal()),
    }
}

/// The whole entries of a block of the journal, each with the position after it.
fn entries_from(path: &Path, start: u64) -> Result<Vec<(Entry, u64)>, FileError> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(BLOCK).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| FileError::io(path, error))?;
    let mut end = start;
    let mut entries = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(text) = line.strip_suffix(b"\n") else {
            break;
        };
        end += line.len() as u64;
        let text = String::from_utf8_lossy(text);
        entries.push((journal::parse(path, &text)?, end));
    }
    Ok(entries)
}

impl Delivery {
    /// Opens the journal of a folder.
    ///
    /// # Errors
    /// It can't be read.
    pub fn open(run_dir: &RunDir, folder: &Path) -> Result<Self, FileError> {
        let server = server_of(folder)?;
        Ok(Self {
            api: Api::new(&server),
            server,
            run_dir: run_dir.path().to_path_buf(),
            folder: folder.to_path_buf(),
            sent: sent(folder),
            delivered: 0,
            refused: None,
        })
    }

    /// The server's address.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// How many entries were delivered.
    pub fn delivered(&self) -> usize {
        self.delivered
    }

    /// What the server would not take, once.
    pub fn take_refused(&mut self) -> Option<String> {
        self.refused.take()
    }

    /// Sends what was not sent yet.
    ///
    /// # Errors
    /// The server is away, or the journal can't be read.
    pub fn drain(&mut self, progress: &Progress) -> Result<(), TrackError> {
        loop {
            let entries = entries_from(&journal_of(&self.folder), self.sent.bytes)?;
            if entries.is_empty() {
                return Ok(());
            }
            let mut rest = entries.as_slice();
            while let Some((first, end)) = rest.first() {
                if progress.stop.load(Ordering::Relaxed) {
                    let problem = format!("{} takes too long", self.server);
                    return Err(TrackError::Server(problem));
                }
                let (numbers, count, end) = match numbers_of(first) {
                    Some(_) => batch(rest),
                    None => (Vec::new(), 1, *end),
                };
                let done = self.deliver(first, &numbers, progress);
                self.note(done)?;
                self.sent.bytes = end;
                self.save();
                self.delivered += count;
                progress.step();
                rest = &rest[count..];
            }
        }
    }

    /// Passes over what the server refuses, and remembers the first reason.
    fn note(&mut self, done: Result<(), Failure>) -> Result<(), TrackError> {
        match done {
            Ok(()) => Ok(()),
            Err(Failure::Never(problem)) => {
                let problem = format!("{} {problem}", self.server);
                self.refused.get_or_insert(problem);
                Ok(())
            }
            Err(Failure::Later(problem)) => {
                Err(TrackError::Server(format!("{} {problem}", self.server)))
            }
        }
    }

    fn save(&self) {
        let path = self.folder.join(SENT_FILE);
        if let Ok(bytes) = serde_json::to_vec(&self.sent) {
            // Without it, all is sent again.
            let _ = files::write_unflushed(&path, &[&bytes]);
        }
    }

    /// Sends numbers, or else an entry that has none.
    fn deliver(
        &mut self,
        entry: &Entry,
        numbers: &[Number],
        progress: &Progress,
    ) -> Result<(), Failure> {
        let run = self.run()?;
        if !numbers.is_empty() {
            return self.api.numbers(&run, numbers);
        }
        match entry {
            Entry::Run { .. } | Entry::Epoch { .. } | Entry::Results { .. } => Ok(()),
            Entry::Params { values } => self.api.texts(&run, "params", values),
            Entry::Tags { values } => self.api.texts(&run, "tags", values),
            Entry::Status { status, time } => self.api.status(&run, status, *time),
            Entry::Artifact { file } => {
                let path = self.run_dir.join(file);
                let watch = |file| Watched(file, progress.clone());
                self.api.artifact(&run, &path, watch)
            }
        }
    }

    /// The run on the server.
    fn run(&mut self) -> Result<RemoteRun, Failure> {
        if let Some((id, artifacts)) = self.sent.run.clone() {
            return Ok(RemoteRun { id, artifacts });
        }
        let first = entries_from(&journal_of(&self.folder), 0)
            .map_err(|error| Failure::Later(error.to_string()))?
            .into_iter()
            .next();
        let Some((
            Entry::Run {
                experiment,
                name,
                key,
                time,
                ..
            },
            _,
        )) = first
        else {
            return Err(Failure::Later("has no run in the journal".into()));
        };
        let wanted = NewRun {
            experiment: &experiment,
            name: &name,
            key: &key,
            time,
        };
        // Without a run, nothing else can be sent: a refusal is a matter of later, too.
        let run = self.api.run(&wanted).map_err(|failure| match failure {
            Failure::Later(problem) | Failure::Never(problem) => Failure::Later(problem),
        })?;
        self.sent.run = Some((run.id.clone(), run.artifacts.clone()));
        self.save();
        Ok(run)
    }
}

/// The numbers of as many entries as fit into one request, how many entries these are, and where they end.
fn batch(entries: &[(Entry, u64)]) -> (Vec<Number>, usize, u64) {
    let (mut numbers, mut count, mut end) = (Vec::new(), 0, 0);
    for (entry, after) in entries {
        match numbers_of(entry) {
            Some(more) if count == 0 || numbers.len() + more.len() <= MAX_NUMBERS => {
                numbers.extend(more);
                count += 1;
                end = *after;
            }
            _ => break,
        }
    }
    (numbers, count, end)
}

/// The metrics of an entry; `None` for one that has none by its kind.
fn numbers_of(entry: &Entry) -> Option<Vec<Number>> {
    let (step, values, time) = match entry {
        Entry::Epoch {
            record,
            timing,
            time,
        } => {
            let mut values = scalars(record);
            values.extend(timing.map(times).unwrap_or_default());
            (record.epoch, values, *time)
        }
        Entry::Results { step, values, time } => (*step, values.clone(), *time),
        _ => return None,
    };
    let number = |(key, value)| Number {
        key,
        value,
        time,
        step,
    };
    Some(values.into_iter().map(number).collect())
}

/// A file whose reading counts as progress.
struct Watched(File, Progress);

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1.step();
        self.0.read(buffer)
    }
}
