//! Training reads values of the device rarely, and still finds a loss that is no number.

use std::sync::{Arc, Mutex};

use kiln::config::{self, Backend, Experiment};
use kiln::data::{self, Split};
use kiln::parallel::Alone;
use kiln::progress::Monitor;
use kiln::read_back;
use kiln::training::{self, EpochReport, Observer, Options, TrainError};
use serde_json::{Value, json};

use crate::common::{Bench, repository};
use crate::{BACKEND, turn};

/// Notes how often values had been read at the end of each epoch.
#[derive(Default)]
struct Readings(Mutex<Vec<usize>>);

impl Observer for Readings {
    fn epoch(&self, _report: &EpochReport) {
        self.0.lock().unwrap().push(read_back::count());
    }
}

/// Batches of training and of validation in an epoch.
const STEPS: [usize; 2] = [150, 60];
const BATCH: usize = 8;

fn experiment(backend: Backend, more: &Value) -> Experiment {
    let mut config = json!({
        "name": "waiting",
        "backend": backend.name(),
        "data": {"kind": "glyphs", "train": STEPS[0] * BATCH, "valid": STEPS[1] * BATCH, "test": 36, "size": 16},
        "model": {"kind": "cnn", "channels": [4, 6], "hidden": 16},
        "training": {"epochs": 2, "batch_size": BATCH},
    });
    for (key, value) in more.as_object().unwrap() {
        config[key] = value.clone();
    }
    config::parse(&config.to_string(), "waiting.json".as_ref(), &[])
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Trains, and returns the readings of each epoch.
fn train(experiment: Experiment) -> Result<Vec<usize>, TrainError> {
    let bench = Bench::new();
    let readings = Arc::new(Readings::default());
    let before = read_back::count();
    let epochs = experiment.training.epochs;
    let outcome = training::run(
        experiment,
        Options {
            profile: None,
            run_dir: Some(bench.path("run")),
            dashboard: false,
            monitor: Monitor::default(),
            observer: readings.clone(),
            group: Arc::new(Alone),
        },
    )?;
    assert_eq!(outcome.summary.epochs, epochs);
    let at_ends = readings.0.lock().unwrap().clone();
    let starts = std::iter::once(before).chain(at_ends.clone());
    Ok(starts
        .zip(&at_ends)
        .map(|(start, end)| end - start)
        .collect())
}

#[test]
#[cfg_attr(
    not(all(feature = "wgpu", kiln_vulkan)),
    ignore = "needs --features vulkan or wgpu, and a Vulkan driver (Debian: mesa-vulkan-drivers)"
)]
fn an_epoch_on_a_gpu_reads_values_at_most_once_in_ten_steps() {
    let _turn = turn();
    let steps: usize = STEPS.iter().sum();
    let frozen = json!({"parameters": [{"names": "blocks.*", "frozen": true}]});
    let averaged = json!({"training": {"epochs": 2, "batch_size": BATCH, "ema": 0.99}});
    let reconstructed = json!({"model": {"kind": "conv_autoencoder", "channels": [4], "code": 8}});
    for more in [json!({}), frozen, averaged, reconstructed] {
        let readings = train(experiment(BACKEND, &more)).unwrap();
        eprintln!("{more}: {readings:?} readings in {steps} steps");
        for reads in readings {
            assert!(reads >= 6, "every metric is read");
            assert!(
                reads * 10 <= steps,
                "{more}: {reads} readings in {steps} steps"
            );
        }
    }
}

#[test]
#[cfg_attr(
    not(all(feature = "wgpu", kiln_vulkan, kiln_data = "nist36")),
    ignore = "needs nist36 in KILN_DATA, --features vulkan or wgpu, and a Vulkan driver (Debian: mesa-vulkan-drivers)"
)]
fn an_epoch_of_the_recipes_of_nist36_does_so_as_well() {
    let _turn = turn();
    for (recipe, warmup) in [
        ("nist36_cnn.json", Some("schedule.warmup=0")),
        ("nist36_autoencoder.json", None),
    ] {
        let path = repository().join("configs").join(recipe);
        let mut overrides = vec![
            format!("backend={}", BACKEND.name()),
            "training.epochs=1".into(),
        ];
        overrides.extend(warmup.map(String::from));
        let experiment = config::load(&path, &overrides).unwrap_or_else(|error| panic!("{error}"));
        let source = data::open(&experiment.data, &Monitor::default()).unwrap();
        let batches = |split| source.len(split).div_ceil(experiment.training.batch_size);
        let steps = batches(Split::Train) + batches(Split::Valid);
        let reads = train(experiment).unwrap()[0];
        eprintln!("{recipe}: {reads} readings in {steps} steps");
        assert!(
            reads * 10 <= steps,
            "{recipe}: {reads} readings in {steps} steps"
        );
    }
}

#[test]
fn a_processor_reads_every_loss_and_metric_at_once() {
    let _turn = turn();
    let readings = train(experiment(Backend::Flex, &json!({}))).unwrap();
    // Loss and accuracy in training, and the check of the loss; loss, accuracy and top-5 accuracy in validation.
    let expected = 3 * STEPS[0] + 3 * STEPS[1];
    assert_eq!(readings, [expected, expected]);
}

/// What a run says whose learning rate is far too high.
fn diverged(backend: Backend) -> (Option<usize>, String) {
    let settings = json!({
        "model": {"kind": "mlp", "hidden": [512, 512, 512], "activation": "relu"},
        "optimizer": {"kind": "sgd", "lr": 100, "momentum": 0.0},
        "loss": {"reduction": "sum"},
    });
    match train(experiment(backend, &settings)) {
        Err(error @ TrainError::NotFinite { step, .. }) => (step, error.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
#[cfg_attr(
    not(all(feature = "wgpu", kiln_vulkan)),
    ignore = "needs --features vulkan or wgpu, and a Vulkan driver (Debian: mesa-vulkan-drivers)"
)]
fn a_loss_that_is_no_number_is_named_with_the_step_at_which_it_came() {
    let _turn = turn();
    let (expected, _) = diverged(Backend::Flex);
    let (step, message) = diverged(BACKEND);
    assert_eq!(step, expected, "{message}");
    let named = format!("in step {} of epoch 1", step.unwrap());
    assert!(
        message.contains(&named) && message.contains("lower optimizer.lr"),
        "{message}"
    );
}
