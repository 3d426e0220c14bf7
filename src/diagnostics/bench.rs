//! Benchmarks: how fast a machine trains and classifies with the model of a config.
//!
//! Training and inference are timed on a synthetic batch of the config's shape that is already in memory, so they need no data set
//! and measure the backend alone. Where the data exists, the training part of a real epoch is timed too, with loading and
//! augmentation.

use std::time::Instant;

use burn::prelude::*;
use serde::Serialize;

use super::error::BenchError;
use super::memory::peak_mb;
use crate::config::{self, Backend, Experiment};
use crate::data::{self, DataError, Split, View};
use crate::device;
use crate::inference::plan::ComputePrecision;
use crate::inference::{Classifier, ModelCard, UNCALIBRATED, to_input};
use crate::models::Task;
use crate::models::{Network, Work};
use crate::progress::Monitor;
use crate::training::divergence::{LossCheck, LossWatch};
use crate::training::features::Memory;
use crate::training::step::TrainState;
use crate::training::{
    Batch, FeatureCache, Layers, TrainError, TrainModel, optimizer, param_groups, prepare, schedule,
};

/// Epochs that are timed at most ...
const EPOCHS: usize = 5;

/// ... and until they have taken so many seconds.
const EPOCH_SECONDS: f64 = 15.0;

/// Steps that are not counted, until caches and allocators have settled.
const WARM_UP: usize = 3;

/// A workload is timed for about this long ...
const SECONDS: f64 = 2.0;

/// ... but for at least and at most this many steps.
const STEPS: std::ops::RangeInclusive<usize> = 5..=400;

/// On a device that computes asynchronously, so many steps are timed together, until the device has done them: to wait after each would
/// count time in which it is idle.
const STEPS_TOGETHER: usize = 10;

/// The kind of benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A training step, until it is done.
    Train,
    /// A forward pass as `kiln predict` and `kiln eval` make it, from pixels to outputs.
    Infer,
    /// The training part of a real epoch: as `Train`, with loading and augmentation.
    Epoch,
}

/// The times of one workload.
#[derive(Debug, Clone, Serialize)]
pub struct Timing {
    /// Name of the config.
    pub workload: String,
    /// What was timed.
    pub mode: Mode,
    /// Name of the backend.
    pub backend: &'static str,
    /// Precision of products: `f32` or `bf16`.
    pub precision: &'static str,
    /// Samples in a step.
    pub batch: usize,
    /// Steps that were timed.
    pub steps: usize,
    /// Samples per second at the median step (over the whole for an epoch).
    pub samples_per_s: f64,
    /// Median milliseconds of a step.
    pub ms_per_step: f64,
    /// The 10th and the 90th percentile.
    pub ms_spread: [f64; 2],
    /// Billions of floating-point operations per second in matrix products and convolutions, two for a multiply-add.
    pub gflops: f64,
    /// The same for a large matrix product: the peak of the backend.
    pub machine_gflops: f64,
    /// Of epochs: their time divided by that of as many steps on one batch, in turns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times_bare_steps: Option<f64>,
    /// Threads that the backend may use.
    pub threads: usize,
    /// Largest memory of the process so far in MB (Linux; 0 elsewhere).
    pub peak_mb: u64,
}

/// Times training or inference on a synthetic batch; `batch` overrides the config's number of samples. The precision is that of inference; training has
/// the config's.
///
/// # Errors
/// The backend can't be used, or the device fails; the data provides the number of classes if the config does not.
pub fn synthetic(
    experiment: &Experiment,
    mode: Mode,
    batch: Option<usize>,
    precision: ComputePrecision,
) -> Result<Timing, BenchError> {
    let classes = classes(experiment)?;
    let mut bench = Bench::new(experiment, batch, classes)?;
    bench.classifier = bench.classifier.with_precision(precision)?;
    if mode == Mode::Infer {
        // The outputs are read each time, as those of `kiln predict` are.
        bench.together = 1;
    }
    let mut times = Vec::new();
    let began = Instant::now();
    while times.len() < WARM_UP + STEPS.start()
        || (began.elapsed().as_secs_f64() < SECONDS && times.len() < WARM_UP + STEPS.end())
    {
        let start = Instant::now();
        for _ in 0..bench.together {
            match mode {
                Mode::Infer => bench.infer()?,
                Mode::Train | Mode::Epoch => bench.train()?,
            }
        }
        bench.wait()?;
        times.push(start.elapsed().as_secs_f64() * 1e3 / bench.together as f64);
    }
    times.drain(..WARM_UP);
    bench.timing(experiment, mode, times)
}

/// The number of classes, which the data provides if the config does not.
pub(super) fn classes(experiment: &Experiment) -> Result<usize, BenchError> {
    if let Some(classes) = experiment.model.classes().or(experiment.data.classes()) {
        return Ok(classes);
    }
    let source = data::open(&experiment.data, &Monitor::default())?;
    let classes = source.classes().len();
    match config::class_problem(experiment, classes) {
        None => Ok(classes),
        Some(problem) => Err(TrainError::mismatch(problem).into()),
    }
}

