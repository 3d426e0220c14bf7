//! Signals that end a run.

use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;

use super::watched::{end_of, kiln, send, wait_for_an_epoch};
use crate::common::{Bench, SMALL};

#[test]
fn every_signal_that_asks_a_run_to_end_saves_it_and_sets_the_exit_code() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let bench = Bench::new();
        bench.write("small.json", SMALL);
        let mut command = kiln(
            &bench,
            "train small.json --run-dir run --set training.epochs=100000",
        );
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        wait_for_an_epoch(&bench.path("run"));
        send(&child, signal);
        // A terminal that closes may send it again: that is nobody's impatience.
        if signal == Signal::HUP {
            send(&child, signal);
        }
        assert_eq!(end_of(&mut child).code(), Some(code), "{signal:?}");
        let summary: Value = serde_json::from_slice(&bench.read("run/summary.json")).unwrap();
        assert_eq!(summary["status"], "interrupted", "{signal:?}");
        assert!(bench.path("run/model.safetensors").exists(), "{signal:?}");
    }
}
