//! Files that are written for each image or page that is read.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use super::destinations;
use super::failure::UsageError;
use super::inputs::Input;
use crate::error::FileError;

/// The images of `--overlay`: a PNG file for one image, a folder of them for several.
pub fn overlays(
    path: Option<&Path>,
    inputs: &[Input],
    several: bool,
) -> Result<Option<Vec<PathBuf>>, UsageError> {
    let Some(path) = path else {
        return Ok(None);
    };
    if several || is_folder(path) {
        return in_folder(path, "png", inputs).map(Some);
    }
    destinations::validate_picture(path, inputs.first().map(Input::path))?;
    Ok(Some(vec![path.to_path_buf()]))
}

/// The folders of `--stages`: the given folder for one image, one subfolder per image for several.
pub fn stages(
    path: Option<&Path>,
    inputs: &[Input],
    several: bool,
) -> Result<Option<Vec<PathBuf>>, UsageError> {
    match path {
        None => Ok(None),
        Some(path) if several => in_folder(path, "", inputs).map(Some),
        Some(path) => Ok(Some(vec![path.to_path_buf()])),
    }
}

/// Creates the folder of a file.
pub fn create_folder(file: &Path) -> Result<(), FileError> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            std::fs::create_dir_all(folder).map_err(|source| FileError::create(folder, source))
        }
        _ => Ok(()),
    }
}

/// Whether a path means a folder: one exists, or the path ends in a slash.
pub fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.to_string_lossy().ends_with(std::path::MAIN_SEPARATOR)
}

/// A file per input, none of which is an input or another input's file.
pub fn in_folder(
    folder: &Path,
    extension: &str,
    inputs: &[Input],
) -> Result<Vec<PathBuf>, UsageError> {
    if folder.exists() && !folder.is_dir() {
        let folder = folder.display();
        return Err(UsageError(format!(
            "{folder}: is a file; use a folder for several images"
        )));
    }
    let real: HashSet<PathBuf> = inputs.iter().filter_map(real_path).collect();
    let mut names = BTreeMap::new();
    let mut paths = Vec::new();
    for input in inputs {
        let mut name = folder.join(input.stem()).into_os_string();
        if !extension.is_empty() {
            name.push(".");
            name.push(extension);
        }
        let path = PathBuf::from(name);
        // Most files are new.
        if path.canonicalize().is_ok_and(|path| real.contains(&path)) {
            return Err(is_the_input(&path));
        }
        if let Some(other) = names.insert(path.clone(), input) {
            return Err(UsageError(format!(
                "{} and {} would both be written to {}; rename one of them",
                other.name(),
                input.name(),
                path.display()
            )));
        }
        paths.push(path);
    }
    Ok(paths)
}

/// Refuses to write to an input.
pub fn not_an_input(path: &Path, inputs: &[Input]) -> Result<(), UsageError> {
    let Ok(real) = path.canonicalize() else {
        return Ok(());
    };
    if inputs
        .iter()
        .filter_map(real_path)
        .any(|input| input == real)
    {
        return Err(is_the_input(path));
    }
    Ok(())
}

/// Where an input really lies, if it is a file.
fn real_path(input: &Input) -> Option<PathBuf> {
    input.path().canonicalize().ok()
}

fn is_the_input(path: &Path) -> UsageError {
    UsageError(format!(
        "{}: is the input; choose another file",
        path.display()
    ))
}
