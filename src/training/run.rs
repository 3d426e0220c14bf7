//! One run, from a resolved experiment to a run directory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use burn::prelude::*;
use burn::train::checkpoint::FileCheckpointer;
use burn::train::metric::{AccuracyMetric, LearningRateMetric, TopKAccuracyMetric};
use burn::train::{Interrupter, Learner, SupervisedTraining, TrainStep, TrainingStrategy};

use super::batches::{DeviceBatches, EpochCounter};
use super::evaluate::{self, EvaluateError, Rivals};
use super::groups::{self, Thaw};
use super::handover;
use super::logger::FinalValues;
use super::measures::{self, Loss, Psnr, SampleMean, TOP_K};
use super::page::{self, Finished};
use super::renderer::Renderer;
use super::schedule::EpochSchedule;
use super::strategy::{BestAndLast, EpochStrategy, Ledger};
use super::trainee::Trainee;
use super::{Observer, Plan, optimizer};
use crate::config::Experiment;
use crate::config::experiment::ClassWeights;
use crate::config::model::Task;
use crate::data::loader::{Loader, Order};
use crate::data::{self, DataError, DataSource, Split};
use crate::device::{self, DeviceError};
use crate::files::{self, WriteError};
use crate::inference::{Classifier, ModelCard, ModelError, uncalibrated};
use crate::metrics::Metrics;
use crate::metrics::classification::Confusion;
use crate::models::Network;
use crate::models::parameters::{self, Group};
use crate::run_dir::{RunDir, RunDirError, Samples, Status, Summary};
use crate::weights::{self, Taken, WeightsError};

/// How many of the most confused pairs go into the summary.
const CONFUSED_PAIRS: usize = 10;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The backend.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The experiment does not fit its data.
    #[error("{0}")]
    Mismatch(String),
    /// The run directory.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// A file of the run.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The trained model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The weights to start from.
    #[error("init.weights: {0}")]
    Weights(#[from] WeightsError),
    /// The evaluation at the end.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// The loss is no number any more.
    #[error(
        "the {part} loss is not a finite number in epoch {epoch} (learning rate {learning_rate:e}); lower \
         optimizer.lr or set optimizer.clip_norm"
    )]
    NotFinite {
        /// `training` or `validation`.
        part: &'static str,
        /// The epoch, counted from 1.
        epoch: usize,
        /// The rate of the epoch's last step.
        learning_rate: f64,
    },
    /// Something stopped the learner.
    #[error("training stopped: {0}")]
    Stopped(String),
    /// The user asked the dashboard to kill the run.
    #[error("killed from the dashboard")]
    Killed,
}

/// What a run is told besides the experiment.
pub struct Options {
    /// Folder of the run; `None` takes the next `runs/<name>-<n>`.
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

/// An experiment with its data opened and its network built; nothing is written yet.
pub struct Prepared {
    experiment: Experiment,
    device: Device,
    source: Arc<dyn DataSource>,
    network: Network,
    thaws: Vec<Thaw>,
    rates: Vec<(Group, f64)>,
    /// What the first weights were taken from, and which.
    pub weights: Option<(PathBuf, Taken)>,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// Samples of each split.
    pub samples: Samples,
}

/// Opens device and data and builds the network, with all checks that need them.
pub fn prepare(experiment: Experiment) -> Result<Prepared, TrainError> {
    let device = device::open(experiment.backend)?.autodiff();
    let source: Arc<dyn DataSource> = Arc::from(data::open(&experiment.data)?);
    let samples = Samples {
        train: source.len(Split::Train),
        valid: source.len(Split::Valid),
        test: source.len(Split::Test),
    };
    for (count, split) in [(samples.train, "training"), (samples.valid, "validation")] {
        if count == 0 {
            return Err(TrainError::Mismatch(format!(
                "the data has no {split} samples; change data.split (of cifar10: data.valid) or add files"
            )));
        }
    }
    let classes = source.classes().len();
    if let Some(head) = experiment.model.classes()
        && head != classes
    {
        return Err(TrainError::Mismatch(format!(
            "model.classes: found {head}, but the data has {classes} classes"
        )));
    }
    if classes < 2 && experiment.model.task() == Task::Classify {
        return Err(TrainError::Mismatch(format!(
            "the data has {classes} class; a classifier needs at least 2"
        )));
    }
    source.check()?;
    device.seed(experiment.seed);
    let shape = source.shape();
    let dims = [shape.channels, shape.height, shape.width];
    let mut network = Network::new(&experiment.model, dims, classes, &device);
    let mut weights = None;
    if let Some(file) = &experiment.init.weights {
        let path = weights_file(file);
        let (with_weights, taken) = weights::load(network, &path, &experiment.init.except)?;
        network = with_weights;
        weights = Some((path, taken));
    }
    let grouped = groups::apply(network, &experiment.parameters)?;
    let parameters = parameters::trainable(&grouped.network);
    Ok(Prepared {
        experiment,
        device,
        source,
        network: grouped.network,
        thaws: grouped.thaws,
        rates: grouped.rates,
        weights,
        parameters,
        samples,
    })
}

/// In the data folder, or else (a run's own, for instance) in the current one.
fn weights_file(name: &str) -> PathBuf {
    let (in_data, here) = (data::data_root().join(name), PathBuf::from(name));
    match !in_data.exists() && here.exists() {
        true => here,
        false => in_data,
    }
}

impl Prepared {
    fn batches(&self, split: Split, counter: &EpochCounter) -> DeviceBatches {
        let config = &self.experiment;
        let training = split == Split::Train;
        let augment = config.data.augment();
        DeviceBatches {
            loader: Loader {
                source: self.source.clone(),
                split,
                batch_size: config.training.batch_size,
                order: match (training, config.training.reshuffle) {
                    (false, _) => Order::Stored,
                    (true, false) => Order::Once,
                    (true, true) => Order::EachEpoch,
                },
                augment: (training && !augment.is_off()).then(|| augment.clone()),
                seed: config.seed,
            },
            normalize: config.data.normalize().cloned(),
            epoch: counter.clone(),
            device: self.device.clone(),
            task: config.model.task(),
        }
    }

