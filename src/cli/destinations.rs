//! Checks of the files that a subcommand is going to write.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::failure::UsageError;
use crate::error::FileError;
use crate::run_dir::RunDir;

/// Refuses an image file that is not named `.png`, that is the input itself, or whose folder does not exist.
pub fn validate_picture(out: &Path, input: Option<&Path>) -> Result<(), UsageError> {
    let is_png = out
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
    if !is_png {
        let out = out.display();
        return Err(UsageError(format!(
            "{out}: the image file name must end in .png"
        )));
    }
    if input.is_some_and(|input| is_same_file(out, input)) {
        let out = out.display();
        return Err(UsageError(format!(
            "{out}: is the input image; choose another file"
        )));
    }
    require_folder(out)
}

/// Whether two paths lead to the same file, which exists.
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Refuses a file whose folder does not exist, before the work that it is for.
pub fn require_folder(out: &Path) -> Result<(), UsageError> {
    FileError::require_folder(out).map_err(|error| UsageError(error.to_string()))
}

/// Refuses to overwrite files of subcommands that make new ones.
pub fn require_new<'a>(outs: impl IntoIterator<Item = &'a Path>) -> Result<(), UsageError> {
    match outs.into_iter().find(|out| out.exists()) {
        None => Ok(()),
        Some(out) => Err(UsageError(format!(
            "{}: already exists; choose a new file",
            out.display()
        ))),
    }
}

/// Refuses to overwrite files that the same command reads.
pub fn refuse_overwrite<'a>(
    outs: impl IntoIterator<Item = &'a Path>,
    read: impl IntoIterator<Item = &'a Path>,
) -> Result<(), UsageError> {
    let read: BTreeSet<PathBuf> = read
        .into_iter()
        .filter_map(|path| path.canonicalize().ok())
        .collect();
    let is_read = |out: &&Path| out.canonicalize().is_ok_and(|out| read.contains(&out));
    match outs.into_iter().find(is_read) {
        None => Ok(()),
        Some(out) => Err(UsageError(format!(
            "{}: would be overwritten, but this command reads it; choose another file",
            out.display()
        ))),
    }
}

/// Refuses to overwrite what the user can't have meant: the model of a run, and files that come with the first of `outs`, the one that was
/// named, where that one is new.
pub fn refuse_strangers(outs: &[PathBuf]) -> Result<(), UsageError> {
    let is_new = outs.first().is_some_and(|named| !named.exists());
    for (place, out) in outs.iter().enumerate().filter(|(_, out)| out.exists()) {
        let run = out.parent().and_then(|folder| RunDir::open(folder).ok());
        let is_of_run = run.is_some_and(|run| run.model_file() == *out);
        let reason = match (is_of_run, is_new && place > 0) {
            (true, _) => "is the model of a run",
            (false, true) => "already exists, and this command would write it as well",
            (false, false) => continue,
        };
        let out = out.display();
        return Err(UsageError(format!(
            "{out}: {reason}; choose another name or folder"
        )));
    }
    Ok(())
}
