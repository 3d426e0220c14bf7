//! The folder of a sweep: one config, the values that some of its keys take, and a run for each combination.
//!
//! ```text
//! sweeps/<name>-<n>/
//!   sweep.json         config, axes, and the status of every run; enough to resume without the config file
//!   1_lr-0.02/         a run directory, as `kiln train` creates it
//!   unfinished/        runs that stopped before their first checkpoint and were restarted
//!   leaderboard.csv    all runs, the best first
//!   sweep.html         the same to look at, with all curves
//!   sweep.lock         held by the process that works on the folder
//! ```

use std::path::{Path, PathBuf};

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

/// Makes sure that no other process works on the folder for as long as the file is held.
fn lock(dir: &Path) -> Result<LockFile, SweepError> {
    LockFile::acquire(&dir.join(LOCK_FILE))?.ok_or_else(|| SweepError::Busy(dir.to_path_buf()))
}

/// A sweep with its folder, which no other process works on.
#[derive(Debug)]
pub struct Sweep {
    /// Its folder.
    pub dir: PathBuf,
    /// The content of its `sweep.json`.
    pub record: SweepRecord,
    /// The experiment of each run.
    pub experiments: Vec<Experiment>,
    #[expect(dead_code, reason = "held until the sweep is dropped")]
    lock: LockFile,
}

impl Sweep {
    /// Turns an empty folder into that of a sweep.
    pub(super) fn create(
        dir: PathBuf,
        record: SweepRecord,
        experiments: Vec<Experiment>,
    ) -> Result<Self, SweepError> {
        let sweep = Self {
            lock: lock(&dir)?,
            dir,
            record,
            experiments,
        };
        sweep.save()?;
        Ok(sweep)
    }

    /// Opens the folder of a sweep to resume it. The status of each run is read from its run directory.
    pub fn open(dir: &Path) -> Result<Self, SweepError> {
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
        let lock = lock(dir)?;
        files::remove_temporaries(dir);
        let record = SweepRecord::read(dir)?;
        let experiments = record.trials.iter().map(|trial| record.experiment(trial));
        let experiments = experiments.collect::<Result<Vec<_>, _>>()?;
        let mut sweep = Self {
            dir: dir.to_path_buf(),
            record,
            experiments,
            lock,
        };
        for index in 0..sweep.record.trials.len() {
            sweep.update_status(index);
        }
        Ok(sweep)
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
    fn is_complete(&self, index: usize) -> bool {
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
