//! The folder of a sweep: one config, the values that some of its keys take, and a run for each combination.
//!
//! ```text
//! sweeps/<name>-<n>/
//!   sweep.json         config, axes, and the status of every run; enough to resume without the config file
//!   1_lr-0.02/         a run directory, as `kiln train` creates it
//!   unfinished/        runs that stopped before their first checkpoint and were restarted
//!   leaderboard.csv    all runs, the best first
//!   sweep.html         the same to look at, with all curves
//!   sweep.lock         held by the process that works on the folder; by a worker, only while it chooses or records a run
//!   claims/            a lock for each run that a worker trains
//! ```

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::SweepError;
use super::record::{SWEEP_FILE, SweepRecord, TrialStatus};
use super::runs::RunRecord;
use crate::config::Experiment;
use crate::error::FileError;
use crate::files::{self, LockFile};
use crate::run_dir::{self, RunDir};

/// Held while a process works on the folder.
const LOCK_FILE: &str = "sweep.lock";
/// Holds runs that stopped before their first checkpoint.
const UNFINISHED: &str = "unfinished";
/// Holds the locks of runs that workers train.
const CLAIMS: &str = "claims";
/// How long a worker waits for its turn: others hold the folder for some milliseconds, or for as long as they train.
const LONGEST_TURN: Duration = Duration::from_secs(20);
/// Between two attempts.
const TURN_INTERVAL: Duration = Duration::from_millis(20);

/// Makes sure that no other process works on the folder for as long as the file is held.
fn lock(dir: &Path) -> Result<LockFile, SweepError> {
    LockFile::acquire(&dir.join(LOCK_FILE))?.ok_or_else(|| SweepError::Busy(dir.to_path_buf()))
}

/// [`lock`] once it is free.
fn wait_for_lock(dir: &Path) -> Result<LockFile, SweepError> {
    let began = Instant::now();
    loop {
        match lock(dir) {
            Err(SweepError::Busy(_)) if began.elapsed() < LONGEST_TURN => {
                std::thread::sleep(TURN_INTERVAL);
            }
            end => return end,
        }
    }
}

/// A sweep with its folder, which no other process works on but for workers.
#[derive(Debug)]
pub struct Sweep {
    /// Its folder.
    pub dir: PathBuf,
    /// The content of its `sweep.json`.
    pub record: SweepRecord,
    /// The experiment of each run.
    pub experiments: Vec<Experiment>,
    /// Held until the sweep is dropped; `None` for a worker, which takes it when it needs it.
    lock: Option<LockFile>,
}

impl Sweep {
    /// Turns an empty folder into that of a sweep.
    pub(super) fn create(
        dir: PathBuf,
        record: SweepRecord,
        experiments: Vec<Experiment>,
    ) -> Result<Self, SweepError> {
        let sweep = Self {
            lock: Some(lock(&dir)?),
            dir,
            record,
            experiments,
        };
        sweep.save()?;
        Ok(sweep)
    }

    /// A sweep that several workers may work on: makes its folder, or joins the one that another worker made.
    pub(super) fn share(
        dir: &Path,
        record: SweepRecord,
        experiments: Vec<Experiment>,
    ) -> Result<Self, SweepError> {
        std::fs::create_dir_all(dir).map_err(|source| FileError::create(dir, source))?;
        files::require_locks(dir)?;
        let turn = wait_for_lock(dir)?;
        if dir.join(SWEEP_FILE).is_file() {
            drop(turn);
            return Self::join(dir);
        }
        let entries = std::fs::read_dir(dir).map_err(|source| FileError::io(dir, source))?;
        if entries
            .flatten()
            .any(|entry| entry.file_name() != LOCK_FILE)
        {
            return Err(SweepError::NotASweep {
                path: dir.to_path_buf(),
                problem: "it has files, but no sweep.json; choose a new folder".into(),
            });
        }
        let sweep = Self {
            dir: dir.to_path_buf(),
            record,
            experiments,
            lock: None,
        };
        sweep.save()?;
        Ok(sweep)
    }

    /// Opens the folder of a sweep as one of its workers.
    pub fn join(dir: &Path) -> Result<Self, SweepError> {
        Self::require(dir)?;
        files::require_locks(dir)?;
        let _turn = wait_for_lock(dir)?;
        let (record, experiments) = Self::read(dir)?;
        Ok(Self {
            dir: dir.to_path_buf(),
            record,
            experiments,
            lock: None,
        })
    }

    /// Opens the folder of a sweep to resume it. The status of each run is read from its run directory.
    pub fn open(dir: &Path) -> Result<Self, SweepError> {
        Self::require(dir)?;
        let lock = lock(dir)?;
        let (record, experiments) = Self::read(dir)?;
        let mut sweep = Self {
            dir: dir.to_path_buf(),
            record,
            experiments,
            lock: Some(lock),
        };
        if (0..sweep.record.trials.len()).any(|index| sweep.is_claimed(index)) {
            return Err(SweepError::Busy(dir.to_path_buf()));
        }
        files::remove_temporaries(dir);
        for index in 0..sweep.record.trials.len() {
            sweep.update_status(index);
        }
        Ok(sweep)
    }

