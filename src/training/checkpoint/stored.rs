//! The checkpoints that a run directory holds, and which of them to resume from.

use std::path::PathBuf;

use super::contents::Checkpoint;
use super::format::{read, unusable};
use crate::error::FileError;
use crate::run_dir::RunDir;
use crate::training::error::TrainError;

/// File of an epoch's checkpoint.
pub fn path_of(run: &RunDir, epoch: usize) -> PathBuf {
    run.checkpoints().join(format!("epoch-{epoch}.ckpt"))
}

/// The epochs that have a checkpoint, damaged ones included, in ascending order.
pub fn epochs(run: &RunDir) -> Vec<usize> {
    let entries = std::fs::read_dir(run.checkpoints());
    let mut epochs: Vec<usize> = entries
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let number = name.to_str()?.strip_prefix("epoch-")?;
            number.strip_suffix(".ckpt")?.parse().ok()
        })
        .collect();
    epochs.sort_unstable();
    epochs
}

/// Removes the checkpoints that are not needed once that of `epoch` is written: all earlier ones but the last and that of the
/// best epoch. Those of later epochs, from before the run went back, stay until they are overwritten.
pub(super) fn remove_outdated(run: &RunDir, epoch: usize, best: Option<usize>) {
    let earlier = epochs(run).into_iter().filter(|&other| other < epoch);
    let earlier: Vec<usize> = earlier.collect();
    let outdated = earlier.split_last().map_or(&[][..], |(_, others)| others);
    for &outdated in outdated.iter().filter(|&&other| Some(other) != best) {
        // One that can't be removed takes room and does no other harm.
        let _ = std::fs::remove_file(path_of(run, outdated));
    }
}

/// The checkpoint of one epoch.
///
/// # Errors
/// There is none, or it can't be used; the error names the epochs whose checkpoints can.
pub fn of_epoch(run: &RunDir, epoch: usize) -> Result<Checkpoint, TrainError> {
    if !epochs(run).contains(&epoch) {
        return Err(TrainError::Resume(format!(
            "{}: there is no checkpoint from epoch {epoch}; {}",
            run.path().display(),
            usable_epochs(run)
        )));
    }
    let checkpoint = read_epoch(run, epoch);
    Ok(checkpoint.map_err(|error| error.advise(usable_epochs(run)))?)
}

/// The latest usable checkpoint of the first `max_epoch` epochs, and the errors of those after it; no checkpoint of a run that
/// was stopped in its first epoch.
///
/// # Errors
/// There are checkpoints, but none that can be used.
pub fn latest_usable(
    run: &RunDir,
    max_epoch: usize,
) -> Result<(Option<Checkpoint>, Vec<FileError>), TrainError> {
    let mut unusable = Vec::new();
    let epochs = epochs(run);
    for &epoch in epochs.iter().rev().filter(|&&epoch| epoch <= max_epoch) {
        match read_epoch(run, epoch) {
            Ok(checkpoint) => return Ok((Some(checkpoint), unusable)),
            Err(error) => unusable.push(error),
        }
    }
    let config = run.config_file();
    if let Some(error) = unusable.pop() {
        let advice = format!(
            "no earlier checkpoint can be used; `kiln train {}` starts over",
            config.display()
        );
        return Err(error.advise(advice).into());
    }
    if let Some(epoch) = epochs.first() {
        return Err(TrainError::Resume(format!(
            "training.epochs: found {max_epoch}, but the earliest checkpoint is from epoch {epoch}"
        )));
    }
    // A run with completed epochs has checkpoints, unless an older kiln made it or they were removed.
    let has_epochs = run.summary().is_ok_and(|summary| summary.epochs > 0);
    if has_epochs || has_foreign_checkpoints(run) {
        return Err(TrainError::Resume(format!(
            "{}: there are no checkpoints to resume from; `kiln train {}` starts over, and --init-from takes its weights",
            run.path().display(),
            config.display()
        )));
    }
    Ok((None, Vec::new()))
}

/// The usable checkpoints, as advice.
fn usable_epochs(run: &RunDir) -> String {
    let usable: Vec<String> = epochs(run)
        .into_iter()
        .filter(|&epoch| read_epoch(run, epoch).is_ok())
        .map(|epoch| epoch.to_string())
        .collect();
    if usable.is_empty() {
        "no other usable checkpoint".into()
    } else {
        format!("usable checkpoints: epoch {}", usable.join(", "))
    }
}

/// Reads the checkpoint of an epoch; it must be of the epoch that its file is named after.
fn read_epoch(run: &RunDir, epoch: usize) -> Result<Checkpoint, FileError> {
    let path = path_of(run, epoch);
    let checkpoint = read(&path)?;
    let found = checkpoint.epoch();
    if found != epoch {
        return Err(unusable(&path, format!("it is from epoch {found}")));
    }
    Ok(checkpoint)
}

/// Whether there are checkpoint files of an older kiln.
fn has_foreign_checkpoints(run: &RunDir) -> bool {
    let entries = std::fs::read_dir(run.checkpoints());
    let mut entries = entries.into_iter().flatten().flatten();
    entries.any(|entry| {
        let path = entry.path();
        path.extension().is_some_and(|ending| ending == "bpk")
    })
}
