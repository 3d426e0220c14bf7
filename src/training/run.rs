//! One run, from a resolved experiment to a run directory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use burn::prelude::*;
use burn::train::metric::LearningRateMetric;
use burn::train::{Interrupter, Learner, SupervisedTraining, TrainingStrategy};

use super::batch::EpochCounter;
use super::checkpoint::collector::{Assembly, EveryEpoch, Share};
use super::checkpoint::{Checkpoint, CheckpointError, Header, Parts};
use super::epochs::history::History;
use super::epochs::strategy::EpochStrategy;
use super::error::TrainError;
use super::finish::finalize;
use super::finish::page::{self, Finished};
use super::monitor::final_values::FinalValues;
use super::monitor::metrics as epoch_metrics;
use super::monitor::renderer::Renderer;
use super::observer::{Observer, Plan};
use super::optimization::average::Average;
use super::optimization::optimizer;
use super::optimization::schedule::EpochSchedule;
use super::param_groups;
use super::prepare::prepare_from;
pub use super::prepare::{Prepared, prepare};
use super::resume::Resumption;
use super::train_model::TrainModel;
use crate::config::Experiment;
use crate::data::Split;
use crate::evaluation::{self, Rivals};
use crate::files;
use crate::inference::Classifier;
use crate::metrics::classification::Confusion;
use crate::metrics::{self, Metrics};
use crate::run_dir::{RunDir, Status, Summary};

/// How many of the most confused pairs go into the summary.
const CONFUSED_PAIRS: usize = 10;

/// What a run is told besides the experiment.
pub struct Options {
    /// Folder of a new run; `None` takes the next `runs/<name>-<n>`. A run that goes on has its own.
    pub run_dir: Option<PathBuf>,
    /// Show Burn's dashboard; standard output must be a terminal.
    pub dashboard: bool,
    /// Stops the run when told to.
    pub interrupter: Interrupter,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
}

/// What a run leaves behind.
#[derive(Debug)]
pub struct Outcome {
    /// Its folder.
    pub run_dir: RunDir,
    /// `summary.json`
    pub summary: Summary,
}

/// Trains an experiment.
///
/// Everything that can be wrong with the experiment is found before the run directory is made.
pub fn run(experiment: Experiment, options: Options) -> Result<Outcome, TrainError> {
    let path = options.run_dir.as_deref();
    // Before the data is read, which may take a while.
    RunDir::could_create(path)?;
    let prepared = prepare(experiment)?;
    let run_dir = RunDir::create(path, &prepared.experiment.name, &prepared.experiment)?;
    let lock = run_dir.lock()?;
    let header = Header::new(&prepared.experiment, prepared.data_sha256());
    go(&prepared, run_dir, lock, Start::new(header), options)
}

/// Goes on with a run as if it had never stopped.
pub fn resume(mut resumption: Resumption, options: Options) -> Result<Outcome, TrainError> {
    let lock = match resumption.lock.take() {
        Some(lock) => lock,
        None => resumption.run_dir.lock()?,
    };
    let prepared = prepare_resumed(&resumption)?;
    let header = Header::new(&prepared.experiment, prepared.data_sha256());
    let mut start = match &resumption.checkpoint {
        None => Start::new(header),
        Some(checkpoint) => Start::resumed(header, checkpoint, &prepared)?,
    };
    // Whatever can be wrong with the checkpoint has been found; from here on files change.
    resumption.rewind()?;
    start.parts = resumption.checkpoint.map(|checkpoint| checkpoint.parts);
    go(&prepared, resumption.run_dir, lock, start, options)
}

/// [`prepare`] for a run that goes on; its data must be what it was.
pub fn prepare_resumed(resumption: &Resumption) -> Result<Prepared, TrainError> {
    let checkpoint = resumption.checkpoint.as_ref();
    let prepared = prepare_from(resumption.experiment.clone(), checkpoint)?;
    match checkpoint {
        Some(checkpoint) if checkpoint.header.data_sha256 != prepared.data_sha256() => {
            Err(TrainError::Mismatch(format!(
                "{}: the data is not what this run was trained on: samples or classes have come, gone or changed places; \
                 start a new run with --init-from",
                resumption.run_dir.path().display()
            )))
        }
        _ => Ok(prepared),
    }
}

/// Where the first epoch starts.
struct Start {
    header: Header,
    ledger: History,
    average: Option<Average>,
    /// What the learner goes on from.
    parts: Option<Parts>,
}

impl Start {
    /// From the beginning.
    fn new(header: Header) -> Self {
        Self {
            header,
            ledger: History::default(),
            average: None,
            parts: None,
        }
    }

