//! Where `kiln ocr` writes: all paths are worked out and checked before anything is read.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::cli::destinations;
use crate::cli::failure::UsageError;
use crate::cli::inputs::Input;
use crate::error::FileError;
use crate::ocr::formats::Format;

/// Where the pages go.
#[derive(Debug)]
pub enum Target {
    /// Standard output, all together.
    Standard,
    /// One file with all of them.
    File(PathBuf),
    /// A file for each.
    Files(Vec<PathBuf>),
}

impl Target {
    /// What `--output` means. For several images it is a folder, unless it has an extension of the format.
    pub fn new(
        output: Option<&Path>,
        format: &Format,
        inputs: &[Input],
        several: bool,
    ) -> Result<Self, UsageError> {
        let Some(path) = output else {
            if format.is_binary && std::io::stdout().is_terminal() {
                return Err(UsageError(format!(
                    "--format {}: a terminal can't show it; choose a file with --output",
                    format.name
                )));
            }
            return Ok(Target::Standard);
        };
        if is_folder(path) || (several && !format.has_name(path)) {
            let extension = format.extensions.first().copied().unwrap_or_default();
            return Ok(Target::Files(in_folder(path, extension, inputs)?));
        }
        not_an_input(path, inputs)?;
        destinations::require_folder(path)?;
        Ok(Target::File(path.to_path_buf()))
    }
}

/// The images of `--overlay`: a PNG file for one image, a folder of them for several.
pub fn overlays(path: &Path, inputs: &[Input], several: bool) -> Result<Vec<PathBuf>, UsageError> {
    if several || is_folder(path) {
        return in_folder(path, "png", inputs);
    }
    destinations::validate_picture(path, inputs.first().map(Input::path))?;
    Ok(vec![path.to_path_buf()])
}

/// Refuses to write overlays and pages to the same file, or either to a file that is `read` besides the images.
pub fn validate_distinct(
    target: &Target,
    overlays: &[PathBuf],
    read: &[&Path],
) -> Result<(), UsageError> {
    let pages = match target {
        Target::Standard => &[],
        Target::File(path) => std::slice::from_ref(path),
        Target::Files(paths) => paths.as_slice(),
    };
    let outs = pages.iter().chain(overlays).map(PathBuf::as_path);
    destinations::refuse_overwrite(outs, read.iter().copied())?;
    match pages.iter().find(|page| overlays.contains(page)) {
        None => Ok(()),
        Some(page) => Err(UsageError(format!(
            "--overlay: {} is also the --output file; choose another file",
            page.display()
        ))),
    }
}

/// The folders of `--stages`: the given folder for one image, one subfolder per image for several.
pub fn stages(path: &Path, inputs: &[Input], several: bool) -> Result<Vec<PathBuf>, UsageError> {
    if several {
        in_folder(path, "", inputs)
    } else {
        Ok(vec![path.to_path_buf()])
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
fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.to_string_lossy().ends_with(std::path::MAIN_SEPARATOR)
}

/// A file per input, none of which is an input or another input's file.
fn in_folder(folder: &Path, extension: &str, inputs: &[Input]) -> Result<Vec<PathBuf>, UsageError> {
    if folder.exists() && !folder.is_dir() {
        let folder = folder.display();
        return Err(UsageError(format!(
            "{folder}: is a file; use a folder for several images"
        )));
    }
    let mut names = BTreeMap::new();
    let mut paths = Vec::new();
    for input in inputs {
        let mut name = folder.join(input.stem()).into_os_string();
        if !extension.is_empty() {
            name.push(".");
            name.push(extension);
        }
        let path = PathBuf::from(name);
        not_an_input(&path, inputs)?;
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
    let is_same = |input: &Input| input.path().canonicalize().is_ok_and(|input| input == real);
    if inputs.iter().any(is_same) {
        return Err(UsageError(format!(
            "{}: is the input; choose another file",
            path.display()
        )));
    }
    Ok(())
}
