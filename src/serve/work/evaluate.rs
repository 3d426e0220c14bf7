//! Runs are evaluated in the background, one at a time; the last few results are kept.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Semaphore;

use super::models::Models;
use crate::data::{DataSource, Split};
use crate::evaluation::Listing;
use crate::inference::Classifier;
use crate::progress::{CancelToken, Monitor, Watcher};
use crate::run_dir::{self, RunDir};
use crate::serve::problem::Problem;

/// Results that are kept; each holds the data of its run.
const KEPT: usize = 3;
/// Evaluations that may wait for each other.
const MAX_WAITING: usize = 8;
/// How long a failure is told before the run is evaluated again: it may have been of the data, or of a moment.
const FAILURE_TIME: Duration = Duration::from_secs(10);

/// A run that was evaluated.
pub struct Evaluated {
    /// Its model.
    pub classifier: Classifier,
    /// Its data.
    pub source: Arc<dyn DataSource>,
    /// The split.
    pub split: Split,
    /// All answers.
    pub listing: Listing,
}

/// How far an evaluation is.
#[derive(Clone)]
pub enum Progressing {
    /// So many samples of so many.
    Running(usize, usize),
    /// Done.
    Done(Arc<Evaluated>),
    /// It failed.
    Failed(Problem),
}

/// What an evaluation is of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    run: PathBuf,
    split: Split,
    /// Length of the run's model and its config, and when they were written.
    stamps: [Option<(u64, SystemTime)>; 2],
}

impl Key {
    fn of(run: &Path, split: Split) -> Self {
        let stamp = |name| {
            let file = std::fs::metadata(run.join(name)).ok()?;
            Some((file.len(), file.modified().ok()?))
        };
        Self {
            run: run.to_path_buf(),
            split,
            stamps: ["model.safetensors", "config.json"].map(stamp),
        }
    }
}

/// What came of an evaluation, and when.
type Outcome = (Instant, Result<Arc<Evaluated>, Problem>);

/// An evaluation.
struct Job {
    key: Key,
    state: Mutex<Option<Outcome>>,
    done: AtomicUsize,
    total: AtomicUsize,
}

impl Watcher for Job {
    fn begins(&self, _stage: &'static str, total: Option<usize>) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total.unwrap_or(0), Ordering::Relaxed);
    }

    fn advances(&self, done: usize) {
        self.done.fetch_max(done, Ordering::Relaxed);
    }
}

impl Job {
    fn state(&self) -> Progressing {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            Some((_, Ok(evaluated))) => Progressing::Done(evaluated.clone()),
            Some((_, Err(problem))) => Progressing::Failed(problem.clone()),
            None => Progressing::Running(
                self.done.load(Ordering::Relaxed),
                self.total.load(Ordering::Relaxed),
            ),
        }
    }

    /// Whether it is over, and nothing that another request should be told.
    fn is_forgotten(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(&*state, Some((ended, Err(_))) if ended.elapsed() > FAILURE_TIME)
    }
}

/// The evaluations that run, and the results that are kept.
pub struct Evaluations {
    models: Arc<Models>,
    /// One at a time: each uses all cores.
    turn: Arc<Semaphore>,
    /// The newest last.
    jobs: Mutex<Vec<Arc<Job>>>,
}

impl Evaluations {
    /// None yet.
    pub fn new(models: Arc<Models>) -> Self {
        Self {
            models,
            turn: Arc::new(Semaphore::new(1)),
            jobs: Mutex::default(),
        }
    }

    /// How far the evaluation of a run on a split is; begins it if nobody has, or if its model or config has changed. Drops what is kept no
    /// longer, which takes a while: not for a thread that handles connections.
    ///
    /// # Errors
    /// Too many are waiting.
    pub fn of(&self, run: &Path, split: Split) -> Result<Progressing, Problem> {
        let key = Key::of(run, split);
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.retain(|job| !job.is_forgotten());
        if let Some(index) = jobs.iter().position(|job| job.key == key) {
            let job = jobs.remove(index);
            let state = job.state();
            jobs.push(job);
            return Ok(state);
        }
        let is_over = |job: &Arc<Job>| !matches!(job.state(), Progressing::Running(..));
        while jobs.len() >= KEPT {
            match jobs.iter().position(is_over) {
                Some(oldest) => drop(jobs.remove(oldest)),
                None if jobs.len() < MAX_WAITING => break,
                None => return Err(Problem::busy()),
            }
        }
        let job = Arc::new(Job {
            key,
            state: Mutex::default(),
            done: AtomicUsize::new(0),
            total: AtomicUsize::new(0),
        });
        jobs.push(job.clone());
        let (models, turn) = (self.models.clone(), self.turn.clone());
        tokio::spawn(async move {
            // Closed only with the server.
            let turn = turn.acquire_owned().await;
            let done = tokio::task::spawn_blocking(move || run_job(&job, &models)).await;
            drop((turn, done));
        });
        Ok(Progressing::Running(0, 0))
    }
}

fn run_job(job: &Arc<Job>, models: &Models) {
    let evaluate = || evaluate(job, models);
    let result = catch_unwind(AssertUnwindSafe(evaluate))
        .unwrap_or_else(|_| Err(Problem::failed("evaluating this run failed")));
    let mut state = job.state.lock().unwrap_or_else(PoisonError::into_inner);
    *state = Some((Instant::now(), result.map(Arc::new)));
}

fn evaluate(job: &Arc<Job>, models: &Models) -> Result<Evaluated, Problem> {
    let Key { run, split, .. } = &job.key;
    let monitor = Monitor::new(CancelToken::default(), job.clone());
    let (classifier, _) = models.any(run)?;
    let dir = RunDir::open(run).map_err(Problem::unusable)?;
    let experiment = dir.experiment().map_err(Problem::unusable)?;
    let opened = run_dir::open_data(&experiment.data, &dir.config_file(), &[*split], &monitor);
    let (source, _) = opened.map_err(Problem::unusable)?;
    let listing = Listing::of(&classifier, source.clone(), *split, &monitor);
    Ok(Evaluated {
        classifier,
        source,
        split: *split,
        listing: listing.map_err(Problem::unusable)?,
    })
}
