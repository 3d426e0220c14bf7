//! One run: from an experiment, or from a run that stopped, to a finished run directory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use burn::train::metric::LearningRateMetric;
use burn::train::{Interrupter, Learner, SupervisedTraining, TrainingStrategy};

use super::burn_panics;
use super::checkpoint::CheckpointWriter;
use super::divergence::{LossCheck, no_better_than_a_guess};
use super::epochs::history::History;
use super::epochs::profile::Profile;
use super::epochs::strategy::{EpochStrategy, NoBatches};
use super::epochs::training_loop::{LoopConfig, TrainingLoop};
use super::error::TrainError;
use super::features::Memory;
use super::finish::finish;
use super::monitor::final_values::FinalValues;
use super::monitor::metrics as epoch_metrics;
use super::monitor::renderer::Renderer;
use super::monitor::screen::Screen;
use super::monitor::tracked::{self, Tracked};
use super::observer::{Observer, Plan};
use super::optimization::optimizer;
use super::prepare::{Prepared, prepare, prepare_resumed};
use super::ranks::{self, agree_or_fail};
use super::resume::Resumption;
use super::start::Start;
use super::step::TrainState;
use super::train_model::TrainModel;
use crate::config::Experiment;
use crate::data::Split;
use crate::error::counted;
use crate::files::LockFile;
use crate::metrics;
use crate::models::Work;
use crate::parallel::{Group, Moment};
use crate::progress::{CancelToken, Monitor};
use crate::run_dir::{RunDir, Status, Summary};
use crate::tracking::Ending;

/// Options of a run besides its experiment.
pub struct Options {
    /// Folder of a new run; `None` takes the next `runs/<name>-<n>`. A resumed run has its own.
    pub run_dir: Option<PathBuf>,
    /// Show Burn's dashboard on the terminal of standard input and output, if that can be done.
    pub dashboard: bool,
    /// Watches the data being read, and cancels: a run that is training finishes its batch and is saved.
    pub monitor: Monitor,
    /// Receives the progress of training.
    pub observer: Arc<dyn Observer>,
    /// The processes that train the run together, each of which makes the same call; [`Alone`](crate::parallel::Alone) without others.
    /// Rank 0 writes the run directory.
    pub group: Arc<dyn Group>,
    /// Counts where the time of epochs goes, if anybody wants to know.
    pub profile: Option<Profile>,
}

/// The end of a run that has nothing to show.
const FAILED: Ending = Ending {
    status: Status::Failed,
    summary: None,
    pictures: &[],
};

/// A finished run.
#[derive(Debug)]
pub struct Outcome {
    /// Its folder.
    pub run_dir: RunDir,
    /// `summary.json`
    pub summary: Summary,
    /// What a training sample costs.
    pub work: Work,
}

/// Trains an experiment.
///
/// # Errors
/// All errors in the experiment are found before the run directory is made. A run that fails after an epoch was completed
/// still gets its model and summary.
pub fn run(experiment: Experiment, options: Options) -> Result<Outcome, TrainError> {
    let (path, group) = (options.run_dir.as_deref(), &*options.group);
    let prepared = together(group, || {
        join(&experiment, group)?;
        if group.writes() {
            // Before the data is read, which may take a while.
            RunDir::could_create(path)?;
        }
        prepare(experiment, &options.monitor)
    })?;
    ranks::same_start(group, &prepared, 0)?;
    let made = together(group, || {
        if !group.writes() {
            return Ok(None);
        }
        let run_dir = RunDir::create(path, &prepared.experiment.name, &prepared.experiment)?;
        let lock = run_dir.lock()?;
        Ok(Some((run_dir, lock)))
    })?;
    let (run_dir, lock) = made.unzip();
    let run_dir = shared_folder(group, run_dir);
    train_and_finish(&prepared, run_dir, lock, Start::new(&prepared), options)
}

/// Continues a run as if it had never stopped.
///
/// # Errors
/// As those of [`run`]; or the data has changed, or the checkpoint does not match the network.
pub fn resume(mut resumption: Resumption, options: Options) -> Result<Outcome, TrainError> {
    let group = &*options.group;
    let (lock, prepared, mut start) = together(group, || {
        join(&resumption.experiment, group)?;
        let lock = match resumption.lock.take() {
            None if group.writes() => Some(resumption.run_dir.lock()?),
            lock => lock,
        };
        let prepared = prepare_resumed(&resumption, &options.monitor)?;
        let start = match &resumption.checkpoint {
            None => Start::new(&prepared),
            Some(checkpoint) => Start::resumed(&prepared, checkpoint)?,
        };
        Ok((lock, prepared, start))
    })?;
    ranks::same_start(group, &prepared, resumption.epoch())?;
    // All checks are done; from here on files change.
    together(group, || {
        if group.writes() {
            resumption.rewind()
        } else {
            Ok(())
        }
    })?;
    if let Some(checkpoint) = resumption.checkpoint {
        start = start.restore(checkpoint.parts);
    }
    train_and_finish(&prepared, resumption.run_dir, lock, start, options)
}

