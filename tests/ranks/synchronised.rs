//! Runs with `"batch_norm": "sync"`, in one process and in several.

use serde_json::{Value, json};

use crate::common::Bench;
use crate::mlp;
use crate::processes::{assert_same, bench_with, difference, losses, train, trained};

/// The relative difference of losses that is left to rounding, in networks with batch norms.
const ROUNDING: f64 = 1e-5;

/// At some learning rates, a ReLU or a maximum that rounding decides changes the losses by 1e-4 and more within five epochs; these are
/// rates at which none does.
fn with_model(model: Value, lr: f64) -> Value {
    json!({
        "data": {"kind": "glyphs", "size": 16, "train": 720, "valid": 72, "test": 36,
                 "augment": {"rotate": 5, "stroke": 0.5},
                 "normalize": {"mean": [1.0], "std": [0.5]}},
        "model": model,
        "parallel": {"batch_norm": "sync"},
        "optimizer": {"kind": "sgd", "lr": lr, "momentum": 0.9},
        "training": {"epochs": 5, "batch_size": 40},
    })
}

fn cnn() -> Value {
    let model = json!({"kind": "cnn", "channels": [8, 16], "hidden": 32, "dropout": 0.0});
    with_model(model, 0.01)
}

/// Norms after convolutions of kernels, after others, and alone; of maps that come together at a residual.
fn layers() -> Value {
    let conv = |channels, dilation| json!({"kind": "conv", "channels": channels, "kernel": 3, "padding": "same", "dilation": dilation});
    let depthwise = json!({"kind": "depthwise_conv", "kernel": 3, "padding": 1, "bias": false});
    let model = json!({"kind": "layers", "layers": [
        "batch_norm", conv(8, 1), "batch_norm", "relu", {"kind": "max_pool", "kernel": 2},
        {"kind": "residual",
         "body": [conv(8, 2), "batch_norm", "relu", depthwise, "batch_norm"],
         "shortcut": [{"kind": "conv", "channels": 8, "kernel": 1}, "batch_norm"]},
        "relu", {"kind": "max_pool", "kernel": 2}, "batch_norm", "flatten", {"kind": "linear"}]});
    with_model(model, 0.05)
}

/// Trains in one, two and three processes, of which the losses must be the same but for rounding; twice in three, for the same bytes.
fn assert_within_rounding(config: &Value) -> Bench {
    let bench = bench_with(config);
    for (run, ranks) in [("one", 1), ("two", 2), ("three", 3), ("again", 3)] {
        trained(
            &bench,
            &format!("config.json --run-dir {run} --ranks {ranks}"),
        );
    }
    assert_same(&bench, "three", "again");
    let of_one = losses(&bench, "one");
    assert!(of_one[4][0] < of_one[0][0], "it learns: {of_one:?}");
    for run in ["two", "three"] {
        let found = difference(&bench, "one", run);
        eprintln!("{run}: losses differ by a fraction of {found:.1e} from those of one");
        assert!(found < ROUNDING, "{run}: {found:e}");
    }
    bench
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn a_cnn_of_two_and_three_ranks_has_the_losses_of_one_and_the_same_bytes_every_time() {
    let bench = assert_within_rounding(&cnn());
    trained(
        &bench,
        "config.json --run-dir local --ranks 2 --set parallel.batch_norm=local",
    );
    let found = difference(&bench, "one", "local");
    assert!(found > 100.0 * ROUNDING, "local norms differ: {found:e}");
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn norms_anywhere_in_a_list_of_layers_are_synchronised() {
    assert_within_rounding(&layers());
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn ranks_without_samples_take_part_in_the_norms_of_the_others() {
    let mut config = cnn();
    // 720 samples: batches of 103, and one of 2 samples for three ranks.
    config["training"]["batch_size"] = json!(359);
    config["optimizer"]["lr"] = json!(0.02);
    assert_within_rounding(&config);
    config["data"]["train"] = json!(721);
    config["loss"] = json!({"reduction": "sum"});
    config["optimizer"]["lr"] = json!(0.0001);
    config["training"]["batch_size"] = json!(48);
    assert_within_rounding(&config);
}

#[test]
#[cfg_attr(not(kiln_tool = "mpiexec"), ignore = "needs mpiexec")]
fn a_resumed_run_with_synchronised_norms_gives_the_bytes_of_one_that_never_stopped() {
    let bench = bench_with(&cnn());
    trained(&bench, "config.json --run-dir straight --ranks 2");
    trained(
        &bench,
        "config.json --run-dir parts --ranks 2 --set training.epochs=2",
    );
    trained(&bench, "--resume parts --set training.epochs=5");
    assert_same(&bench, "straight", "parts");
}

#[test]
fn other_backends_than_flex_refuse_synchronised_norms() {
    let mut config = mlp();
    config["parallel"] = json!({"batch_norm": "sync"});
    config["backend"] = json!("ndarray");
    let bench = bench_with(&config);
    let ended = train(&bench, "config.json --run-dir run");
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    let expected = "parallel.batch_norm: found \"sync\", which the backend ndarray does not have; use \"local\", or the backend flex";
    assert!(ended.err.contains(expected), "{}", ended.err);
    assert!(!bench.path("run").exists());
}
