//! The dashboard, in a terminal of its own (`script` of util-linux makes one).

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Bench, SMALL};

/// Burn's dashboard ends a killed run by a panic, which kiln has to tell from others by its text.
#[test]
#[cfg_attr(
    not(all(target_os = "linux", kiln_tool = "script")),
    ignore = "needs script of util-linux"
)]
fn a_run_that_is_killed_from_the_dashboard_exits_with_130_and_says_so() {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    let train = format!(
        "stty rows 40 cols 120; {} train small.json --renderer dashboard --run-dir run --set training.epochs=5000",
        env!("CARGO_BIN_EXE_kiln")
    );
    let mut child = Command::new("script")
        .current_dir(bench.folder.path())
        .args(["-qec", &train, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    let shown = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = output.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let began = Instant::now();
    while std::fs::read(bench.path("run/metrics.jsonl")).map_or(0, |text| text.len()) < 10 {
        assert!(began.elapsed() < Duration::from_secs(60), "no epoch");
        std::thread::sleep(Duration::from_millis(20));
    }
    // `q` opens the menu, `k` kills.
    let mut keys = child.stdin.take().unwrap();
    for key in [b"q", b"k"] {
        keys.write_all(key).unwrap();
        keys.flush().unwrap();
        std::thread::sleep(Duration::from_millis(500));
    }
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "the run continues after the kill"
        );
        std::thread::sleep(Duration::from_millis(20));
    };
    drop(keys);
    let shown = shown.join().unwrap();
    assert_eq!(status.code(), Some(130), "{shown}");
    assert!(shown.contains("killed from the dashboard"), "{shown}");
    // What the run has learned so far is kept.
    assert!(bench.path("run/model.safetensors").exists());
}
