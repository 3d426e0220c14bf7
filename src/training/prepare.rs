//! What a run needs before its first step: device, data and network, with all checks that need them.
//!
//! Nothing is written: whatever is wrong with an experiment is found here, before there is a run directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::prelude::*;

use super::batch::DeviceBatches;
use super::checkpoint::{Checkpoint, fingerprint};
use super::error::TrainError;
use super::features::Layers;
use super::optimization::schedule::EpochSchedule;
use super::optimization::{optimizer, precision};
use super::param_groups::{self, Unfreeze};
use super::resume::Resumption;
use super::step::TrainState;
use super::train_model::TrainModel;
use crate::config::{self, ClassWeights, Experiment};
use crate::data::loader::{Loader, Order};
use crate::data::{self, DataSource, Split};
use crate::device;
use crate::inference::ModelCard;
use crate::models::Network;
use crate::models::Task;
use crate::models::parameters::{self, Group};
use crate::progress::Monitor;
use crate::run_dir::{Origin, RunDir, Samples};
use crate::weights::{self, Settings, Taken};

/// An experiment with its data opened and its network built; nothing is written yet.
pub struct Prepared {
    pub(crate) experiment: Experiment,
    pub(super) device: Device,
    pub(super) source: Arc<dyn DataSource>,
    pub(crate) network: Network,
    /// The network before training; `None` in a resumed run whose first weights are gone.
    pub(super) first: Option<Network>,
    pub(super) unfreezes: Vec<Unfreeze>,
    rates: Vec<(Group, f64)>,
    /// The file that the first weights were loaded from, and which were.
    pub weights: Option<(PathBuf, Taken)>,
    /// Number of trainable parameters.
    pub parameters: usize,
    /// Samples of each split.
    pub samples: Samples,
    /// Settings that are valid, but have no effect, and what reading the data has found.
    pub warnings: Vec<String>,
    /// How the files of the data were understood, what of them is not used, and where they are if not here.
    pub notes: Vec<String>,
}

/// Opens device and data and builds the network of a new run. Reading the data is stages of `monitor`.
///
/// # Errors
/// The device is missing, the data can't be read, or the experiment does not match them.
pub fn prepare(experiment: Experiment, monitor: &Monitor) -> Result<Prepared, TrainError> {
    prepare_from(experiment, None, monitor)
}

/// [`prepare`] for a resumed run.
///
/// # Errors
/// As those of [`prepare`]; or the data has changed.
pub fn prepare_resumed(resumption: &Resumption, monitor: &Monitor) -> Result<Prepared, TrainError> {
    prepare_from(resumption.experiment.clone(), Some(resumption), monitor)
}

fn prepare_from(
    experiment: Experiment,
    resumption: Option<&Resumption>,
    monitor: &Monitor,
) -> Result<Prepared, TrainError> {
    let device = device::open_at(experiment.backend, experiment.device)?.autodiff();
    let origin = resumption.and_then(|resumption| resumption.run_dir.origin());
    let root = data::root_for(&experiment.data, origin.as_ref().map(|o| o.data.as_path()))?;
    let mut source = data::open_in(&experiment.data, &root, monitor)?;
    source.skip_bad_images(&Split::ALL, monitor)?;
    let source: Arc<dyn DataSource> = Arc::from(source);
    let samples = fingerprint::samples(source.as_ref());
    let mut notes = data::notes(source.as_ref());
    notes.extend(data::found_at(&root));
    let checkpoint = resumption.and_then(|resumption| resumption.checkpoint.as_ref());
    if let Some((resumption, checkpoint)) = resumption.zip(checkpoint) {
        // First: whatever else does not match is due to this.
        fingerprint::check(&resumption.run_dir, &checkpoint.header, source.as_ref())?;
    }
    check_data(&experiment, source.as_ref(), samples, monitor)?;
    let mut warnings = param_groups::warnings(&experiment);
    warnings.extend(source.warnings());
    device.seed(experiment.seed);
    let classes = source.classes().len();
    let layers = Layers::of(&experiment.model, source.shape(), classes);
    warnings.extend(precision::warnings(&experiment, &layers.nodes));
    let fresh = Network::new(&experiment.model, source.shape(), classes, &device);
    let (network, first, weights) =
        initial_weights(fresh, &experiment, checkpoint, origin.as_ref())?;
    let grouped = param_groups::apply(network, &experiment.parameters)?;
    let parameters = parameters::trainable(&grouped.network);
    let done = checkpoint.map_or(0, Checkpoint::epoch);
    let unfrozen = grouped.unfreezes.iter().filter(|u| u.epoch <= done);
    let network = unfrozen.fold(grouped.network, |network, unfreeze| {
        unfreeze.group.set(network, true)
    });
    Ok(Prepared {
        first: first.or_else(|| checkpoint.is_none().then(|| network.clone())),
        warnings,
        experiment,
        device,
        source,
        network,
        unfreezes: grouped.unfreezes,
        rates: grouped.rates,
        weights,
        parameters,
        samples,
        notes,
    })
}

