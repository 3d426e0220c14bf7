//! Several processes that train one run: the same result as one process within rounding, the same bytes every time, and an end of all if one
//! is lost.
//!
//! Sums and steps are tested with groups of threads. With the cargo feature `mpi`, whole runs are trained by `mpiexec`.

#[path = "../common/mod.rs"]
mod common;

#[cfg(feature = "mpi")]
mod exact;
#[cfg(feature = "mpi")]
mod lost;
mod norms;
#[cfg(feature = "mpi")]
mod processes;
#[cfg(not(feature = "mpi"))]
mod refused;
mod steps;
mod sums;
#[cfg(feature = "mpi")]
mod synchronised;
mod threads;

#[cfg(feature = "mpi")]
use serde_json::{Value, json};

/// A perceptron with Adam and a step schedule.
#[cfg(feature = "mpi")]
fn mlp() -> Value {
    json!({
        "data": {"kind": "glyphs", "size": 16, "train": 720, "valid": 180, "test": 72,
                 "normalize": {"mean": [1.0], "std": [0.5]}},
        "model": {"kind": "mlp", "hidden": [24], "activation": "relu"},
        "optimizer": {"kind": "adam", "lr": 0.003},
        "schedule": {"kind": "step", "every": 2, "gamma": 0.5},
        "training": {"epochs": 5, "batch_size": 48},
    })
}