    /// Whether every epoch sees the same values of each training sample.
    fn training_is_fixed(&self) -> bool {
        self.experiment.data.augment().is_off() && !self.source.redraws()
    }

    /// The network as it is trained, frozen parts and all.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The training batches, as a run takes them.
    pub fn training_batches(&self) -> DeviceBatches {
        self.batches(Split::Train, &EpochCounter::default())
    }

    /// One batch forward and backward; returns its mean loss. Writes nothing.
    pub fn dry_run(&self) -> Result<f64, TrainError> {
        let batches = self.training_batches();
        let batch = batches.loader.batches(1).next().transpose()?;
        let batch = batch.ok_or_else(|| TrainError::Mismatch("the data is empty".into()))?;
        let trainee = Trainee::new(self.network.clone(), &self.experiment.loss)
            .weighing(self.class_weights());
        let output = TrainStep::step(&trainee, batches.upload(batch));
        output
            .item
            .loss
            .try_into_scalar::<f64>()
            .map_err(|error| TrainError::Stopped(error.to_string()))
    }

    /// How much a training sample of each class counts, if not all alike: `samples / (classes x samples of the class)`.
    fn class_weights(&self) -> Option<Vec<f32>> {
        if self.experiment.loss.class_weights == ClassWeights::Equal {
            return None;
        }
        let mut counts = vec![0usize; self.source.classes().len()];
        for index in 0..self.samples.train {
            counts[self.source.label(Split::Train, index)] += 1;
        }
        let even = self.samples.train as f32 / counts.len() as f32;
        let weight = |&count: &usize| if count == 0 { 0.0 } else { even / count as f32 };
        Some(counts.iter().map(weight).collect())
    }