/// Times the training part of epochs on the config's data, which is in memory by then as far as it fits, and in turns with them as many
/// steps on one batch; `batch` overrides the config's number of samples.
///
/// # Errors
/// The experiment can't be trained, its data can't be read, or the device fails.
pub fn epoch(
    experiment: &Experiment,
    batch: Option<usize>,
    monitor: &Monitor,
) -> Result<Timing, BenchError> {
    let mut wanted = experiment.clone();
    if let Some(batch) = batch {
        wanted.training.batch_size = batch;
    }
    let prepared = prepare(wanted, monitor)?;
    let batches = prepared.batches(Split::Train);
    let classes = batches.loader.source.classes().len();
    let mut bench = Bench::new(experiment, batch, classes)?;
    bench.train()?;
    bench.wait()?;
    let mut times = Vec::new();
    let (mut in_epochs, mut in_steps) = (0.0, 0.0);
    let mut samples = 0;
    // The first one is that of data that is not in memory yet.
    for epoch in 2..2 + EPOCHS {
        samples += batches.samples();
        let turn = bench.turn(batches.epoch(epoch), &mut times, monitor)?;
        in_epochs += turn.epoch;
        in_steps += turn.steps;
        if in_epochs > EPOCH_SECONDS {
            break;
        }
    }
    let steps = times.len();
    let mut timing = bench.timing(experiment, Mode::Epoch, times)?;
    timing.steps = steps;
    timing.samples_per_s = samples as f64 / in_epochs;
    timing.gflops = bench.gflops(Mode::Epoch, timing.samples_per_s);
    timing.times_bare_steps = Some(in_epochs / in_steps);
    Ok(timing)
}

/// Billions of floating-point operations per second of a product of matrices of 1024x1024, the best of eight.
///
/// # Errors
/// The device can't be opened, or fails.
pub fn peak_gflops(backend: Backend) -> Result<f64, BenchError> {
    machine_gflops(&device::open(backend)?)
}

/// [`peak_gflops`] of a device.
fn machine_gflops(device: &Device) -> Result<f64, BenchError> {
    const SIDE: usize = 1024;
    const ROUNDS: usize = 8;
    let matrix = Tensor::<2>::ones([SIDE, SIDE], device);
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        read_back(
            matrix
                .clone()
                .matmul(matrix.clone())
                .slice([0..1, 0..1])
                .reshape([1]),
        )?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(2.0 * (SIDE * SIDE * SIDE) as f64 / best / 1e9)
}

/// Seconds of an epoch, and of as many steps on one batch.
struct Turn {
    epoch: f64,
    steps: f64,
}

/// A network in training and in inference, with a batch for each.
struct Bench {
    state: TrainState,
    batch: Batch,
    /// What computes the output of frozen layers.
    features: Option<FeatureCache>,
    classifier: Classifier,
    /// Of all samples.
    pixels: Vec<f32>,
    samples: usize,
    /// Steps between two times at which the device is waited for.
    together: usize,
    /// Of one sample.
    work: Work,
}

impl Bench {
    fn new(
        experiment: &Experiment,
        batch: Option<usize>,
        classes: usize,
    ) -> Result<Self, BenchError> {
        let device = device::open_at(experiment.backend, experiment.device)?;
        let training = device.clone().autodiff();
        training.seed(experiment.seed);
        let shape = experiment.data.shape();
        let network = Network::new(&experiment.model, shape, classes, &training);
        let network = param_groups::apply(network, &experiment.parameters)?.network;
        let samples = batch.unwrap_or(experiment.training.batch_size);
        let pixels = pixels(samples * shape.values());
        let input = |device: &Device| to_input(pixels.clone(), samples, shape, None, device);
        let targets: Vec<i32> = (0..samples).map(|i| (i % classes) as i32).collect();
        let card = card(experiment, classes);
        // The rate of a run's second step, when it is no longer warming up.
        let rate =
            schedule::learning_rate(&experiment.schedule, experiment.learning_rate(), 2, 1, 1);
        let originals = experiment.model.task() == Task::Reconstruct;
        // As in a run whose images are augmented: each is new.
        let layers = Layers::of(&experiment.model, shape, classes);
        let precision = ComputePrecision::from(experiment.training.precision);
        let features = FeatureCache::of(
            &network,
            &layers,
            &training,
            samples,
            None,
            Memory::Main,
            precision,
        );
        Ok(Self {
            work: network.work(shape),
            features,
            classifier: Classifier::new(&network, card, &device),
            batch: Batch {
                originals: originals.then(|| input(&training).flatten(1, 3)),
                images: input(&training),
                targets: Tensor::from_data(TensorData::new(targets, [samples]), &training),
                indices: (0..samples).collect(),
                features: None,
            },
            state: TrainState::new(
                TrainModel::new(network, &experiment.loss),
                optimizer::build(&experiment.optimizer),
                rate,
                shape,
                &training,
            )
            .in_precision(precision),
            pixels,
            samples,
            together: if device::is_asynchronous(&device) {
                STEPS_TOGETHER
            } else {
                1
            },
        })
    }

