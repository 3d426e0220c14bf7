//! `kiln train --ranks`: starts the processes of a run on this machine, by `mpiexec`, and again if one is lost.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::arguments::{Args, overrides};
use super::note::Note;
use crate::cli::failure::{Failure, UsageError, VerbResult};
use crate::cli::terminal::{output, signals};
use crate::config;
use crate::parallel::LAUNCHER;
use crate::training::Resumption;

/// For so long after the end of rank 0 the launcher may end the others. It waits for ever for those of a machine that can't be reached.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is asked for.
const INTERVAL: Duration = Duration::from_millis(50);

/// Starts the processes and waits for them.
pub fn launch(args: &Args) -> VerbResult {
    let ranks = check(args)?;
    let note = Note::new()
        .map_err(|error| Failure::failed(format!("a temporary file can't be made: {error}")))?;
    let to_rank_0 = note.path().to_path_buf();
    signals::each(move |signal| forward(signal, &to_rank_0))?;
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut restarts = 0;
    loop {
        let status = start(ranks, &arguments, &note)?;
        let code = code(status);
        if status.success() {
            return Ok(());
        }
        if note.has_ended() || signals::has_arrived() {
            return Err(Failure::Told(code));
        }
        let folder = note.folder();
        let Some(folder) = folder.filter(|_| restarts < args.restarts) else {
            return Err(lost(ranks, code, note.folder()));
        };
        restarts += 1;
        output::note(&format!(
            "a process was lost ({LAUNCHER} ended with {code}); restart {restarts} of {}",
            args.restarts
        ));
        arguments = ["train", "--resume"].map(OsString::from).to_vec();
        arguments.push(folder.into());
        arguments.extend(["--ranks".into(), ranks.to_string().into()]);
    }
}

/// Finds what every process would find wrong, so that it is said once; returns the number of processes.
fn check(args: &Args) -> Result<usize, Failure> {
    let mut overrides = overrides(args);
    overrides.extend(args.ranks.map(|ranks| format!("parallel.ranks={ranks}")));
    let experiment = match (&args.config, &args.resume) {
        (_, Some(target)) => Resumption::inspect(target, &overrides)?.experiment,
        (config, None) => config::load(config.as_deref().unwrap_or(Path::new("")), &overrides)?,
    };
    Ok(experiment.parallel.ranks)
}

/// Starts the processes and waits until all have ended.
fn start(ranks: usize, arguments: &[OsString], note: &Note) -> Result<ExitStatus, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::failed(format!("kiln's own program is not found: {error}")))?;
    let mut command = Command::new(LAUNCHER);
    let (variable, path) = note.variable();
    command
        .args(["-n", &ranks.to_string()])
        .arg(program)
        .args(arguments)
        .env(variable, path)
        .stdin(Stdio::null());
    // Ctrl-C reaches rank 0 through this process, once: it ends the others at the same step.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let before = Note::process(note.path());
    let started = command.spawn();
    let status = started.and_then(|mut launcher| wait(&mut launcher, before, note.path()));
    status.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => UsageError(format!(
            "--ranks: there is no {LAUNCHER}; install the MPI library that kiln was built with (Debian: apt install mpich)"
        ))
        .into(),
        _ => Failure::failed(format!("{LAUNCHER} can't be started: {error}")),
    })
}

/// Waits for the launcher; ends it if it goes on after rank 0, which is another process than that of an earlier start.
fn wait(launcher: &mut Child, before: Option<i32>, note: &Path) -> std::io::Result<ExitStatus> {
    let mut gone: Option<Instant> = None;
    loop {
        if let Some(status) = launcher.try_wait()? {
            return Ok(status);
        }
        let rank_0 = Note::process(note).filter(|process| Some(*process) != before);
        let is_gone = rank_0.is_some_and(|process| !is_there(process));
        let since = is_gone.then(|| gone.get_or_insert_with(Instant::now).elapsed());
        if since.is_some_and(|since| since > PATIENCE) {
            output::note(&format!(
                "rank 0 has ended, but {LAUNCHER} still waits for other machines; it is ended"
            ));
            end(launcher)?;
            return launcher.wait();
        }
        std::thread::sleep(INTERVAL);
    }
}

/// Whether a process of this user has not ended.
fn is_there(process: i32) -> bool {
    #[cfg(unix)]
    return rustix::process::Pid::from_raw(process)
        .is_some_and(|process| rustix::process::test_kill_process(process).is_ok());
    #[cfg(not(unix))]
    {
        let _ = process;
        true
    }
}

/// Ends the launcher, and what it has started on this machine.
fn end(launcher: &mut Child) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let group = rustix::process::Pid::from_child(launcher);
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL)?;
    }
    launcher.kill()
}

/// The exit code of a process as shells give it.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(1);
    }
    status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1)
}

/// Hands a signal to rank 0, if it is there.
fn forward(signal: u8, note: &Path) {
    #[cfg(unix)]
    if let Some(process) = Note::process(note)
        && let Some(process) = rustix::process::Pid::from_raw(process)
        && let Some(signal) = rustix::process::Signal::from_named_raw(i32::from(signal))
    {
        let _ = rustix::process::kill_process(process, signal);
        return;
    }
    let _ = (signal, note);
    std::process::exit(i32::from(signals::exit_code()));
}

/// The error of a run whose processes were not all there at the end.
fn lost(ranks: usize, code: u8, folder: Option<PathBuf>) -> Failure {
    let next = folder.map_or_else(
        || "no epoch was completed".into(),
        |folder| {
            let folder = output::argument(&folder.to_string_lossy());
            let command = ["train", "--resume", &folder, "--ranks", &ranks.to_string()];
            format!(
                "the last checkpoint stands; to continue: {}",
                output::command(&command)
            )
        },
    );
    Failure::failed(format!(
        "a process of the run was lost ({LAUNCHER} ended with {code}); {next}"
    ))
}
