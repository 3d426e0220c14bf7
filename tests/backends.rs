//! Every backend that is compiled in trains like flex: the repository's recipes, from the same weights, on the same
//! batches, with dropout off (each engine draws its own random numbers).
//!
//! wgpu and Vulkan run on whatever GPU is there (in CI Mesa's software Vulkan).

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use burn::module::Module;
use burn::prelude::*;
use burn::train::TrainStep;
use kiln::config::Backend;
use kiln::config::{self, Experiment};
use kiln::data::glyphs::Glyphs;
use kiln::data::loader::{HostBatch, Loader, Order, Share};
use kiln::data::{self, DataSource, Split};
use kiln::inference::to_input;
use kiln::models::ModelConfig;
use kiln::models::Network;
use kiln::progress::{CancelToken, Monitor};
use kiln::shape::ImageShape;
use kiln::training::optimizer;
use kiln::training::schedule::learning_rate;
use kiln::training::{Batch, TrainModel};

const STEPS: usize = 20;

/// The largest relative difference of losses that counts as the same training.
const TOLERANCE: f64 = 1e-3;

/// A recipe of the repository, with dropout off.
fn recipe(name: &str) -> Experiment {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("configs")
        .join(name);
    let mut experiment = config::load(&path, &[]).unwrap_or_else(|error| panic!("{error}"));
    if let ModelConfig::Cnn(cnn) = &mut experiment.model {
        cnn.dropout = 0.0;
    }
    experiment
}

/// The recipe's own data where it is there, drawn glyphs of the same shape elsewhere.
fn source(experiment: &Experiment) -> Arc<dyn DataSource> {
    if cfg!(kiln_data = "nist36") {
        Arc::from(
            data::open(&experiment.data, &Monitor::default()).unwrap_or_else(|e| panic!("{e}")),
        )
    } else {
        Arc::new(Glyphs::new(&Default::default()))
    }
}

fn batches(experiment: &Experiment, source: &Arc<dyn DataSource>) -> (usize, Vec<HostBatch>) {
    let loader = Loader {
        source: source.clone(),
        split: Split::Train,
        batch_size: experiment.training.batch_size,
        order: Order::EachEpoch,
        augment: None,
        normalize: None,
        seed: 1,
        share: Share::WHOLE,
        cancel: CancelToken::default(),
    };
    let batches = loader.batches(1).take(STEPS).map(Result::unwrap).collect();
    (loader.batches_per_epoch(), batches)
}

/// The losses of the first steps on `device`, from weights drawn on flex.
fn losses(experiment: &Experiment, backend: Backend, device: Device) -> Vec<f64> {
    let source = source(experiment);
    let shape = source.shape();
    let flex = Device::flex();
    flex.seed(11);
    let start = Network::new(
        &experiment.model,
        ImageShape::new(1, 32, 32),
        36,
        &flex.clone().autodiff(),
    );
    let weights = start.into_record().into_bytes().expect("weights as bytes");
    let device = device.autodiff();
    let network = Network::new(&experiment.model, ImageShape::new(1, 32, 32), 36, &device)
        .load_record(burn::store::ModuleRecord::from_bytes(weights).expect("weights"));
    let mut model = TrainModel::new(network, &experiment.loss);
    let mut optimizer = optimizer::build(&experiment.optimizer);
    let (steps_per_epoch, batches) = batches(experiment, &source);
    let losses: Vec<f64> = batches
        .into_iter()
        .enumerate()
        .map(|(step, batch)| {
            let count = batch.labels.len();
            let targets: Vec<i32> = batch.labels.iter().map(|&label| label as i32).collect();
            let normalize = experiment.data.normalize();
            let batch = Batch {
                images: to_input(batch.pixels, count, shape, normalize, &device),
                targets: Tensor::from_data(TensorData::new(targets, [count]), &device),
                originals: None,
                indices: batch.indices,
                features: None,
            };
            let output = TrainStep::step(&model, batch);
            let rate = learning_rate(
                &experiment.schedule,
                experiment.optimizer.lr(),
                experiment.training.epochs,
                steps_per_epoch,
                step,
            );
            model = optimizer.step(rate, model.clone(), output.grads);
            output.item.loss.into_scalar::<f64>()
        })
        .collect();
    eprintln!(
        "{}: first {:.5}, last {:.5}",
        backend.name(),
        losses[0],
        losses[STEPS - 1]
    );
    losses
}

/// Fails unless a backend loses what flex loses at every step.
fn compare(experiment: &Experiment, backend: Backend) {
    let device = kiln::device::open(backend).unwrap_or_else(|error| panic!("{error}"));
    let expected = losses(experiment, Backend::Flex, Device::flex());
    let spread = expected
        .iter()
        .map(|loss| (loss - expected[0]).abs() / expected[0]);
    assert!(
        spread.fold(0.0, f64::max) > 10.0 * TOLERANCE,
        "losses that hardly move prove nothing: {expected:?}"
    );
    let found = losses(experiment, backend, device);
    let mut worst: f64 = 0.0;
    for (step, (f, e)) in found.iter().zip(&expected).enumerate() {
        let difference = (f - e).abs() / e;
        worst = worst.max(difference);
        assert!(
            difference <= TOLERANCE,
            "step {step}: {} loses {f}, flex {e}",
            backend.name()
        );
    }
    eprintln!(
        "{} against flex: largest relative difference {worst:.2e}",
        backend.name()
    );
}

/// Compares the recipes, one backend at a time: engines keep their random state for the whole process.
fn compare_recipes(backend: Backend) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for name in ["nist36_mlp.json", "nist36_cnn.json"] {
        eprintln!("{name}");
        compare(&recipe(name), backend);
    }
}

#[test]
fn flex_trains_the_same_losses_twice() {
    compare_recipes(Backend::Flex);
}

#[test]
#[cfg_attr(not(feature = "ndarray"), ignore = "needs --features ndarray")]
fn ndarray_trains_the_same_losses_as_flex() {
    compare_recipes(Backend::Ndarray);
}

#[test]
#[cfg_attr(
    not(all(feature = "wgpu", kiln_vulkan)),
    ignore = "needs --features wgpu and a Vulkan driver (Debian: mesa-vulkan-drivers)"
)]
fn wgpu_trains_the_same_losses_as_flex() {
    compare_recipes(Backend::Wgpu);
}

#[test]
#[cfg_attr(
    not(all(feature = "vulkan", kiln_vulkan)),
    ignore = "needs --features vulkan and a Vulkan driver (Debian: mesa-vulkan-drivers)"
)]
fn vulkan_trains_the_same_losses_as_flex() {
    compare_recipes(Backend::Vulkan);
}