    fn train(&mut self) -> Result<(), BenchError> {
        // On synthetic images the loss need not stay finite; the speed is the same.
        let mut losses = LossWatch::new(LossCheck::Never);
        match self
            .state
            .step(self.batch.clone(), self.features.as_mut(), &mut losses)
        {
            Ok(output) => self.read_back(output.loss),
            Err(divergence) => Err(TrainError::diverged(1, divergence).into()),
        }
    }

    /// Trains on batches, whose milliseconds go to `times`, and then as often on the first of them.
    fn turn(
        &mut self,
        batches: impl Iterator<Item = Result<Batch, DataError>>,
        times: &mut Vec<f64>,
        monitor: &Monitor,
    ) -> Result<Turn, BenchError> {
        let before = times.len();
        let mut first = None;
        let began = Instant::now();
        let mut start = began;
        for batch in batches {
            self.batch = batch?;
            first.get_or_insert_with(|| self.batch.clone());
            self.train()?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
            start = Instant::now();
        }
        self.wait()?;
        let epoch = began.elapsed().as_secs_f64();
        // The last batch may be smaller.
        let last = self.batch.clone();
        let first = first.unwrap_or_else(|| last.clone());
        let began = Instant::now();
        for step in (before + 1)..=times.len() {
            monitor.cancel().check().map_err(DataError::from)?;
            self.batch = if step < times.len() { &first } else { &last }.clone();
            self.train()?;
        }
        self.wait()?;
        let steps = began.elapsed().as_secs_f64();
        Ok(Turn { epoch, steps })
    }

    fn infer(&mut self) -> Result<(), BenchError> {
        self.classifier.flat_outputs(&self.pixels, self.samples)?;
        Ok(())
    }

    /// Reads a number, and so waits for it, unless steps are timed together.
    fn read_back(&self, value: Tensor<1>) -> Result<(), BenchError> {
        if self.together > 1 {
            return Ok(());
        }
        read_back(value)
    }

    /// Waits until a device that computes asynchronously has done everything.
    fn wait(&self) -> Result<(), BenchError> {
        if self.together == 1 {
            return Ok(());
        }
        let done = self.classifier.device().sync();
        done.map_err(|error| BenchError::Compute(error.to_string()))
    }

    fn gflops(&self, mode: Mode, samples_per_s: f64) -> f64 {
        let multiply_adds = match mode {
            Mode::Infer => self.work.forward,
            Mode::Train | Mode::Epoch => self.work.forward + self.work.backward,
        };
        2.0 * multiply_adds as f64 * samples_per_s / 1e9
    }

    fn timing(
        &self,
        experiment: &Experiment,
        mode: Mode,
        mut times: Vec<f64>,
    ) -> Result<Timing, BenchError> {
        // Before the matrix product, which needs memory as well.
        let peak_mb = peak_mb();
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
        let median = at(0.5);
        let samples_per_s = self.samples as f64 / median * 1e3;
        Ok(Timing {
            workload: experiment.name.clone(),
            mode,
            backend: experiment.backend.name(),
            precision: match mode {
                Mode::Infer => self.classifier.precision(),
                Mode::Train | Mode::Epoch => experiment.training.precision.into(),
            }
            .name(),
            batch: self.samples,
            steps: times.len() * self.together,
            samples_per_s,
            gflops: self.gflops(mode, samples_per_s),
            machine_gflops: machine_gflops(self.classifier.device())?,
            ms_per_step: median,
            ms_spread: [at(0.1), at(0.9)],
            times_bare_steps: None,
            threads: rayon::current_num_threads(),
            peak_mb,
        })
    }
}

/// Numbers between 0 and 1; their values do not matter.
pub(super) fn pixels(count: usize) -> Vec<f32> {
    let numbers = (0..count).map(|i| (i * 7919 % 1009) as f32 / 1009.0);
    numbers.collect()
}

/// The card of a network whose classes are numbers.
pub(super) fn card(experiment: &Experiment, classes: usize) -> ModelCard {
    ModelCard {
        model: experiment.model.clone(),
        input: experiment.data.shape(),
        normalize: None,
        classes: (0..classes).map(|class| class.to_string()).collect(),
        temperature: UNCALIBRATED,
        view: View::PAD,
    }
}

fn read_back(value: Tensor<1>) -> Result<(), BenchError> {
    let value = value.try_into_scalar::<f64>();
    value.map_err(|error| BenchError::Compute(error.to_string()))?;
    Ok(())
}
