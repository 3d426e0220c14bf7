//! Writes checkpoints on a thread of its own, while the next epoch trains.
//!
//! The checkpoints of the best, the last and the last but one epoch are kept. Each is enough to resume from; the older ones are
//! kept in case the last one is damaged.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::contents::{Header, Parts, Progress};
use super::format;
use super::stored;
use crate::error::FileError;
use crate::run_dir::RunDir;

type Job = (Progress, Parts);
type SharedFailure = Arc<Mutex<Option<FileError>>>;

/// Writes the checkpoints of a run in the background.
pub struct CheckpointWriter {
    /// `None` once nothing more is to come.
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    failure: SharedFailure,
}

impl CheckpointWriter {
    /// Starts the thread; `header` is that of the run, its progress is replaced for each checkpoint.
    pub fn start(run_dir: &RunDir, header: Header) -> Self {
        // No queue: a checkpoint holds as much memory as the network and its optimizer.
        let (sender, receiver) = sync_channel(0);
        let failure = SharedFailure::default();
        let (run_dir, shared) = (run_dir.clone(), failure.clone());
        let folder = run_dir.checkpoints();
        let thread = std::thread::Builder::new()
            .spawn(move || write_all(&run_dir, &header, &receiver, &shared));
        let thread = thread.map_err(|error| {
            let problem = "the thread that writes checkpoints can't be started";
            *lock(&failure) = Some(FileError::new(folder, problem).because(error));
        });
        Self {
            jobs: Some(sender),
            thread: thread.ok(),
            failure,
        }
    }

    /// Writes nothing, in a process that leaves it to another one.
    pub fn none() -> Self {
        Self {
            jobs: None,
            thread: None,
            failure: SharedFailure::default(),
        }
    }

    /// Hands over the checkpoint of the last epoch of `progress`; waits as long as the one before is being written. Nothing more
    /// is written after a failure.
    pub fn write(&self, progress: Progress, parts: Parts) {
        if let Some(jobs) = &self.jobs {
            // The thread stops before the end only after a failure, which is reported.
            let _ = jobs.send((progress, parts));
        }
    }

    /// Whether a checkpoint could not be written.
    pub fn has_failed(&self) -> bool {
        lock(&self.failure).is_some()
    }

    /// Takes the reason why a checkpoint could not be written, if one could not.
    pub fn failure(&self) -> Option<FileError> {
        lock(&self.failure).take()
    }

    /// Waits for the last checkpoint.
    ///
    /// # Errors
    /// A checkpoint could not be written, and the failure has not been taken.
    pub fn finish(&mut self) -> Result<(), FileError> {
        self.join();
        self.failure().map_or(Ok(()), Err)
    }

    fn join(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // It has no reason to panic; if it does, its checkpoint is missing, as after a kill.
            let _ = thread.join();
        }
    }
}

impl Drop for CheckpointWriter {
    fn drop(&mut self) {
        self.join();
    }
}

fn write_all(run_dir: &RunDir, header: &Header, jobs: &Receiver<Job>, failure: &SharedFailure) {
    for (progress, parts) in jobs {
        let (epoch, best) = (progress.epochs.len(), progress.best.map(|(best, _)| best));
        let header = Header {
            progress,
            ..header.clone()
        };
        match format::write(&stored::path_of(run_dir, epoch), header, parts) {
            Ok(()) => stored::remove_outdated(run_dir, epoch, best),
            Err(error) => {
                *lock(failure) = Some(error);
                return;
            }
        }
    }
}

fn lock(failure: &SharedFailure) -> MutexGuard<'_, Option<FileError>> {
    failure.lock().unwrap_or_else(PoisonError::into_inner)
}
