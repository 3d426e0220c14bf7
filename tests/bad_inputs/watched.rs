//! Runs the binary and measures how much memory it takes.
#![allow(unsafe_code)] // For wait4, which std lacks.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::common::Bench;

/// How a process ended.
pub struct End {
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
    /// Its peak memory in bytes; 0 where it cannot be measured.
    pub peak: u64,
}

/// Runs `kiln` in the test's folder and waits for its end.
pub fn run<'a>(bench: &Bench, arguments: impl Iterator<Item = &'a str>) -> End {
    let results = tempfile::tempdir().expect("a folder");
    let path = |name: &str| results.path().join(name);
    let file = |name: &str| Stdio::from(File::create(path(name)).expect("a file"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    command
        .args(arguments)
        .current_dir(bench.folder.path())
        .env_remove("KILN_DATA")
        .stdin(Stdio::null())
        .stdout(file("out"))
        .stderr(file("err"));
    let (code, peak) = finish(&mut command);
    let text = |name: &str| {
        let bytes = std::fs::read(path(name)).expect("a file");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    End {
        code,
        out: text("out"),
        err: text("err"),
        peak,
    }
}

#[cfg(target_os = "linux")]
#[expect(clippy::zombie_processes, reason = "wait4 waits for it")]
fn finish(command: &mut Command) -> (Option<i32>, u64) {
    let child = command.spawn().expect("kiln starts");
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both point to memory of their types; the child is ours and nobody else waits for it.
    let usage = unsafe {
        let id = libc::wait4(child.id() as i32, &mut status, 0, usage.as_mut_ptr());
        assert_eq!(id, child.id() as i32, "the child can be waited for");
        usage.assume_init()
    };
    let code = libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
    // Linux counts in kibibytes.
    (code, usage.ru_maxrss as u64 * 1024)
}

#[cfg(not(target_os = "linux"))]
fn finish(command: &mut Command) -> (Option<i32>, u64) {
    (command.status().expect("kiln starts").code(), 0)
}
