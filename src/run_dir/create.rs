//! Creating run directories atomically: two processes never share one, and none is ever seen without its config.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::RunDirError;
use super::layout::RunDir;
use crate::error::FileError;
use crate::files;

/// Where run directories are created that have no path of their own.
const RUNS: &str = "runs";

impl RunDir {
    /// Creates `runs/<name>-<n>` with the smallest `n` that is free, or exactly `path`, which must not exist; `experiment`
    /// becomes its config. The folder appears together with its config.
    pub fn create(
        path: Option<&Path>,
        name: &str,
        experiment: &impl Serialize,
    ) -> Result<Self, RunDirError> {
        let numbered_in = Path::new(RUNS);
        let parent = match path {
            Some(path) => files::folder_of(path),
            None => numbered_in,
        };
        // Before anything is created: a missing parent stays missing.
        if let Some(path) = path.filter(|path| path.symlink_metadata().is_ok()) {
            return Err(taken(path));
        }
        create_with_parents(parent)?;
        // Errors name the requested folder, not the temporary one.
        let named = path.unwrap_or(parent);
        let unnamed =
            files::temporary_folder(parent).map_err(|error| FileError::create(named, error))?;
        let run = Self::at(unnamed.path());
        create_with_parents(&run.checkpoints())?;
        run.write_json(&run.config_file(), experiment)
            .and_then(|()| run.record_origin())
            .map_err(|error| match error {
                RunDirError::File(error) => RunDirError::File(error.rename(named)),
                other => other,
            })?;
        let path = match path {
            Some(path) => give_name(run.path(), path)?,
            None => give_number(run.path(), numbered_in, name)?,
        };
        let _ = unnamed.keep();
        files::sync_folder(parent).map_err(|source| FileError::create(&path, source))?;
        Ok(Self::at(&path))
    }

    /// Whether [`create`](Self::create) could create the folder, as far as can be checked without writing.
    pub fn could_create(path: Option<&Path>) -> Result<(), RunDirError> {
        let path = path.unwrap_or(Path::new(RUNS));
        if path != Path::new(RUNS) && path.symlink_metadata().is_ok() {
            return Err(taken(path));
        }
        let existing = path.ancestors().find(|folder| folder.exists());
        let existing = existing.unwrap_or(Path::new("."));
        let problem = if existing.is_dir() {
            not_writable(existing)
        } else {
            Some(std::io::ErrorKind::NotADirectory.into())
        };
        match problem {
            None => Ok(()),
            Some(source) => Err(FileError::create(path, source).into()),
        }
    }
}

/// The error of a path that exists.
fn taken(path: &Path) -> RunDirError {
    if RunDir::at(path).is_busy() {
        RunDirError::Busy(path.to_path_buf())
    } else {
        RunDirError::Exists(path.to_path_buf())
    }
}

/// Renames a folder with something in it to `path`, which must not exist.
fn give_name(from: &Path, path: &Path) -> Result<PathBuf, RunDirError> {
    if path.symlink_metadata().is_ok() {
        return Err(taken(path));
    }
    match std::fs::rename(from, path) {
        Ok(()) => Ok(path.to_path_buf()),
        // Another process was faster; a folder is never renamed onto one that is not empty.
        Err(_) if path.exists() => Err(taken(path)),
        Err(source) => Err(FileError::create(path, source).into()),
    }
}

/// Renames a folder with something in it to `<root>/<name>-<n>` with the smallest `n` that is free.
fn give_number(from: &Path, root: &Path, name: &str) -> Result<PathBuf, RunDirError> {
    for number in 1u64.. {
        match give_name(from, &root.join(format!("{name}-{number}"))) {
            Err(RunDirError::Exists(_) | RunDirError::Busy(_)) => continue,
            result => return result,
        }
    }
    unreachable!("an unused run number always exists")
}

/// Why nothing can be created in a folder, if that can be checked.
fn not_writable(folder: &Path) -> Option<std::io::Error> {
    #[cfg(unix)]
    {
        use rustix::fs::Access;
        let access = rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK);
        access.err().map(Into::into)
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}

/// Creates exactly `path`, which must not exist, and its parents.
pub fn new_folder(path: &Path) -> Result<PathBuf, RunDirError> {
    create_with_parents(files::folder_of(path))?;
    match std::fs::create_dir(path) {
        Ok(()) => Ok(path.to_path_buf()),
        Err(source) if source.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(RunDirError::Exists(path.to_path_buf()))
        }
        Err(source) => Err(FileError::create(path, source).into()),
    }
}

/// Creates `<root>/<name>-<n>` with the smallest `n` that is free.
pub fn numbered_folder(root: &Path, name: &str) -> Result<PathBuf, RunDirError> {
    // `create_dir` fails where the folder exists, so that two processes never share one.
    for number in 1u64.. {
        match new_folder(&root.join(format!("{name}-{number}"))) {
            Err(RunDirError::Exists(_)) => continue,
            result => return result,
        }
    }
    unreachable!("an unused run number always exists")
}

fn create_with_parents(path: &Path) -> Result<(), FileError> {
    std::fs::create_dir_all(path).map_err(|source| FileError::create(path, source))
}