/// Whether the data has what the experiment needs.
fn check_data(
    experiment: &Experiment,
    source: &dyn DataSource,
    samples: Samples,
    monitor: &Monitor,
) -> Result<(), TrainError> {
    for (count, split, name) in [
        (samples.train, Split::Train, "training"),
        (samples.valid, Split::Valid, "validation"),
    ] {
        if count == 0 {
            let advice = experiment.data.split_advice(split);
            return Err(TrainError::Mismatch(format!(
                "the data has no {name} samples; {advice}"
            )));
        }
    }
    let classes = source.classes().len();
    if classes < 2 && experiment.model.task() == Task::Classify {
        let counted = if classes == 1 {
            "1 class"
        } else {
            "no classes"
        };
        return Err(TrainError::Mismatch(format!(
            "the data has {counted}; a classifier needs at least 2"
        )));
    }
    if let Some(problem) = config::class_problem(experiment, classes) {
        return Err(TrainError::mismatch(problem));
    }
    Ok(source.check(&Split::ALL, monitor)?)
}

type LoadedWeights = Option<(PathBuf, Taken)>;

/// The network that training starts from, the network before all training if it is another and known, and the file that the
/// first weights of a new run were loaded from.
fn initial_weights(
    fresh: Network,
    experiment: &Experiment,
    checkpoint: Option<&Checkpoint>,
    origin: Option<&Origin>,
) -> Result<(Network, Option<Network>, LoadedWeights), TrainError> {
    let Some(checkpoint) = checkpoint else {
        let (network, weights) = with_first_weights(fresh, experiment, origin)?;
        return Ok((network, None, weights));
    };
    parameters::draw(&fresh);
    let first = with_first_weights(fresh.clone(), experiment, origin);
    let network = checkpoint.network(fresh, &experiment.loss)?;
    Ok((network, first.ok().map(|(first, _)| first), None))
}

/// The network with the weights of `init.weights`, and their file; unchanged if the experiment starts from random weights.
fn with_first_weights(
    network: Network,
    experiment: &Experiment,
    origin: Option<&Origin>,
) -> Result<(Network, LoadedWeights), TrainError> {
    let Some(file) = &experiment.init.weights else {
        return Ok((network, None));
    };
    let before = origin.map(|origin| [origin.data.as_path(), origin.folder.as_path()]);
    let path = weights_file(file, before.as_ref().map_or(&[], |before| before));
    let init = &experiment.init;
    let (network, taken) =
        weights::load_renamed(network, &path, &init.except, &init.rename, Settings::CONFIG)?;
    Ok((network, Some((path, taken))))
}

/// A file of weights in the data folder, or else (a run of one's own, for instance) in the current one, or else in one of the folders
/// where it was before; the model of a run directory.
pub fn weights_file(name: &str, before: &[&Path]) -> PathBuf {
    let mut places = vec![data::data_root().join(name), PathBuf::from(name)];
    places.extend(before.iter().map(|folder| folder.join(name)));
    let found = places.iter().position(|path| path.exists());
    let path = places.swap_remove(found.unwrap_or(0));
    match RunDir::open(&path) {
        Ok(run) => run.model_file(),
        Err(_) => path,
    }
}

impl Prepared {
    /// The batches of a split as training takes them: the training split shuffled and augmented.
    pub fn batches(&self, split: Split) -> DeviceBatches {
        let config = &self.experiment;
        let is_training = split == Split::Train;
        let augment = config.data.augment();
        let loader = Loader {
            order: match (is_training, config.training.reshuffle) {
                (false, _) => Order::Stored,
                (true, false) => Order::Once,
                (true, true) => Order::EachEpoch,
            },
            augment: (is_training && !augment.is_off()).then(|| augment.clone()),
            seed: config.seed,
            ..Loader::plain(self.source.clone(), split, config.training.batch_size)
        };
        let device = if is_training {
            self.device.clone()
        } else {
            self.device.clone().inner()
        };
        let normalize = config.data.normalize().cloned();
        DeviceBatches::new(loader, normalize, device, config.model.task())
    }

    /// Network, optimizer and schedule before the first step.
    pub fn train_state(&self) -> TrainState {
        let config = &self.experiment;
        let steps_per_epoch = self.samples.train.div_ceil(config.training.batch_size);
        let schedule = EpochSchedule::new(
            &config.schedule,
            config.learning_rate(),
            config.training.epochs,
            steps_per_epoch,
        );
        let model = TrainModel::new(self.network.clone(), &config.loss)
            .with_class_weights(self.class_weights());
        TrainState::new(
            model,
            optimizer::build(&config.optimizer),
            param_groups::schedule(schedule, &self.rates),
            self.source.shape(),
            &self.device,
        )
        .in_precision(config.training.precision.into())
    }

    /// Whether every epoch sees the same values of each training sample.
    pub(super) fn training_is_fixed(&self) -> bool {
        self.experiment.data.augment().is_off() && !self.source.redraws()
    }

    /// The network's layers.
    pub(super) fn layers(&self) -> Layers {
        let (shape, classes) = (self.source.shape(), self.source.classes().len());
        Layers::of(&self.experiment.model, shape, classes)
    }

    /// The network as it is trained, with frozen parameters frozen.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Weight of each class in the loss, `samples / (classes x samples of the class)`; `None` if all weigh the same.
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

    pub(super) fn card(&self) -> ModelCard {
        let classes = self.source.classes().to_vec();
        let config = &self.experiment;
        ModelCard::new(config.model.clone(), &config.data, classes)
    }

    pub(super) fn data_sha256(&self) -> String {
        fingerprint::sha256(self.source.as_ref())
    }
}
