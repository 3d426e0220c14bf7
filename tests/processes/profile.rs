//! `kiln train --profile` says where the time of an epoch went.

use crate::common::{Bench, SMALL};

#[test]
fn the_phases_of_an_epoch_add_up_to_it_and_the_run_is_the_same() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    bench.output("train small.json --run-dir plain --set training.epochs=3");
    let command = "train small.json --run-dir profiled --set training.epochs=3 --profile";
    let output = bench.kiln(command).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}");
    let seconds = |name: &str| -> Option<f64> {
        let line = printed.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let phases = [
        "waiting for batches",
        "batches to the device",
        "forward and backward pass ",
        "optimizer",
        "metrics and display",
        "validation",
        "everything else",
    ];
    let found: Vec<f64> = phases.iter().filter_map(|name| seconds(name)).collect();
    let whole = seconds("in all").unwrap_or_else(|| panic!("{printed}"));
    // Printed in milliseconds.
    let difference = (found.iter().sum::<f64>() - whole).abs();
    assert!(difference <= 0.0005 * 8.0, "{printed}");
    assert!(printed.contains("times its bare steps"), "{printed}");
    assert!(printed.contains("GFLOP/s"), "{printed}");
    for file in ["model.safetensors", "metrics.jsonl"] {
        let read = |run: &str| std::fs::read(bench.path(run).join(file)).unwrap();
        assert!(read("plain") == read("profiled"), "{file}");
    }
}
