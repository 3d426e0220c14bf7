//! The program as a process: terminals that close, background jobs, signals, and limits of memory and threads.

#[path = "../common/mod.rs"]
mod common;

mod elsewhere;
mod json;
#[cfg(target_os = "linux")]
mod limits;
mod profile;
#[cfg(unix)]
mod reading;
#[cfg(unix)]
mod signals;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(target_os = "linux")]
mod terminals;
#[cfg(unix)]
mod watched;
