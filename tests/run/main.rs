//! What a user may rely on when the binary trains: the run directory, the same bits, the exit codes, what is said where.

#[path = "../common/mod.rs"]
mod common;

mod dashboard;
mod determinism;
mod endings;
mod results;
mod verbs;

use common::Bench;
use common::SMALL;

/// A bench with a finished small run in `run/`.
fn trained() -> Bench {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    bench.output("train small.json --run-dir run");
    bench
}
