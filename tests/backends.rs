//! Every backend that is compiled in trains like flex: from the same weights, on the same batches, with dropout off.
//!
//! wgpu runs on whatever Vulkan device is there (in CI Mesa's software one); where none answers, the test says so, or
//! fails if `KILN_REQUIRE_BACKENDS` is set.

use burn::module::Module;
use burn::prelude::*;
use burn::train::TrainStep;
use kiln::config::experiment::{
    AdamConfig, Backend, CnnConfig, LossConfig, MlpConfig, ModelConfig, OptimizerConfig,
};
use kiln::data::glyphs::Glyphs;
use kiln::data::loader::{HostBatch, Loader, Order};
use kiln::data::{DataSource, Split};
use kiln::inference::to_input;
use kiln::models::Network;
use kiln::training::optimizer;
use kiln::training::trainee::{Batch, Trainee};
use std::sync::Arc;

const STEPS: usize = 20;

/// The largest relative difference of losses that counts as the same training.
const TOLERANCE: f64 = 1e-3;

fn cnn() -> ModelConfig {
    // The network of configs/nist36_cnn.json, with dropout off: each backend draws its own random numbers.
    ModelConfig::Cnn(CnnConfig {
        dropout: 0.0,
        ..CnnConfig::default()
    })
}

fn mlp() -> ModelConfig {
    ModelConfig::Mlp(MlpConfig::default())
}

fn batches(source: &Arc<dyn DataSource>) -> Vec<HostBatch> {
    let loader = Loader {
        source: source.clone(),
        split: Split::Train,
        batch_size: 32,
        order: Order::EachEpoch,
        augment: None,
        seed: 1,
    };
    loader.batches(1).take(STEPS).map(Result::unwrap).collect()
}

/// The losses of twenty steps on `device`, from weights drawn on flex.
fn losses(model: &ModelConfig, backend: Backend, device: Device) -> Vec<f64> {
    let source: Arc<dyn DataSource> = Arc::new(Glyphs::new(&Default::default()));
    let shape = source.shape();
    let flex = Device::flex();
    flex.seed(11);
    let start = Network::new(model, [1, 32, 32], 36, &flex.clone().autodiff());
    let weights = start.into_record().into_bytes().expect("weights as bytes");
    let device = device.autodiff();
    let network = Network::new(model, [1, 32, 32], 36, &device)
        .load_record(burn::store::ModuleRecord::from_bytes(weights).expect("weights"));
    let mut trainee = Trainee::new(network, &LossConfig::default());
    let mut optimizer = optimizer::build(&OptimizerConfig::Adam(AdamConfig::default()));
    let losses: Vec<f64> = batches(&source)
        .into_iter()
        .map(|batch| {
            let count = batch.labels.len();
            let targets: Vec<i32> = batch.labels.iter().map(|&label| label as i32).collect();
            let batch = Batch {
                images: to_input(batch.pixels, count, shape, None, &device),
                targets: Tensor::from_data(TensorData::new(targets, [count]), &device),
            };
            let output = TrainStep::step(&trainee, batch);
            trainee = optimizer.step(1e-3, trainee.clone(), output.grads);
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

/// Holds a backend against flex, or says why it can't.
fn compare(model: &ModelConfig, backend: Backend) {
    let device = match kiln::device::open(backend) {
        Ok(device) => device,
        Err(error) => {
            assert!(
                std::env::var_os("KILN_REQUIRE_BACKENDS").is_none(),
                "{error}"
            );
            eprintln!("skipped: {error}");
            return;
        }
    };
    let expected = losses(model, Backend::Flex, Device::flex());
    assert!(
        expected[STEPS - 1] < 0.95 * expected[0],
        "flex itself must learn: {expected:?}"
    );
    let found = losses(model, backend, device);
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

#[test]
fn all_backends_train_the_same_losses_as_flex() {
    // One test, since engines keep their random state and their threads for the whole process.
    for model in [mlp(), cnn()] {
        eprintln!("{}", model.kind());
        for backend in Backend::ALL {
            compare(&model, backend);
        }
    }
}
