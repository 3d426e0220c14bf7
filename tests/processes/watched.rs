//! Processes that a test starts, waits for and sends signals to.

use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::common::Bench;

/// Longest wait for anything that should happen soon; tests run beside each other on few processors.
pub const SOON: Duration = Duration::from_secs(60);

/// How often a wait looks again.
const INTERVAL: Duration = Duration::from_millis(5);

/// `kiln` with arguments separated by spaces, in the test's folder, with the usual reactions to signals, whatever those of the
/// process that runs the tests.
pub fn kiln(bench: &Bench, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    command
        .current_dir(bench.folder.path())
        .args(arguments.split_whitespace())
        .env_remove("KILN_DATA");
    usual_signals(&mut command);
    command
}

/// Lets the command start with the usual reactions to SIGHUP and SIGINT: `nohup cargo test &` would hand on ignored ones.
pub fn usual_signals(command: &mut Command) {
    use std::os::unix::process::CommandExt;

    // SAFETY: `signal` may be called between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGHUP, libc::SIG_DFL);
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            Ok(())
        });
    }
}

/// Waits until something is the case.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < SOON, "{what}: not within {SOON:?}");
        std::thread::sleep(INTERVAL);
    }
}

/// Waits until a run has completed an epoch.
pub fn wait_for_an_epoch(run: &Path) {
    let metrics = run.join("metrics.jsonl");
    let has_epoch = || std::fs::metadata(&metrics).is_ok_and(|file| file.len() > 0);
    wait_until("an epoch", has_epoch);
}

/// Waits until the program handles a signal, which would end it before, or is over. Without `/proc`, doesn't wait.
pub fn wait_until_handled(child: &Child, signal: Signal) {
    let bit = 1u64 << (signal.as_raw() - 1);
    let status = format!("/proc/{}/status", child.id());
    wait_until("the handler of a signal", || {
        let Ok(text) = std::fs::read_to_string(&status) else {
            return true;
        };
        let field = |name| text.lines().find_map(|line: &str| line.strip_prefix(name));
        let mask = field("SigCgt:").and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_none_or(|mask| mask & bit != 0)
            || field("State:").is_some_and(|state| state.contains('Z'))
    });
}

/// Sends a signal.
pub fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Waits for the end of a process, and kills it if that does not come.
pub fn end_of(child: &mut Child) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if began.elapsed() > SOON {
            let _ = child.kill();
            panic!("still running after {SOON:?}");
        }
        std::thread::sleep(INTERVAL);
    }
}
