//! Terminals: where the dashboard is shown, and runs whose terminal goes away.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::terminal::{DASHBOARD, Terminal};
use super::watched::{end_of, kiln, usual_signals, wait_for_an_epoch, wait_until};
use crate::common::{Bench, SMALL};

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    bench
}

/// `kiln train small.json` for so many epochs.
fn train(bench: &Bench, epochs: usize) -> Command {
    let mut command = kiln(bench, "train small.json --run-dir run --set");
    command.arg(format!("training.epochs={epochs}"));
    command.env("TERM", "xterm");
    command
}

fn status_of_run(bench: &Bench) -> String {
    let summary: Value = serde_json::from_slice(&bench.read("run/summary.json")).unwrap();
    summary["status"].as_str().unwrap().to_string()
}

fn assert_saved(bench: &Bench) {
    for name in ["model.safetensors", "report.html"] {
        assert!(bench.path("run").join(name).exists(), "{name} is missing");
    }
}

#[test]
fn the_dashboard_is_shown_in_a_terminal_that_can_draw_and_plain_lines_in_one_that_cannot() {
    for (term, draws) in [("xterm", true), ("dumb", false), ("", false)] {
        let bench = bench();
        let mut terminal = Terminal::open();
        let mut command = train(&bench, 3);
        command.env("TERM", term);
        let mut child = terminal.spawn(command, None);
        assert!(end_of(&mut child).success(), "{}", terminal.shown());
        terminal.wait_for("next:");
        let shown = terminal.shown();
        assert_eq!(shown.contains(DASHBOARD), draws, "TERM={term}: {shown}");
        assert_eq!(shown.contains("epoch 1/3"), !draws, "TERM={term}: {shown}");
    }
}

#[test]
fn the_dashboard_is_refused_by_name_where_it_can_not_be_drawn() {
    let bench = bench();
    let mut terminal = Terminal::open();
    let mut command = train(&bench, 3);
    command
        .args(["--renderer", "dashboard"])
        .env("TERM", "dumb");
    let mut child = terminal.spawn(command, None);
    assert_eq!(end_of(&mut child).code(), Some(2));
    terminal.wait_for("TERM is empty or dumb; use --renderer plain");
}

#[test]
fn a_terminal_that_closes_under_the_dashboard_ends_the_run_as_ctrl_c_does() {
    let bench = bench();
    let mut terminal = Terminal::open();
    let mut child = terminal.spawn(train(&bench, 100_000), None);
    terminal.wait_for(DASHBOARD);
    wait_for_an_epoch(&bench.path("run"));
    terminal.close();
    // 128 and SIGHUP's number.
    assert_eq!(end_of(&mut child).code(), Some(129));
    assert_eq!(status_of_run(&bench), "interrupted");
    assert_saved(&bench);
}

#[test]
fn a_run_that_ignores_the_hangup_goes_on_in_plain_lines_when_its_terminal_closes() {
    let bench = bench();
    let mut terminal = Terminal::open();
    let mut command = train(&bench, 200);
    // SAFETY: `signal` may be called between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGHUP, libc::SIG_IGN);
            Ok(())
        });
    }
    let errors = File::create(bench.path("errors")).unwrap();
    let mut child = terminal.spawn(command, Some(errors));
    terminal.wait_for(DASHBOARD);
    wait_for_an_epoch(&bench.path("run"));
    terminal.close();
    assert!(end_of(&mut child).success());
    assert_eq!(status_of_run(&bench), "finished");
    assert_saved(&bench);
    let errors = String::from_utf8(bench.read("errors")).unwrap();
    assert!(errors.contains("\nepoch 200/200"), "{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
}

#[test]
fn nohup_lets_a_run_outlive_its_terminal() {
    let bench = bench();
    let mut terminal = Terminal::open();
    let mut shell = Command::new("sh");
    shell.current_dir(bench.folder.path()).args([
        "-c",
        "nohup \"$0\" train small.json --run-dir run --set training.epochs=200 < /dev/null > log 2>&1 & wait",
        env!("CARGO_BIN_EXE_kiln"),
    ]);
    usual_signals(&mut shell);
    let mut shell = terminal.spawn(shell, None);
    wait_for_an_epoch(&bench.path("run"));
    terminal.close();
    let _ = end_of(&mut shell);
    // Written last.
    wait_until("the report", || bench.path("run/report.html").exists());
    assert_eq!(status_of_run(&bench), "finished");
    wait_until("the end", || !bench.path("run/run.lock").exists());
}

#[test]
fn a_background_job_of_a_shell_is_not_stopped_and_does_not_draw() {
    let bench = bench();
    let mut terminal = Terminal::open();
    let mut shell = Command::new("sh");
    shell
        .current_dir(bench.folder.path())
        .arg("-i")
        .env("TERM", "xterm")
        .env("PS1", "$ ")
        .env_remove("ENV");
    usual_signals(&mut shell);
    let mut shell = terminal.spawn(shell, None);
    terminal.type_line(&format!(
        "{} train small.json --run-dir run &",
        env!("CARGO_BIN_EXE_kiln")
    ));
    wait_until("the report", || bench.path("run/report.html").exists());
    terminal.wait_for("epoch 3/3");
    assert!(!terminal.shown().contains(DASHBOARD));
    terminal.type_line("wait; exit");
    assert!(end_of(&mut shell).success(), "{}", terminal.shown());
    assert_eq!(status_of_run(&bench), "finished");
}

#[test]
fn output_that_nobody_reads_loses_neither_the_run_nor_its_success() {
    let bench = bench();
    let mut command = train(&bench, 3);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert!(end_of(&mut child).success());
    assert_eq!(status_of_run(&bench), "finished");
    assert_saved(&bench);
}
