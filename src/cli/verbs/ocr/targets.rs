//! Where `kiln ocr` writes: all paths are worked out and checked before anything is read.

use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::cli::destinations;
use crate::cli::failure::UsageError;
use crate::cli::inputs::Input;
use crate::cli::page_files::{in_folder, is_folder, not_an_input};
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
    let overlays: HashSet<&PathBuf> = overlays.iter().collect();
    match pages.iter().find(|page| overlays.contains(page)) {
        None => Ok(()),
        Some(page) => Err(UsageError(format!(
            "--overlay: {} is also the --output file; choose another file",
            page.display()
        ))),
    }
}
