//! Image inputs of the subcommands: files, folders and standard input, decoded one after the other.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use image::DynamicImage;

use super::failure::{Failure, UsageError, VerbResult};
use super::terminal::output;
use crate::data::{PassedOver, Reason, listed_passed_over};
use crate::error::{FileError, io_problem, is_wrong_name};
use crate::photo::{self, FORMATS, PhotoError, conversion, has_image_extension};
use crate::progress::CancelToken;

/// The argument for standard input.
const STANDARD_INPUT: &str = "-";
/// What files are called that are made from standard input.
const STANDARD_INPUT_STEM: &str = "stdin";
/// Most bytes read from an image; the rest is cut off, and the decoder reports a truncated file.
const MAX_INPUT_BYTES: u64 = 1 << 30;
/// How often the wait for an image asks whether it is cancelled.
const CANCEL_INTERVAL: Duration = Duration::from_millis(50);
/// How many levels below a folder are searched for images, only to name their folders in an error: splits and their classes.
const MAX_DEPTH: usize = 2;

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Standard,
}

impl Input {
    /// What it is called.
    pub fn path(&self) -> &Path {
        match self {
            Input::File(path) => path,
            Input::Standard => Path::new(STANDARD_INPUT),
        }
    }

    /// What it is called, to be printed.
    pub fn name(&self) -> String {
        self.path().display().to_string()
    }

    /// The name without folder and extension: what files made from it are called.
    pub fn stem(&self) -> PathBuf {
        match self {
            Input::File(path) => path.file_stem().unwrap_or_default().into(),
            Input::Standard => STANDARD_INPUT_STEM.into(),
        }
    }
}

/// All images of the arguments, and whether there may be several: those of a folder come in the order of their names,
/// without those of folders in it.
pub fn list(arguments: &[PathBuf]) -> Result<(Vec<Input>, bool), Failure> {
    let mut inputs = Vec::new();
    let mut folders = false;
    for argument in arguments {
        if argument.as_os_str() == STANDARD_INPUT {
            if inputs.contains(&Input::Standard) {
                return Err(UsageError("- (standard input) can be read only once".into()).into());
            }
            inputs.push(Input::Standard);
        } else if argument.is_dir() {
            folders = true;
            inputs.extend(images(argument)?);
        } else {
            require(argument)?;
            inputs.push(Input::File(argument.clone()));
        }
    }
    let several = folders || inputs.len() > 1;
    Ok((inputs, several))
}

/// Refuses a file that does not exist, before anything is read.
fn require(file: &Path) -> Result<(), FileError> {
    match file.metadata() {
        Err(error) if is_wrong_name(&error) => Err(FileError::named(file, error)),
        // Reading says what else is wrong.
        _ => Ok(()),
    }
}

/// The one image of a subcommand that takes no folders.
pub fn require_image(file: &Path) -> Result<(), Failure> {
    if file.is_dir() {
        let problem = format!("{}: is a folder; use an image file", file.display());
        return Err(UsageError(problem).into());
    }
    Ok(require(file)?)
}

/// The images of a folder.
fn images(folder: &Path) -> Result<Vec<Input>, Failure> {
    let error = |error| FileError::io(folder, error);
    let (mut found, mut foreign) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).map_err(error)? {
        let path = entry.map_err(error)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || path.is_dir() {
            continue;
        }
        let extension = path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        if has_image_extension(&path) {
            found.push(Input::File(path));
        } else if conversion(&extension).is_some() {
            foreign.push(PassedOver::new(path, Reason::OtherKind(extension)));
        }
    }
    note_passed_over(folder, &foreign);
    if found.is_empty() {
        let problem = format!(
            "{}: no images in this folder; kiln reads {FORMATS} files",
            folder.display()
        );
        let below = match below(folder) {
            None => String::new(),
            Some(pattern) => {
                format!("; subfolders are not searched: name them instead, as in {pattern}")
            }
        };
        return Err(UsageError(problem + &below).into());
    }
    found.sort();
    Ok(found)
}

/// Tells of images of a folder in formats that kiln does not read.
fn note_passed_over(folder: &Path, foreign: &[PassedOver]) {
    if let Some(first) = foreign.first() {
        let advice = first.reason.explanation();
        let list = listed_passed_over(foreign);
        output::note(&format!(
            "{}: passed over: {list}; {advice}",
            folder.display()
        ));
    }
}

/// The shell's pattern for the nearest subfolders with images, such as `letters/train/*/`.
fn below(folder: &Path) -> Option<String> {
    let mut pattern = shell_words::quote(&folder.to_string_lossy()).into_owned();
    pattern.truncate(pattern.trim_end_matches('/').len());
    let mut level = vec![folder.to_path_buf()];
    for _ in 0..MAX_DEPTH {
        pattern.push_str("/*");
        let next = level.iter().flat_map(|folder| entries(folder));
        level = next.filter(|path| path.is_dir()).collect();
        let has_images =
            |folder: &PathBuf| entries(folder).iter().any(|path| has_image_extension(path));
        if level.iter().any(has_images) {
            return Some(pattern + "/");
        }
    }
    None
}

/// What is in a folder, without hidden files; nothing if it can't be read.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_hidden =
        |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with('.');
    let entries = entries.filter(|entry| !is_hidden(entry));
    entries.map(|entry| entry.path()).collect()
}

/// An image in memory.
pub struct Loaded {
    /// The file's bytes.
    pub file: Vec<u8>,
    /// The image, upright, as [`photo::decode`] gives it.
    pub photo: DynamicImage,
}

fn load(input: &Input) -> Result<Loaded, PhotoError> {
    let mut file = Vec::new();
    match input {
        Input::File(path) => std::fs::File::open(path)
            .and_then(|open| open.take(MAX_INPUT_BYTES).read_to_end(&mut file)),
        Input::Standard => std::io::stdin()
            .lock()
            .take(MAX_INPUT_BYTES)
            .read_to_end(&mut file),
    }
    .map_err(|source| PhotoError::Io {
        path: input.path().to_path_buf(),
        source,
    })?;
    let photo = photo::decode(&file, input.path())?;
    Ok(Loaded { file, photo })
}

/// Passes all images to `take`, in order, until it fails or is cancelled. While one is read the next one is decoded, on a
/// thread of its own; there are never more than these two in memory.
pub fn each(
    inputs: &[Input],
    cancel: &CancelToken,
    mut take: impl FnMut(usize, Result<Loaded, PhotoError>) -> VerbResult,
) -> VerbResult {
    std::thread::scope(|scope| {
        // Without room: the next image waits in the hands of its thread.
        let (sender, receiver) = sync_channel(0);
        let decode = move || {
            for input in inputs {
                // The other side has gone: nobody wants the rest.
                if sender.send(load(input)).is_err() {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().spawn_scoped(scope, decode);
        thread.map_err(|error| {
            Failure::failed(format!("cannot start a thread: {}", io_problem(&error)))
        })?;
        for index in 0..inputs.len() {
            let loaded = loop {
                cancel.check()?;
                match receiver.recv_timeout(CANCEL_INTERVAL) {
                    Ok(loaded) => break loaded,
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return Ok(()),
                }
            };
            take(index, loaded)?;
        }
        Ok(())
    })
}

/// The result of a subcommand that continued after images that could not be read.
pub fn all_were_read(failed: usize, inputs: &[Input]) -> VerbResult {
    match failed {
        0 => Ok(()),
        failed => Err(Failure::failed(format!(
            "{failed} of {} images could not be read",
            inputs.len()
        ))),
    }
}
