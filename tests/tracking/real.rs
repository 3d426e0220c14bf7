//! TensorBoard's own reader and a real MLflow server, which `.ci/full` installs: `KILN_TRACKING_PYTHON` is a Python with both.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{bench, bytes, numbers};
use crate::common::{Bench, repository};

fn python() -> Command {
    let python = std::env::var_os("KILN_TRACKING_PYTHON").expect("KILN_TRACKING_PYTHON is set");
    Command::new(python)
}

fn read_back(program: &str, place: &str) -> Value {
    let script = repository().join("tests/tracking/read_back.py");
    let output = python()
        .arg(script)
        .args([program, place])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The numbers of the epochs; fails where a step has several.
fn epochs(read: &Value) -> BTreeMap<(String, u64), f64> {
    let mut found = BTreeMap::new();
    for (name, steps) in read["scalars"].as_object().unwrap() {
        if ["time/", "test/", "final/"]
            .iter()
            .any(|part| name.starts_with(part))
        {
            continue;
        }
        for (step, values) in steps.as_object().unwrap() {
            let values = values.as_array().unwrap();
            assert_eq!(values.len(), 1, "{name} at {step}");
            found.insert(
                (name.clone(), step.parse().unwrap()),
                values[0].as_f64().unwrap(),
            );
        }
    }
    found
}

/// Those of `metrics.jsonl` as the 32-bit floats that TensorBoard has.
fn rounded(bench: &Bench, run: &str) -> BTreeMap<(String, u64), f64> {
    let all = numbers(bench, run).into_iter();
    all.map(|(key, value)| (key, f64::from(value as f32)))
        .collect()
}

#[test]
#[ignore = "needs TensorBoard: KILN_TRACKING_PYTHON"]
fn tensorboards_own_reader_gives_back_every_number_and_picture() {
    let bench = bench();
    bench.output("train small.json --run-dir run --log tensorboard");
    let folder = bench.path("run/tensorboard");
    let read = read_back("tensorboard", folder.to_str().unwrap());
    assert_eq!(epochs(&read), rounded(&bench, "run"));
    assert_eq!(read["hparams"]["optimizer.lr"], 3e-3);
    assert_eq!(read["hparams"]["model.kind"], "mlp");
    assert_eq!(
        read["images"].as_object().unwrap()["confusion matrix: truth down, predicted across"][0],
        576
    );
    // Resumed from an earlier epoch, and with other numbers after it: as if on another machine.
    let metrics = String::from_utf8(bench.read("run/metrics.jsonl")).unwrap();
    bench.output("train --resume run@2 --set training.epochs=5");
    assert!(
        String::from_utf8(bench.read("run/metrics.jsonl"))
            .unwrap()
            .starts_with(&metrics)
    );
    let read = read_back("tensorboard", folder.to_str().unwrap());
    assert_eq!(epochs(&read), rounded(&bench, "run"));
}

#[test]
#[ignore = "needs TensorBoard: KILN_TRACKING_PYTHON"]
fn epochs_that_come_out_differently_replace_those_before() {
    let bench = bench();
    bench.output("train small.json --run-dir run --log tensorboard");
    // Another history for the same event files.
    bench.output("train small.json --run-dir other --set seed=2");
    let first = numbers(&bench, "run");
    std::fs::copy(
        bench.path("other/metrics.jsonl"),
        bench.path("run/metrics.jsonl"),
    )
    .unwrap();
    let checkpoints = bench.path("run/checkpoints");
    std::fs::remove_dir_all(&checkpoints).unwrap();
    copy(&bench.path("other/checkpoints"), &checkpoints);
    std::fs::copy(
        bench.path("other/config.json"),
        bench.path("run/config.json"),
    )
    .unwrap();
    bench.output("train --resume run@2 --log tensorboard --set training.epochs=4");
    let read = epochs(&read_back(
        "tensorboard",
        bench.path("run/tensorboard").to_str().unwrap(),
    ));
    let mut expected = rounded(&bench, "run");
    // The first epochs were logged, and are not logged again.
    let logged = first.into_iter().filter(|((_, epoch), _)| *epoch <= 2);
    expected.extend(logged.map(|(key, value)| (key, f64::from(value as f32))));
    assert_eq!(read, expected);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// An MLflow server with its data in a folder.
struct Mlflow {
    child: Child,
    port: u16,
}

impl Mlflow {
    fn start(folder: &Path, port: u16) -> Self {
        let mut command = python();
        command.args([
            "-m",
            "mlflow",
            "server",
            "--host",
            "127.0.0.1",
            "--workers",
            "1",
        ]);
        command.args(["--port", &port.to_string()]);
        command
            .arg("--backend-store-uri")
            .arg(format!("sqlite:///{}/runs.db", folder.display()));
        command
            .arg("--artifacts-destination")
            .arg(folder.join("artifacts"));
        let log = std::fs::File::create(folder.join("log.txt")).unwrap();
        command.stdout(Stdio::null()).stderr(log);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let server = Self {
            child: command.spawn().unwrap(),
            port,
        };
        let deadline = Instant::now() + Duration::from_secs(180);
        while !server.answers() {
            assert!(
                Instant::now() < deadline,
                "the MLflow server does not start"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
        server
    }

    fn answers(&self) -> bool {
        ureq::get(format!("{}/health", self.address()))
            .call()
            .is_ok()
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Mlflow {
    /// At once, with its workers, as a crash would.
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "needs MLflow: KILN_TRACKING_PYTHON"]
fn a_real_server_that_is_killed_in_the_middle_and_started_again_has_everything() {
    let bench = bench();
    let folder = bench.path("server");
    std::fs::create_dir(&folder).unwrap();
    let port = free_port();
    let server = Mlflow::start(&folder, port);
    let address = server.address();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    command.current_dir(bench.folder.path());
    // An epoch takes about a tenth of a second.
    command.args(
        "train small.json --run-dir run --set data.train=10800 --set training.epochs=120"
            .split(' '),
    );
    let mut run = command
        .args(["--log", &format!("mlflow={address}")])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let metrics = bench.path("run/metrics.jsonl");
    let done = || std::fs::read_to_string(&metrics).map_or(0, |text| text.lines().count());
    let wait_for = |epochs: usize| {
        let deadline = Instant::now() + Duration::from_secs(300);
        while done() < epochs && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    wait_for(20);
    drop(server);
    wait_for(60);
    let _server = Mlflow::start(&folder, port);
    assert!(run.wait().unwrap().success());
    bench.output("track run");
    let read = read_back("mlflow", &address);
    assert_eq!(epochs(&read), numbers(&bench, "run"));
    assert_eq!(read["status"], "FINISHED");
    assert_eq!(read["hparams"]["optimizer.lr"], "0.003");
    for name in [
        "config.json",
        "metrics.jsonl",
        "model.safetensors",
        "report.html",
        "summary.json",
    ] {
        let size = bench.read(&format!("run/{name}")).len();
        assert_eq!(read["artifacts"][name], size, "{name}");
    }
    bench.output(
        "train small.json --run-dir without --set data.train=10800 --set training.epochs=120",
    );
    assert!(bytes(&bench, "run") == bytes(&bench, "without"));
}