/// Does something before training on every rank; an error of one is an error of all.
fn together<T>(
    group: &dyn Group,
    work: impl FnOnce() -> Result<T, TrainError>,
) -> Result<T, TrainError> {
    agree_or_fail(group, Moment::Preparing, work())
}

/// Checks that the experiment is one for so many processes.
fn join(experiment: &Experiment, group: &dyn Group) -> Result<(), TrainError> {
    let (ranks, processes) = (experiment.parallel.ranks, group.size());
    if ranks != processes {
        let are = if processes == 1 { "is" } else { "are" };
        return Err(TrainError::Mismatch(format!(
            "parallel.ranks: found {ranks}, but there {are} {}; use `kiln train --ranks {ranks}`, or mpiexec or srun with as many",
            counted(processes, "process", "processes")
        )));
    }
    group.set_timeout(Duration::from_secs(experiment.parallel.timeout_s));
    Ok(())
}

/// The folder that rank 0 has made.
fn shared_folder(group: &dyn Group, mine: Option<RunDir>) -> RunDir {
    let path = mine.as_ref().map_or(Path::new(""), RunDir::path);
    let path = path.to_string_lossy().into_owned();
    mine.filter(|_| group.is_alone()).unwrap_or_else(|| {
        let path = group.broadcast(Moment::Preparing, path.as_bytes());
        RunDir::of_another_process(Path::new(&*String::from_utf8_lossy(&path)))
    })
}

/// Trains, evaluates and writes the results, in a folder that is locked meanwhile.
fn train_and_finish(
    prepared: &Prepared,
    run_dir: RunDir,
    _lock: Option<LockFile>,
    start: Start,
    mut options: Options,
) -> Result<Outcome, TrainError> {
    let epochs_done = start.history.epochs.len();
    (options.observer).started(&plan(prepared, &run_dir, epochs_done));
    let group = options.group.clone();
    let targets = &prepared.experiment.training.log[..];
    let targets = if group.writes() { targets } else { &[] };
    let tracking = tracked::start(targets, prepared, &run_dir, &options.observer);
    options.observer = Tracked::observer(options.observer, &tracking);
    let began = Instant::now();
    // Stopping from the dashboard ends this run, and no other work of the caller.
    let monitor = options
        .monitor
        .with_cancel(options.monitor.cancel().child());
    let cancel = monitor.cancel();
    let observer = options.observer.clone();
    let mut history = train(prepared, &run_dir, start, options, cancel);
    let failure = history.failure.take().map_or(Ok(()), Err);
    if let Err(failure) = agree_or_fail(&*group, Moment::Ending, failure) {
        // A run that fails late keeps what it has learnt.
        let has_learnt = history.kept.as_ref().is_some_and(|(epoch, _)| *epoch > 0);
        if has_learnt && group.writes() {
            observer.finishing();
            history.status = Some(Status::Failed);
            // The cause of the failure may well make this fail too; the first error is the one to report.
            let nobody = Monitor::default();
            let _ = finish(prepared, &run_dir, history, began, &nobody, &tracking);
        } else {
            tracking.finish(&FAILED, cancel);
        }
        group.barrier(Moment::Ending);
        return Err(failure);
    }
    if !cancel.is_cancelled() {
        observer.finishing();
    }
    let last = history.epochs.last();
    let outputs = prepared.card().outputs();
    let warning = last.and_then(|last| no_better_than_a_guess(last, outputs));
    let finished = || finish(prepared, &run_dir, history, began, &monitor, &tracking);
    let summary = on_rank_0(&*group, finished).inspect_err(|_| tracking.finish(&FAILED, cancel))?;
    if let Some(warning) = warning
        && summary.status != Status::Interrupted
    {
        observer.warning(&warning);
    }
    let work = prepared.network().work(prepared.source.shape());
    Ok(Outcome {
        run_dir,
        summary,
        work,
    })
}

/// What a run is about to do.
fn plan(prepared: &Prepared, run_dir: &RunDir, epochs_done: usize) -> Plan {
    Plan {
        run_dir: run_dir.path().to_path_buf(),
        samples: prepared.samples,
        parameters: prepared.parameters,
        weights: prepared.weights.clone(),
        epochs_done,
        warnings: prepared.warnings.clone(),
        notes: prepared.notes.clone(),
    }
}

/// The summary of a run, which rank 0 makes while the others wait.
fn on_rank_0(
    group: &dyn Group,
    finish: impl FnOnce() -> Result<Summary, TrainError>,
) -> Result<Summary, TrainError> {
    if group.is_alone() {
        return finish();
    }
    let mine = group.writes().then(finish).transpose();
    let mine = agree_or_fail(group, Moment::Ending, mine)?;
    let json = mine.and_then(|summary| serde_json::to_vec(&summary).ok());
    let json = group.broadcast(Moment::Ending, &json.unwrap_or_default());
    serde_json::from_slice(&json).map_err(|error| TrainError::Stopped(error.to_string()))
}

