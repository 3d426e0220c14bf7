//! Fetching one data set.

use std::fs;
use std::path::{Path, PathBuf};

use super::catalogue::{DataSet, RemoteFile};
use super::content::{is_complete, make};
use super::download::{self, Obtained};
use super::error::FetchError;
use super::progress::{Event, Patience};
use crate::error::FileError;
use crate::progress::{CancelToken, Monitor};

/// The folder in the data folder that holds incomplete downloads.
pub const STORE: &str = ".kiln-fetch";

/// How a fetch ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The set already existed.
    Present(PathBuf),
    /// The set was downloaded.
    Fetched(PathBuf),
}

/// Fetches a set into the data folder `root`, which is created if necessary, and returns the set's folder in it.
///
/// A complete folder is left unchanged. After an error, or when `cancel` ends it, the set's folder does not exist; resumable
/// downloads stay in `.kiln-fetch`.
pub fn fetch(
    set: &DataSet,
    root: &Path,
    patience: &Patience,
    cancel: &CancelToken,
    watch: &mut dyn FnMut(Event),
) -> Result<Outcome, FetchError> {
    let target = root.join(set.name);
    if is_complete(set, &target)? {
        return Ok(Outcome::Present(target));
    }
    let store = root.join(STORE);
    let root_is_new = !root.exists();
    fs::create_dir_all(&store).map_err(|error| FileError::write(&store, error))?;
    let fetched = fetch_to(set, &target, &store, patience, cancel, watch);
    // Only if there is nothing in them.
    let _ = fs::remove_dir(&store);
    if root_is_new {
        let _ = fs::remove_dir(root);
    }
    fetched
}

fn fetch_to(
    set: &DataSet,
    target: &Path,
    store: &Path,
    patience: &Patience,
    cancel: &CancelToken,
    watch: &mut dyn FnMut(Event),
) -> Result<Outcome, FetchError> {
    // All of them stay locked until the end.
    let mut files = Vec::new();
    for file in &set.files {
        files.push(match &set.local {
            Some(folder) => download::found(file, local_file(file, folder)?, cancel, watch)?,
            None => obtain(file, store, patience, cancel, watch)?,
        });
    }
    watch(Event::Unpacks);
    // A fixed name, so that a leftover from an earlier run is found; the locked files keep other processes out.
    let unpacked = store.join(format!("{}.unpacked", set.name));
    let written = |result: std::io::Result<()>| result.map_err(|e| FileError::write(&unpacked, e));
    if unpacked.exists() {
        written(fs::remove_dir_all(&unpacked))?;
    }
    written(fs::create_dir(&unpacked))?;
    let monitor = Monitor::default().with_cancel(cancel.clone());
    let stage = monitor.stage("unpacking files", None);
    let made = make(set, &mut files, &unpacked, &stage).and_then(|()| put(set, &unpacked, target));
    if let Err(error) = made {
        let _ = fs::remove_dir_all(&unpacked);
        return Err(error);
    }
    for file in files {
        file.discard();
    }
    Ok(Outcome::Fetched(target.to_path_buf()))
}

/// The place of a file in a folder that the user named, or beside that folder.
fn local_file(file: &RemoteFile, folder: &Path) -> Result<PathBuf, FileError> {
    let beside = folder.parent().map(|parent| parent.join(file.name));
    let mut places = [Some(folder.join(file.name)), beside].into_iter().flatten();
    places.find(|place| place.is_file()).ok_or_else(|| {
        FileError::new(folder, format!("does not contain {}", file.name))
            .advise(format!("download it from {}", file.url))
    })
}

/// Downloads a file, from a mirror if its URL does not answer.
fn obtain(
    file: &RemoteFile,
    store: &Path,
    patience: &Patience,
    cancel: &CancelToken,
    watch: &mut dyn FnMut(Event),
) -> Result<Obtained, FetchError> {
    let mut file = file.clone();
    let mut mirrors = std::mem::take(&mut file.mirrors).into_iter();
    loop {
        let error = match download::obtain(&file, store, patience, cancel, watch) {
            Err(error) if error.is_without_answer() => error,
            done => return done,
        };
        let Some(mirror) = mirrors.next() else {
            return Err(error);
        };
        watch(Event::Elsewhere(&format!(
            "{}: {}",
            file.url,
            error.problem()
        )));
        file.url = mirror;
    }
}

/// Moves the finished folder into place.
fn put(set: &DataSet, unpacked: &Path, target: &Path) -> Result<(), FetchError> {
    // An empty folder, which not every system replaces on rename.
    let _ = fs::remove_dir(target);
    match fs::rename(unpacked, target) {
        Ok(()) => Ok(()),
        // Another process was faster.
        Err(_) if is_complete(set, target)? => {
            let _ = fs::remove_dir_all(unpacked);
            Ok(())
        }
        Err(error) => Err(FileError::write(target, error).into()),
    }
}