    /// After a checkpoint, but for its parts.
    fn resumed(
        header: Header,
        checkpoint: &Checkpoint,
        prepared: &Prepared,
    ) -> Result<Self, CheckpointError> {
        let network = &prepared.network;
        let progress = checkpoint.header.progress.clone();
        let parts = &checkpoint.parts;
        let decay = prepared.experiment.training.ema;
        let average = match (&parts.average, decay) {
            (Some(record), Some(decay)) => {
                let network = checkpoint.judged(network, record)?;
                Some(Average::resumed(network, decay, progress.average_steps))
            }
            _ => None,
        };
        let kept = match (&parts.kept, &average) {
            (Some(record), _) => checkpoint.judged(network, record)?,
            (None, Some(average)) => average.network(),
            (None, None) => network.valid(),
        };
        let kept = progress.kept.map(|epoch| (epoch, kept));
        Ok(Self {
            header,
            ledger: History::resumed(progress, kept),
            average,
            parts: None,
        })
    }
}

/// Trains and finishes; nobody else works in the folder as long as the lock is held.
fn go(
    prepared: &Prepared,
    run_dir: RunDir,
    _lock: crate::files::LockFile,
    start: Start,
    options: Options,
) -> Result<Outcome, TrainError> {
    options.observer.started(&Plan {
        run_dir: run_dir.path().to_path_buf(),
        samples: prepared.samples,
        parameters: prepared.parameters,
        weights: prepared.weights.clone(),
        epochs_done: start.ledger.epochs.len(),
    });
    let began = Instant::now();
    let interrupter = options.interrupter.clone();
    let observer = options.observer.clone();
    let (ledger, failure) = train(prepared, &run_dir, start, options);
    // A run that fails late keeps what it has learnt.
    let has_weights = ledger.kept.as_ref().is_some_and(|(epoch, _)| *epoch > 0);
    match failure {
        Some(failure) if !has_weights => Err(failure),
        Some(failure) => {
            observer.finishing();
            // What made the run fail may well make this fail; the first reason is the one to tell.
            let _ = finish(prepared, run_dir, ledger, began, &Interrupter::new());
            Err(failure)
        }
        None => {
            if !interrupter.should_stop() {
                observer.finishing();
            }
            finish(prepared, run_dir, ledger, began, &interrupter)
        }
    }
}

/// Trains all epochs; returns what was learnt and, if something went wrong, what.
fn train(
    prepared: &Prepared,
    run_dir: &RunDir,
    start: Start,
    options: Options,
) -> (History, Option<TrainError>) {
    let config = &prepared.experiment;
    let outputs = prepared.card().outputs();
    let done = start.ledger.epochs.len();
    let counter: EpochCounter = Arc::new(AtomicUsize::new(done + 1));
    let train = prepared.batches(Split::Train, &counter);
    let valid = prepared.batches(Split::Valid, &counter);
    let steps_per_epoch = train.loader.batches_per_epoch();
    let ledger = Arc::new(Mutex::new(start.ledger));
    let is_resumed = start.parts.is_some();
    let assembly = Arc::new(Assembly::new(run_dir, start.header, start.parts));
    let strategy = EpochStrategy {
        device: prepared.device.clone(),
        seed: config.seed,
        counter: counter.clone(),
        ranking: metrics::ranking(outputs),
        outputs,
        training_is_fixed: prepared.training_is_fixed(),
        ema: config.training.ema,
        keep: config.training.keep,
        early_stopping: config.training.early_stopping.clone(),
        run_dir: run_dir.clone(),
        observer: options.observer.clone(),
        ledger: ledger.clone(),
        assembly: assembly.clone(),
        average: start.average,
    };
    let renderer = match options.dashboard {
        true => Renderer::dashboard(options.observer, options.interrupter.clone()),
        false => Renderer::plain(options.observer),
    };
    let share = || Share(assembly.clone());
    let mut training = SupervisedTraining::new(run_dir.path(), Arc::new(train), Arc::new(valid))
        .metric_train_numeric(LearningRateMetric::new())
        .with_metric_logger(FinalValues::default())
        .with_custom_checkpointers(share(), share(), share())
        .with_checkpointing_strategy(EveryEpoch)
        .with_application_logger(None)
        .with_interrupter(options.interrupter)
        .with_training_strategy(TrainingStrategy::Custom(Arc::new(strategy)))
        .renderer(Box::new(renderer))
        .num_epochs(config.training.epochs);
    if is_resumed {
        training = training.checkpoint(done);
    }
    training = epoch_metrics::register(training, outputs);
    let learner = learner(prepared, counter, steps_per_epoch);
    // Burn ends a run by panicking when the dashboard's user says "kill", and when a thread of its own has died.
    let launched = catch_unwind(AssertUnwindSafe(|| drop(training.launch(learner))));
    let mut ledger = std::mem::take(&mut *ledger.lock().unwrap_or_else(PoisonError::into_inner));
    let failure = ledger
        .failure
        .take()
        .or_else(|| assembly.failure().map(TrainError::from))
        .or_else(|| launched.err().map(|panic| why_it_panicked(panic.as_ref())));
    if failure.is_some() {
        ledger.status = Some(Status::Failed);
    }
    (ledger, failure)
}

