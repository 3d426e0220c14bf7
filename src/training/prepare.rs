//! What a run needs before its first step: the device, the data, the network, with all checks that need them.
//!
//! Comes in: an experiment, and the checkpoint that it goes on from if it does not begin. Goes out: a [`Prepared`]. Nothing is
//! written; whatever can be wrong with an experiment is found here, before there is a run directory.

use std::path::PathBuf;
use std::sync::Arc;

use burn::prelude::*;
use sha2::{Digest, Sha256};

use super::batch::{DeviceBatches, EpochCounter};
use super::checkpoint::{Checkpoint, CheckpointError};
use super::error::TrainError;
use super::param_groups::{self, Thaw};
use super::train_model::TrainModel;
use crate::config::Experiment;
use crate::config::{ClassWeights, LossConfig};
use crate::data::loader::{Loader, Order};
use crate::data::{self, DataSource, Split};
use crate::device;
use crate::files;
use crate::inference::ModelCard;
use crate::models::Network;
use crate::models::Task;
use crate::models::parameters::{self, Group};
use crate::run_dir::{RunDir, Samples};
use crate::weights::{self, Taken};

/// An experiment with its data opened and its network built; nothing is written yet.
pub struct Prepared {
    pub(crate) experiment: Experiment,
    pub(super) device: Device,
    pub(super) source: Arc<dyn DataSource>,
    pub(crate) network: Network,
    /// The network before training; `None` where a run goes on and the weights that it began with are gone.
    pub(super) first: Option<Network>,
    pub(super) thaws: Vec<Thaw>,
    pub(super) rates: Vec<(Group, f64)>,
    /// What the first weights were taken from, and which.
    pub weights: Option<(PathBuf, Taken)>,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// Samples of each split.
    pub samples: Samples,
}

/// Opens device and data and builds the network, with all checks that need them.
pub fn prepare(experiment: Experiment) -> Result<Prepared, TrainError> {
    prepare_from(experiment, None)
}

/// [`prepare`] for a run that goes on from a checkpoint.
pub(super) fn prepare_from(
    experiment: Experiment,
    checkpoint: Option<&Checkpoint>,
) -> Result<Prepared, TrainError> {
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
    let shape = source.shape();
    device.seed(experiment.seed);
    let fresh = Network::new(&experiment.model, shape, classes, &device);
    let (network, first, weights) = match checkpoint {
        None => {
            let (network, weights) = with_first_weights(fresh, &experiment)?;
            (network, None, weights)
        }
        Some(checkpoint) => {
            parameters::draw(&fresh);
            let first = with_first_weights(fresh.clone(), &experiment);
            let network = checkpoint.network(fresh, &experiment.loss)?;
            (network, first.ok().map(|(first, _)| first), None)
        }
    };
    let grouped = param_groups::apply(network, &experiment.parameters)?;
    let parameters = parameters::trainable(&grouped.network);
    let epoch = checkpoint.map_or(0, Checkpoint::epoch);
    let thawed = grouped.thaws.iter().filter(|thaw| thaw.epoch <= epoch);
    let network = thawed.fold(grouped.network, |network, thaw| {
        thaw.group.set(network, true)
    });
    Ok(Prepared {
        first: first.or_else(|| checkpoint.is_none().then(|| network.clone())),
        experiment,
        device,
        source,
        network,
        thaws: grouped.thaws,
        rates: grouped.rates,
        weights,
        parameters,
        samples,
    })
}

type FirstWeights = Option<(PathBuf, Taken)>;

/// The network with the weights that the experiment begins with, and where they are from if not from chance.
fn with_first_weights(
    network: Network,
    experiment: &Experiment,
) -> Result<(Network, FirstWeights), TrainError> {
    let Some(file) = &experiment.init.weights else {
        return Ok((network, None));
    };
    let path = weights_file(file);
    let (network, taken) =
        weights::load(network, &path, &experiment.init.except).map_err(TrainError::Weights)?;
    Ok((network, Some((path, taken))))
}

/// In the data folder, or else (a run's own, for instance) in the current one. Of a run directory its model.
fn weights_file(name: &str) -> PathBuf {
    let (in_data, here) = (data::data_root().join(name), PathBuf::from(name));
    let path = match !in_data.exists() && here.exists() {
        true => here,
        false => in_data,
    };
    match RunDir::open(&path) {
        Ok(run) => run.model_file(),
        Err(_) => path,
    }
}

impl Prepared {
    pub(super) fn batches(&self, split: Split, counter: &EpochCounter) -> DeviceBatches {
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
    pub(super) fn training_is_fixed(&self) -> bool {
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

    /// How much a training sample of each class counts, if not all alike: `samples / (classes x samples of the class)`.
    pub(crate) fn class_weights(&self) -> Option<Vec<f32>> {
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

    pub(super) fn card(&self) -> ModelCard {
        let classes = self.source.classes().to_vec();
        let config = &self.experiment;
        ModelCard::new(config.model.clone(), &config.data, classes)
    }
}

impl Prepared {
    /// SHA-256 of the classes and of each split's labels: a run must not go on with other data. (What the images show is not in
    /// it: that would mean reading them all.)
    pub(super) fn data_sha256(&self) -> String {
        let mut sum = Sha256::new();
        for class in self.source.classes() {
            sum.update(class.as_bytes());
            sum.update([0]);
        }
        for split in [Split::Train, Split::Valid, Split::Test] {
            let count = self.source.len(split);
            sum.update((count as u64).to_le_bytes());
            for index in 0..count {
                sum.update((self.source.label(split, index) as u64).to_le_bytes());
            }
        }
        files::hexadecimal(&sum.finalize())
    }
}

impl Checkpoint {
    /// The network in training.
    fn network(&self, fresh: Network, loss: &LossConfig) -> Result<Network, CheckpointError> {
        let trainee = TrainModel::new(fresh, loss);
        let loaded = trainee.try_load_record(self.parts.model.clone());
        Ok(loaded.map_err(|error| self.misfit(&error))?.network)
    }

    /// A network's weights from one of the checkpoint's parts, ready for inference.
    pub(super) fn judged(
        &self,
        network: &Network,
        record: &burn::store::ModuleRecord,
    ) -> Result<Network, CheckpointError> {
        let loaded = network.valid().try_load_record(record.clone());
        loaded.map_err(|error| self.misfit(&error))
    }

    fn misfit(&self, problem: &dyn std::fmt::Display) -> CheckpointError {
        let problem = problem.to_string();
        CheckpointError {
            path: self.path.clone(),
            problem: format!(
                "its weights are not those of the network ({})",
                problem.lines().next().unwrap_or_default()
            ),
        }
    }
}
