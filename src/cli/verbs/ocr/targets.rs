//! Where `kiln ocr` writes: all names are known, and found to be good ones, before anything is read.

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
    /// What `--output` means. For several images it is a folder, unless its name ends as files of the format do.
    pub fn new(
        output: Option<&Path>,
        format: Format,
        inputs: &[Input],
        several: bool,
    ) -> Result<Self, UsageError> {
        let Some(path) = output else {
            if format == Format::Pdf && std::io::stdout().is_terminal() {
                let problem = "a PDF can't be shown on a terminal; name a file with --output";
                return Err(UsageError(problem.into()));
            }
            return Ok(Target::Standard);
        };
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        let is_file_of_format = format
            .extensions()
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known));
        if is_folder(path) || (several && !is_file_of_format) {
            let extension = format.extensions().first().copied().unwrap_or_default();
            return Ok(Target::Files(in_folder(path, extension, inputs)?));
        }
        not_an_input(path, inputs)?;
        Ok(Target::File(path.to_path_buf()))
    }
}

/// The pictures of `--overlay`: a PNG file for one image, a folder of them for several.
pub fn overlays(path: &Path, inputs: &[Input], several: bool) -> Result<Vec<PathBuf>, UsageError> {
    if several || is_folder(path) {
        return in_folder(path, "png", inputs);
    }
    destinations::validate_picture(path, inputs.first().map(Input::path))?;
    Ok(vec![path.to_path_buf()])
}

/// Refuses pictures that would be written over the pages, or the other way round, and both over what is `read` besides the
/// images.
pub fn are_apart(target: &Target, overlays: &[PathBuf], read: &[&Path]) -> Result<(), UsageError> {
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
            "--overlay: {} is the file of --output; name another file",
            page.display()
        ))),
    }
}

/// The folders of `--stages`: the one that is named for one image, one in it for each of several.
pub fn stages(path: &Path, inputs: &[Input], several: bool) -> Result<Vec<PathBuf>, UsageError> {
    match several {
        true => in_folder(path, "", inputs),
        false => Ok(vec![path.to_path_buf()]),
    }
}

/// Makes the folder of a file to be written.
pub fn make_folder(file: &Path) -> Result<(), FileError> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            std::fs::create_dir_all(folder).map_err(|source| FileError::write(folder, source))
        }
        _ => Ok(()),
    }
}

/// Whether a path is meant as a folder: there is one, or it ends in a slash.
fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.to_string_lossy().ends_with(std::path::MAIN_SEPARATOR)
}

/// A file for each input, none of which is an input or another one's file.
fn in_folder(folder: &Path, extension: &str, inputs: &[Input]) -> Result<Vec<PathBuf>, UsageError> {
    if folder.exists() && !folder.is_dir() {
        let folder = folder.display();
        return Err(UsageError(format!(
            "{folder}: is a file; for several images name a folder"
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

fn not_an_input(path: &Path, inputs: &[Input]) -> Result<(), UsageError> {
    let Ok(real) = path.canonicalize() else {
        return Ok(());
    };
    let is_same = |input: &Input| input.path().canonicalize().is_ok_and(|input| input == real);
    match inputs.iter().any(is_same) {
        true => Err(UsageError(format!(
            "{}: is the input; name another file",
            path.display()
        ))),
        false => Ok(()),
    }
}