/// Network, optimizer and schedule as they are before the first step.
fn learner(
    prepared: &Prepared,
    epoch: EpochCounter,
    steps_per_epoch: usize,
) -> Learner<TrainModel> {
    let config = &prepared.experiment;
    let schedule = EpochSchedule::new(
        &config.schedule,
        config.optimizer.lr(),
        config.training.epochs,
        steps_per_epoch,
    );
    let trainee = TrainModel::new(prepared.network.clone(), &config.loss)
        .weighing(prepared.class_weights())
        .thawing(prepared.thaws.clone(), epoch);
    let schedule = param_groups::schedule(schedule, &prepared.rates);
    Learner::new(trainee, optimizer::build(&config.optimizer), schedule)
}

fn why_it_panicked(panic: &(dyn std::any::Any + Send)) -> TrainError {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("for a reason unknown");
    match text.contains("Killing training") {
        true => TrainError::Killed,
        false => TrainError::Stopped(text.lines().next().unwrap_or(text).to_string()),
    }
}

/// Evaluates the weights that are handed on, and writes model, summary and report.
fn finish(
    prepared: &Prepared,
    run_dir: RunDir,
    ledger: History,
    began: Instant,
    interrupter: &Interrupter,
) -> Result<Outcome, TrainError> {
    let (best_epoch, network) = ledger
        .kept
        .ok_or_else(|| TrainError::Stopped("before the first step".into()))?;
    let (classifier, calibration) = finalize::hand_on(
        Classifier::new(&network, prepared.card(), &prepared.device),
        &prepared.experiment.training,
        &prepared.source,
        &run_dir.model_file(),
        interrupter,
    )?;
    // Whoever interrupts a run, or its last evaluation, does not want to wait for figures.
    let evaluate = |split, samples| match samples {
        0 => Ok(None),
        _ => evaluation::evaluate_unless_stopped(
            &classifier,
            prepared.source.clone(),
            split,
            Rivals::All,
            interrupter,
        ),
    };
    let test = evaluate(Split::Test, prepared.samples.test)?;
    let valid = evaluate(Split::Valid, prepared.samples.valid)?;
    let mut status = ledger.status.unwrap_or(Status::Interrupted);
    if interrupter.should_stop() {
        status = Status::Interrupted;
    }
    let during = ledger
        .epochs
        .iter()
        .find(|record| record.epoch == best_epoch);
    let valid_metrics = match (&valid, during) {
        (Some(valid), _) => valid.metrics.clone(),
        (None, Some(record)) => record.valid.clone(),
        (None, None) => Metrics::new(),
    };
    let shown = test.as_ref().or(valid.as_ref());
    let confusion = shown.and_then(|shown| shown.confusion.as_ref());
    let config = &prepared.experiment;
    let summary = Summary {
        kiln: env!("CARGO_PKG_VERSION").into(),
        name: config.name.clone(),
        seed: config.seed,
        backend: config.backend,
        status,
        parameters: prepared.parameters,
        classes: prepared.source.classes().to_vec(),
        input: prepared.source.shape(),
        samples: prepared.samples,
        epochs: ledger.epochs.len(),
        best_epoch,
        valid: valid_metrics,
        test: test.as_ref().map(|test| test.metrics.clone()),
        calibration,
        per_class: confusion.map_or_else(Vec::new, Confusion::per_class),
        most_confused: confusion.map_or_else(Vec::new, |confusion| {
            confusion.most_confused(CONFUSED_PAIRS)
        }),
    };
    run_dir.write_json(&run_dir.summary_file(), &summary)?;
    let page = page::render(&Finished {
        experiment: config,
        run_dir: &run_dir,
        epochs: &ledger.epochs,
        summary: &summary,
        shown,
        first: prepared.first.as_ref(),
        last: &network,
        duration: began.elapsed(),
    })?;
    files::write(&run_dir.report_file(), page.as_bytes())?;
    Ok(Outcome { run_dir, summary })
}