/// Trains all epochs inside burn-train.
fn train(
    prepared: &Prepared,
    run_dir: &RunDir,
    start: Start,
    options: Options,
    cancel: &CancelToken,
) -> History {
    let config = &prepared.experiment;
    let done = start.history.epochs.len();
    let training_loop = training_loop(prepared, run_dir, start, &options, cancel);
    let history = training_loop.history.clone();
    let learner = unused_learner(&training_loop.state, config);
    let group = options.group;
    let interrupter = Interrupter::new();
    // Without a screen to be had, plain lines do.
    let screen = options.dashboard.then(Screen::open);
    let screen = screen.and_then(Result::ok).map(Arc::new);
    let observer = options.observer;
    let renderer = Renderer::new(screen.as_ref(), observer.clone(), &interrupter);
    let strategy =
        TrainingStrategy::Custom(Arc::new(EpochStrategy::new(training_loop, cancel.clone())));
    let no_batches = || Arc::new(NoBatches);
    let training = SupervisedTraining::new(run_dir.path(), no_batches(), no_batches())
        .metric_train_numeric(LearningRateMetric::new())
        .with_metric_logger(FinalValues::default())
        .with_application_logger(None)
        .with_interrupter(interrupter.clone())
        .with_training_strategy(strategy)
        .renderer(Box::new(renderer))
        .num_epochs(config.training.epochs)
        .checkpoint(done);
    let training = epoch_metrics::register(training, prepared.card().outputs(), config.backend);
    // Burn ends a run by panicking when the dashboard's user kills it, and when a thread of its own has died.
    let launched = catch_unwind(AssertUnwindSafe(|| drop(training.launch(learner))));
    if let Some(screen) = screen {
        screen.close();
        observer.dashboard(false);
    }
    let mut history = std::mem::take(&mut *history.lock().unwrap_or_else(PoisonError::into_inner));
    if let Err(panic) = launched {
        let error = burn_panics::error_of(panic.as_ref());
        group.give_up(&error.to_string());
        history.failure.get_or_insert(error);
    }
    let batch_size = config.training.batch_size;
    history.failure = history
        .failure
        .map(|error| error.with_batch_size(batch_size));
    let is_interrupted = history.status == Some(Status::Interrupted);
    if interrupter.should_stop() || (is_interrupted && !group.is_alone()) {
        cancel.cancel();
    }
    if history.failure.is_some() {
        history.status = Some(Status::Failed);
    }
    history
}

/// The loop of a run, which `cancel` ends.
fn training_loop(
    prepared: &Prepared,
    run_dir: &RunDir,
    start: Start,
    options: &Options,
    cancel: &CancelToken,
) -> TrainingLoop {
    let group = &options.group;
    let batches = |split| prepared.batches(split).shared_by(&**group);
    // The ranks of a group end an epoch together.
    let train_until = if group.is_alone() {
        cancel.clone()
    } else {
        CancelToken::default()
    };
    let train = batches(Split::Train).cancelled_by(&train_until);
    let train = train.profiled(options.profile.clone());
    let parallel = &prepared.experiment.parallel;
    TrainingLoop {
        config: LoopConfig {
            profile: options.profile.clone(),
            ..loop_config(prepared)
        },
        group: group.clone(),
        state: (start.state.within(group, &train, parallel)).profiled(options.profile.clone()),
        train,
        valid: batches(Split::Valid).cancelled_by(cancel),
        history: Arc::new(Mutex::new(start.history)),
        checkpoints: if group.writes() {
            CheckpointWriter::start(run_dir, start.header)
        } else {
            CheckpointWriter::none()
        },
        run_dir: run_dir.clone(),
        observer: options.observer.clone(),
        features: Default::default(),
    }
}

/// burn-train requires a learner, but our loop keeps its own training state, so this one is never trained.
fn unused_learner(state: &TrainState, config: &Experiment) -> Learner<TrainModel> {
    Learner::new(
        state.model().clone(),
        optimizer::build(&config.optimizer),
        config.learning_rate(),
    )
}

fn loop_config(prepared: &Prepared) -> LoopConfig {
    let config = &prepared.experiment;
    let outputs = prepared.card().outputs();
    LoopConfig {
        device: prepared.device.clone(),
        seed: config.seed,
        training: config.training.clone(),
        ranking_metric: metrics::ranking(outputs),
        outputs,
        loss_check: LossCheck::for_backend(config.backend),
        feature_memory: if config.backend.is_asynchronous() {
            Memory::Device
        } else {
            Memory::Main
        },
        unfreezes: prepared.unfreezes.clone(),
        training_is_fixed: prepared.training_is_fixed(),
        layers: prepared.layers(),
        profile: None,
    }
}
