//! Training from the command line: the run directory, determinism, exit codes and output.

#[path = "../common/mod.rs"]
mod common;

mod dashboard;
mod determinism;
mod endings;
mod results;
mod verbs;

use common::{Bench, SMALL};

/// A bench with a finished small run in `run/`.
fn trained() -> Bench {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    bench.output("train small.json --run-dir run");
    bench
}
