//! The ground truth of an image, which a reading is compared with (`--expect`).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{FileError, one_line};
use crate::files::{self, without_mark};

/// The word for "a `.txt` next to each image" (or the `.json` that `kiln data page` has written there).
pub const BESIDE: &str = "beside";

/// Extensions of the ground-truth files of single images; the first that exists is used.
const EXTENSIONS: [&str; 2] = ["txt", "json"];

/// The ground truth of an image, and its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// The file.
    pub file: PathBuf,
    /// The lines, from top to bottom.
    pub lines: Vec<String>,
}

/// Where ground truth comes from.
#[derive(Debug)]
pub enum TruthSource {
    /// A file next to each image.
    Beside,
    /// A folder with a file for each image.
    Folder(PathBuf),
    /// One file for all images.
    File {
        /// Its path.
        path: PathBuf,
        /// Its content.
        content: String,
    },
}

impl TruthSource {
    /// Opens a file or folder; the path [`BESIDE`] means files next to the images.
    ///
    /// # Errors
    /// [`FileError`]: the file can't be read, or is not text.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        if path.as_os_str() == BESIDE {
            return Ok(Self::Beside);
        }
        if path.is_dir() {
            return Ok(Self::Folder(path.to_path_buf()));
        }
        let content = files::read_text(path).map_err(|error| {
            FileError::named(path, error).advise(format!(
                "--expect takes a text or JSON file, a folder of .txt files, or the word {BESIDE}"
            ))
        })?;
        Ok(Self::File {
            path: path.to_path_buf(),
            content,
        })
    }

    /// The ground truth of an image, or of a page such as `scan.pdf, page 2`; `stem` is what files made from it are called, without
    /// folder and extension.
    ///
    /// # Errors
    /// [`FileError`]: there is no ground truth for this image (wrong usage), or it is damaged. Rates over some of the images would look like those of all.
    pub fn of(&self, image: &Path, stem: &Path) -> Result<Truth, FileError> {
        match self {
            Self::Beside => own_file(&image.with_file_name(named(stem)), image),
            Self::Folder(folder) => own_file(&folder.join(named(stem)), image),
            Self::File { path, content } => in_content(content, path, image),
        }
    }
}

/// A name with an extension to replace, because a stem may hold a full stop (`page.2`).
fn named(stem: &Path) -> OsString {
    let mut name = stem.as_os_str().to_os_string();
    name.push(".png");
    name
}

/// The ground truth in an image's own file, which is named like `place` but for the extension.
fn own_file(place: &Path, image: &Path) -> Result<Truth, FileError> {
    let candidates = EXTENSIONS.map(|extension| place.with_extension(extension));
    let existing = candidates.iter().find(|path| path.exists());
    let file = existing.unwrap_or(&candidates[0]);
    let content = files::read_text(file).map_err(|error| {
        FileError::named(file, error).advise(format!(
            "needed by --expect as ground truth for {}",
            image.display()
        ))
    })?;
    if file != &candidates[0] {
        return in_content(&content, file, image);
    }
    Ok(Truth {
        lines: text_lines(&content),
        file: file.clone(),
    })
}

fn in_content(content: &str, file: &Path, image: &Path) -> Result<Truth, FileError> {
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    let lines = lines(content, &name).map_err(|problem| match problem {
        TruthProblem::Damaged(problem) => FileError::new(file, problem),
        TruthProblem::Unsuitable(problem) => FileError::new(file, problem).usage(),
    })?;
    Ok(Truth {
        lines,
        file: file.to_path_buf(),
    })
}

/// Why the content of a file is not ground truth for an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TruthProblem {
    /// It is not valid JSON.
    #[error("{0}")]
    Damaged(String),
    /// It is JSON of another kind, or has no lines for this image.
    #[error("{0}")]
    Unsuitable(String),
}

/// Finds the lines of an image in the content of a ground-truth file.
///
/// The content is a text (one line of text per line of writing), a JSON object that maps file names to lists of lines, or the JSON
/// that `kiln data page` writes (with the lines under `text`). `image` is the image's file name.
///
/// # Errors
/// What is wrong with the content, in one line without the file's name.
pub fn lines(truth: &str, image: &str) -> Result<Vec<String>, TruthProblem> {
    let truth = without_mark(truth);
    let looks_like_json = truth.trim_start().starts_with(['{', '[']);
    let map = match serde_json::from_str::<Value>(truth) {
        Ok(Value::Object(map)) => Some(map),
        _ if !looks_like_json => None,
        Ok(_) => {
            let expected = "expected a JSON object that maps file names to lists of lines";
            return Err(TruthProblem::Unsuitable(expected.into()));
        }
        Err(error) => return Err(TruthProblem::Damaged(format!("not valid JSON: {error}"))),
    };
    let Some(map) = map else {
        return Ok(text_lines(truth));
    };
    let entry = map.get(image).or_else(|| map.get("text"));
    let Some(entry) = entry else {
        let names: Vec<&str> = map.keys().map(String::as_str).collect();
        let problem = format!("has no entry for {image:?}; entries: {}", names.join(", "));
        return Err(TruthProblem::Unsuitable(one_line(problem)));
    };
    let lines: Option<Vec<String>> = entry.as_array().and_then(|lines| {
        lines
            .iter()
            .map(|line| line.as_str().map(str::to_string))
            .collect()
    });
    lines.ok_or_else(|| {
        let problem = format!("{image:?}: expected a list of lines, found {entry}");
        TruthProblem::Unsuitable(one_line(problem))
    })
}

/// The lines of a string, trimmed and without empty ones.
pub fn text_lines(truth: &str) -> Vec<String> {
    without_mark(truth)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_string)
        .collect()
}
