//! One run: from an experiment, or from a run that stopped, to a finished run directory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use burn::train::metric::LearningRateMetric;
use burn::train::{Interrupter, Learner, SupervisedTraining, TrainingStrategy};

use super::burn_panics;
use super::checkpoint::CheckpointWriter;
use super::divergence::{LossCheck, no_better_than_a_guess};
use super::epochs::history::History;
use super::epochs::strategy::{EpochStrategy, NoBatches};
use super::epochs::training_loop::{LoopConfig, TrainingLoop};
use super::error::TrainError;
use super::finish::finish;
use super::monitor::final_values::FinalValues;
use super::monitor::metrics as epoch_metrics;
use super::monitor::renderer::Renderer;
use super::monitor::screen::Screen;
use super::monitor::tracked::{self, Tracked};
use super::observer::{Observer, Plan};
use super::optimization::optimizer;
use super::prepare::{Prepared, prepare, prepare_resumed};
use super::resume::Resumption;
use super::start::Start;
use super::step::TrainState;
use super::train_model::TrainModel;
use crate::config::Experiment;
use crate::data::Split;
use crate::files::LockFile;
use crate::metrics;
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
}

/// Trains an experiment.
///
/// # Errors
/// All errors in the experiment are found before the run directory is made. A run that fails after an epoch was completed
/// still gets its model and summary.
pub fn run(experiment: Experiment, options: Options) -> Result<Outcome, TrainError> {
    let path = options.run_dir.as_deref();
    // Before the data is read, which may take a while.
    RunDir::could_create(path)?;
    let prepared = prepare(experiment, &options.monitor)?;
    let run_dir = RunDir::create(path, &prepared.experiment.name, &prepared.experiment)?;
    let lock = run_dir.lock()?;
    train_and_finish(&prepared, run_dir, lock, Start::new(&prepared), options)
}

/// Continues a run as if it had never stopped.
///
/// # Errors
/// As those of [`run`]; or the data has changed, or the checkpoint does not match the network.
pub fn resume(mut resumption: Resumption, options: Options) -> Result<Outcome, TrainError> {
    let lock = match resumption.lock.take() {
        Some(lock) => lock,
        None => resumption.run_dir.lock()?,
    };
    let prepared = prepare_resumed(&resumption, &options.monitor)?;
    let mut start = match &resumption.checkpoint {
        None => Start::new(&prepared),
        Some(checkpoint) => Start::resumed(&prepared, checkpoint)?,
    };
    // All checks are done; from here on files change.
    resumption.rewind()?;
    if let Some(checkpoint) = resumption.checkpoint {
        start = start.restore(checkpoint.parts);
    }
    train_and_finish(&prepared, resumption.run_dir, lock, start, options)
}

/// Trains, evaluates and writes the results, in a folder that is locked meanwhile.
fn train_and_finish(
    prepared: &Prepared,
    run_dir: RunDir,
    _lock: LockFile,
    start: Start,
    mut options: Options,
) -> Result<Outcome, TrainError> {
    options.observer.started(&Plan {
        run_dir: run_dir.path().to_path_buf(),
        samples: prepared.samples,
        parameters: prepared.parameters,
        weights: prepared.weights.clone(),
        epochs_done: start.history.epochs.len(),
        warnings: prepared.warnings.clone(),
        notes: prepared.notes.clone(),
    });
    let tracking = tracked::start(prepared, &run_dir, &options.observer);
    options.observer = Tracked::observer(options.observer, &tracking);
    let began = Instant::now();
    // Stopping from the dashboard ends this run, and no other work of the caller.
    let monitor = options
        .monitor
        .with_cancel(options.monitor.cancel().child());
    let cancel = monitor.cancel();
    let observer = options.observer.clone();
    let mut history = train(prepared, &run_dir, start, options, cancel);
    if let Some(failure) = history.failure.take() {
        // A run that fails late keeps what it has learnt.
        if history.kept.as_ref().is_some_and(|(epoch, _)| *epoch > 0) {
            observer.finishing();
            // The cause of the failure may well make this fail too; the first error is the one to report.
            let _ = finish(
                prepared,
                &run_dir,
                history,
                began,
                &Monitor::default(),
                &tracking,
            );
        } else {
            tracking.finish(&FAILED, cancel);
        }
        return Err(failure);
    }
    if !cancel.is_cancelled() {
        observer.finishing();
    }
    let last = history.epochs.last();
    let outputs = prepared.card().outputs();
    let warning = last.and_then(|last| no_better_than_a_guess(last, outputs));
    let summary = finish(prepared, &run_dir, history, began, &monitor, &tracking)
        .inspect_err(|_| tracking.finish(&FAILED, cancel))?;
    if let Some(warning) = warning
        && summary.status != Status::Interrupted
    {
        observer.warning(&warning);
    }
    Ok(Outcome { run_dir, summary })
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
    let history = Arc::new(Mutex::new(start.history));
    let learner = unused_learner(&start.state, config);
    let training_loop = TrainingLoop {
        config: loop_config(prepared),
        state: start.state,
        train: prepared.batches(Split::Train).cancelled_by(cancel),
        valid: prepared.batches(Split::Valid).cancelled_by(cancel),
        history: history.clone(),
        checkpoints: CheckpointWriter::start(run_dir, start.header),
        run_dir: run_dir.clone(),
        observer: options.observer.clone(),
        features: Default::default(),
    };
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
    let training = epoch_metrics::register(training, prepared.card().outputs());
    // Burn ends a run by panicking when the dashboard's user kills it, and when a thread of its own has died.
    let launched = catch_unwind(AssertUnwindSafe(|| drop(training.launch(learner))));
    if let Some(screen) = screen {
        screen.close();
        observer.dashboard(false);
    }
    let mut history = std::mem::take(&mut *history.lock().unwrap_or_else(PoisonError::into_inner));
    if let Err(panic) = launched {
        let error = burn_panics::error_of(panic.as_ref());
        history.failure.get_or_insert(error);
    }
    if interrupter.should_stop() {
        cancel.cancel();
    }
    if history.failure.is_some() {
        history.status = Some(Status::Failed);
    }
    history
}

/// burn-train requires a learner, but our loop keeps its own training state, so this one is never trained.
fn unused_learner(state: &TrainState, config: &Experiment) -> Learner<TrainModel> {
    Learner::new(
        state.model().clone(),
        optimizer::build(&config.optimizer),
        config.optimizer.lr(),
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
        unfreezes: prepared.unfreezes.clone(),
        training_is_fixed: prepared.training_is_fixed(),
    }
}