    fn card(&self) -> ModelCard {
        ModelCard {
            model: self.experiment.model.clone(),
            input: self.source.shape(),
            normalize: self.experiment.data.normalize().cloned(),
            classes: self.source.classes().to_vec(),
            temperature: uncalibrated(),
        }
    }
}

/// Trains an experiment.
///
/// Everything that can be wrong with the experiment is found before the run directory is made.
pub fn run(experiment: Experiment, options: Options) -> Result<Outcome, TrainError> {
    let prepared = prepare(experiment)?;
    let run_dir = RunDir::create(options.run_dir.as_deref(), &prepared.experiment.name)?;
    run_dir.write_json(&run_dir.config_file(), &prepared.experiment)?;
    options.observer.started(&Plan {
        run_dir: run_dir.path().to_path_buf(),
        samples: prepared.samples,
        parameters: prepared.parameters,
        weights: prepared.weights.clone(),
    });
    let began = Instant::now();
    let interrupter = options.interrupter.clone();
    let observer = options.observer.clone();
    let (ledger, failure) = train(&prepared, &run_dir, options);
    // A run that fails late keeps what it has learnt.
    let has_weights = ledger.kept.as_ref().is_some_and(|(epoch, _)| *epoch > 0);
    match failure {
        Some(failure) if !has_weights => Err(failure),
        failure => {
            if !interrupter.should_stop() {
                observer.finishing();
            }
            let interrupter = match failure {
                Some(_) => Interrupter::new(),
                None => interrupter,
            };
            let outcome = finish(&prepared, run_dir, ledger, began, &interrupter)?;
            failure.map_or(Ok(outcome), Err)
        }
    }
}

/// Trains all epochs; returns what was learnt and, if something went wrong, what.
fn train(prepared: &Prepared, run_dir: &RunDir, options: Options) -> (Ledger, Option<TrainError>) {
    let config = &prepared.experiment;
    let counter: EpochCounter = Arc::new(AtomicUsize::new(1));
    let train = prepared.batches(Split::Train, &counter);
    let valid = prepared.batches(Split::Valid, &counter);
    let steps_per_epoch = train.loader.batches_per_epoch();
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let strategy = EpochStrategy {
        device: prepared.device.clone(),
        seed: config.seed,
        counter: counter.clone(),
        measure: measures::decisive(config.model.task()),
        training_is_fixed: prepared.training_is_fixed(),
        ema: config.training.ema,
        keep: config.training.keep,
        early_stopping: config.training.early_stopping.clone(),
        run_dir: run_dir.clone(),
        observer: options.observer.clone(),
        ledger: ledger.clone(),
    };
    let renderer = match options.dashboard {
        true => Renderer::dashboard(options.observer, options.interrupter.clone()),
        false => Renderer::plain(options.observer),
    };
    let checkpoints = run_dir.checkpoints();
    let file = |name| FileCheckpointer::new(&checkpoints, name);
    let mut training = SupervisedTraining::new(run_dir.path(), Arc::new(train), Arc::new(valid))
        .metric_train_numeric(SampleMean::<Loss>::default())
        .metric_valid_numeric(SampleMean::<Loss>::default())
        .metric_train_numeric(LearningRateMetric::new())
        .with_metric_logger(FinalValues::default())
        .with_custom_checkpointers(file("model"), file("optim"), file("scheduler"))
        .with_checkpointing_strategy(BestAndLast::new(ledger.clone()))
        .with_application_logger(None)
        .with_interrupter(options.interrupter)
        .with_training_strategy(TrainingStrategy::Custom(Arc::new(strategy)))
        .renderer(Box::new(renderer))
        .num_epochs(config.training.epochs);
    training = match config.model.task() {
        Task::Classify => training
            .metric_train_numeric(AccuracyMetric::new())
            .metric_valid_numeric(AccuracyMetric::new()),
        Task::Reconstruct => training
            .metric_train_numeric(SampleMean::<Psnr>::default())
            .metric_valid_numeric(SampleMean::<Psnr>::default()),
    };
    if config.model.task() == Task::Classify && prepared.source.classes().len() > TOP_K {
        training = training.metric_valid_numeric(TopKAccuracyMetric::new(TOP_K));
    }
    let schedule = EpochSchedule::new(
        &config.schedule,
        config.optimizer.lr(),
        config.training.epochs,
        steps_per_epoch,
    );
    let trainee = Trainee::new(prepared.network.clone(), &config.loss)
        .weighing(prepared.class_weights())
        .thawing(prepared.thaws.clone(), counter);
    let schedule = groups::schedule(schedule, &prepared.rates);
    let learner = Learner::new(trainee, optimizer::build(&config.optimizer), schedule);
    // Burn ends a run by panicking when the dashboard's user says "kill", and when a thread of its own has died.
    let launched = catch_unwind(AssertUnwindSafe(|| drop(training.launch(learner))));
    let mut ledger = std::mem::take(&mut *ledger.lock().unwrap_or_else(PoisonError::into_inner));
    let failure = ledger
        .failure
        .take()
        .or_else(|| launched.err().map(|panic| why_it_panicked(panic.as_ref())));
    if failure.is_some() {
        ledger.status = Some(Status::Failed);
    }
    (ledger, failure)
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
    ledger: Ledger,
    began: Instant,
    interrupter: &Interrupter,
) -> Result<Outcome, TrainError> {
    let (best_epoch, network) = ledger
        .kept
        .ok_or_else(|| TrainError::Stopped("before the first step".into()))?;
    let (classifier, calibration) = handover::hand_on(
        Classifier::new(&network, prepared.card(), &prepared.device),
        &prepared.experiment.training,
        &prepared.source,
        &run_dir.model_file(),
        interrupter,
    )?;
    // Whoever interrupts a run, or its last evaluation, does not want to wait for figures.
    let evaluate = |split, samples| match samples {
        0 => Ok(None),
        _ => evaluate::evaluate_unless_stopped(
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
        first: &prepared.network,
        last: &network,
        duration: began.elapsed(),
    })?;
    files::write(&run_dir.report_file(), page.as_bytes())?;
    Ok(Outcome { run_dir, summary })
}