    /// Refuses a folder that is not a sweep's.
    fn require(dir: &Path) -> Result<(), SweepError> {
        if !dir.exists() {
            let missing = FileError::new(dir, "not found").usage();
            return Err(missing
                .advise("use a folder that `kiln sweep` created")
                .into());
        }
        let file = dir.join(SWEEP_FILE);
        // Before the lock, whose file does not belong into folders of other kinds.
        if !file.is_file() {
            return Err(SweepError::NotASweep {
                path: dir.to_path_buf(),
                problem: format!("it has no {SWEEP_FILE}; use a folder that `kiln sweep` created"),
            });
        }
        Ok(())
    }

    /// What the folder's `sweep.json` says.
    fn read(dir: &Path) -> Result<(SweepRecord, Vec<Experiment>), SweepError> {
        let record = SweepRecord::read(dir)?;
        let experiments = record.trials.iter().map(|trial| record.experiment(trial));
        let experiments = experiments.collect::<Result<Vec<_>, _>>()?;
        Ok((record, experiments))
    }

    /// Passes the sweep to `change` while no other process changes its folder. A worker reads first what others have recorded, so that
    /// what was read before is out of date.
    pub(super) fn in_turn<T>(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<T, SweepError>,
    ) -> Result<T, SweepError> {
        let _turn = match self.lock {
            Some(_) => None,
            None => {
                let turn = wait_for_lock(&self.dir)?;
                self.record = SweepRecord::read(&self.dir)?;
                Some(turn)
            }
        };
        change(self)
    }

    /// Claims a run for this process; `None` if a worker has it.
    pub(super) fn claim(&self, index: usize) -> Result<Option<LockFile>, SweepError> {
        let claim = self.claim_file(index);
        let folder = self.dir.join(CLAIMS);
        std::fs::create_dir_all(&folder).map_err(|source| FileError::create(&folder, source))?;
        Ok(LockFile::acquire(&claim)?)
    }

    /// Removes the claims that workers left behind when they died, after the last run.
    pub(super) fn remove_claims(&self) -> Result<(), SweepError> {
        for index in 0..self.record.trials.len() {
            if self.claim_file(index).exists() {
                // Dropped at once, and removed with that.
                self.claim(index)?;
            }
        }
        // Not if another worker has a run.
        let _ = std::fs::remove_dir(self.dir.join(CLAIMS));
        Ok(())
    }

    fn is_claimed(&self, index: usize) -> bool {
        LockFile::is_held(&self.claim_file(index))
    }

    fn claim_file(&self, index: usize) -> PathBuf {
        let name = format!("{}.lock", self.record.trials[index].run);
        self.dir.join(CLAIMS).join(name)
    }

    /// Corrects the recorded status of a run by what its folder holds.
    fn update_status(&mut self, index: usize) {
        let complete = self.is_complete(index);
        let trial = &mut self.record.trials[index];
        trial.status = match (complete, trial.status) {
            (true, _) => TrialStatus::Finished,
            (false, TrialStatus::Diverged) => TrialStatus::Diverged,
            (false, _) => TrialStatus::Waiting,
        };
        if trial.status != TrialStatus::Diverged {
            trial.error = None;
        }
    }

    /// Whether a run's folder holds a complete run of this sweep's experiment.
    pub(super) fn is_complete(&self, index: usize) -> bool {
        let run = RunRecord::read(&self.run_path(index));
        // Compared by meaning: an older kiln wrote fewer keys.
        let experiment = || RunDir::open(&run.path).and_then(|run| run.experiment());
        run.state.is_complete()
            && run.path.join("report.html").is_file()
            && experiment().is_ok_and(|experiment| experiment == self.experiments[index])
    }

    /// The folder of a run.
    pub fn run_path(&self, index: usize) -> PathBuf {
        self.dir.join(&self.record.trials[index].run)
    }

    /// Moves the folder of a run that cannot be resumed into `unfinished/`.
    pub(super) fn set_aside(&self, index: usize) -> Result<(), SweepError> {
        let from = self.run_path(index);
        if !from.exists() {
            return Ok(());
        }
        let name = &self.record.trials[index].run;
        let to = run_dir::numbered_folder(&self.dir.join(UNFINISHED), name)?;
        // Not every system renames onto an empty folder.
        std::fs::remove_dir(&to)
            .and_then(|()| std::fs::rename(&from, &to))
            .map_err(|source| FileError::new(from, "cannot be moved").because(source))?;
        Ok(())
    }

    /// Records the status of a run.
    pub(super) fn set_status(
        &mut self,
        index: usize,
        status: TrialStatus,
        error: Option<String>,
    ) -> Result<(), SweepError> {
        let trial = &mut self.record.trials[index];
        trial.status = status;
        trial.error = error;
        self.save()
    }

    fn save(&self) -> Result<(), SweepError> {
        let path = self.dir.join(SWEEP_FILE);
        let mut text = serde_json::to_string_pretty(&self.record)
            .map_err(|error| FileError::write(&path, error.into()))?;
        text.push('\n');
        Ok(files::write(&path, text.as_bytes())?)
    }
}
