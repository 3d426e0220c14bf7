//! Image inputs of the subcommands: files, folders and standard input.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::failure::{Failure, UsageError};
use super::terminal::output;
use crate::data::{PassedOver, Reason, listed_passed_over};
use crate::document;
use crate::error::{FileError, is_wrong_name};
use crate::ocr::formats::page_name;
use crate::photo::{FORMATS, conversion, has_image_extension};

/// The argument for standard input.
const STANDARD_INPUT: &str = "-";
/// What files are called that are made from standard input.
const STANDARD_INPUT_STEM: &str = "stdin";
/// How many levels below a folder are searched for images, only to name their folders in an error: splits and their classes.
const MAX_DEPTH: usize = 2;

/// Where a file comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Standard,
}

/// An image, or a page of a file.
#[derive(Debug, Clone)]
pub struct Input {
    source: Source,
    /// The content of standard input, if it was read to count its pages.
    content: Option<Arc<Vec<u8>>>,
    /// Which page it is, of a file with several.
    page: Option<PageOf>,
}

/// A page of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageOf {
    /// Its number, from 1.
    pub number: usize,
    /// How many the file has.
    pub count: usize,
}

impl Input {
    fn new(source: Source) -> Self {
        Self {
            source,
            content: None,
            page: None,
        }
    }

    /// The same with the content of standard input.
    pub fn with_content(self, content: Arc<Vec<u8>>) -> Self {
        Self {
            content: Some(content),
            ..self
        }
    }

    /// One of its pages.
    pub fn with_page(&self, page: PageOf) -> Self {
        Self {
            page: Some(page),
            ..self.clone()
        }
    }

    /// Where it comes from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The content of standard input, if it was read.
    pub fn content(&self) -> Option<&Arc<Vec<u8>>> {
        self.content.as_ref()
    }

    /// The number of its page, if its file has several.
    pub fn page_number(&self) -> Option<usize> {
        self.page.map(|page| page.number)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        match &self.source {
            Source::File(path) => path,
            Source::Standard => Path::new(STANDARD_INPUT),
        }
    }

    /// What it is called, to be printed: `scans/a.pdf, page 2`.
    pub fn name(&self) -> String {
        let file = self.path().display().to_string();
        match self.page {
            Some(page) => page_name(&file, page.number),
            None => file,
        }
    }

    /// The name without folder and extension: what files made from it are called. Pages have their number at its end, with as many digits
    /// as the last page's, so that they are in order.
    pub fn stem(&self) -> PathBuf {
        let mut stem = match &self.source {
            Source::File(path) => path.file_stem().unwrap_or_default().to_os_string(),
            Source::Standard => STANDARD_INPUT_STEM.into(),
        };
        if let Some(PageOf { number, count }) = self.page {
            let digits = count.to_string().len();
            stem.push(format!("-page-{number:0digits$}"));
        }
        stem.into()
    }
}

/// What a subcommand reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Images; the first of several in a file.
    Images,
    /// All pages of images and PDFs.
    Pages {
        /// Dots per inch of pages that are rendered.
        dpi: u16,
    },
}

impl Reads {
    /// Whether a file of a folder is read.
    fn takes(self, file: &Path) -> bool {
        match self {
            Self::Images => has_image_extension(file),
            Self::Pages { .. } => document::has_extension(file),
        }
    }

    /// What is read, for messages.
    fn formats(self) -> String {
        match self {
            Self::Pages { .. } if cfg!(feature = "pdf") => format!("PDF, {FORMATS}"),
            _ => FORMATS.to_string(),
        }
    }
}

/// All files of the arguments, and whether there may be several: those of a folder come in the order of their names,
/// without those of folders in it.
pub fn list(arguments: &[PathBuf], reads: Reads) -> Result<(Vec<Input>, bool), Failure> {
    let mut inputs: Vec<Input> = Vec::new();
    let mut folders = false;
    for argument in arguments {
        if argument.as_os_str() == STANDARD_INPUT {
            if inputs.iter().any(|input| input.source == Source::Standard) {
                return Err(UsageError("- (standard input) can be read only once".into()).into());
            }
            inputs.push(Input::new(Source::Standard));
        } else if argument.is_dir() {
            folders = true;
            inputs.extend(images(argument, reads)?);
        } else {
            require(argument)?;
            inputs.push(Input::new(Source::File(argument.clone())));
        }
    }
    let several = folders || inputs.len() > 1;
    Ok((inputs, several))
}

/// Refuses a file that does not exist, before anything is read.
pub fn require(file: &Path) -> Result<(), FileError> {
    match file.metadata() {
        Err(error) if is_wrong_name(&error) => Err(FileError::named(file, error)),
        // Reading says what else is wrong.
        _ => Ok(()),
    }
}

/// The files of a folder that are read.
fn images(folder: &Path, reads: Reads) -> Result<Vec<Input>, Failure> {
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
        if reads.takes(&path) {
            found.push(path);
        } else if conversion(&extension).is_some() {
            foreign.push(PassedOver::new(path, Reason::OtherKind(extension)));
        }
    }
    note_passed_over(folder, &foreign);
    if found.is_empty() {
        let problem = format!(
            "{}: no images in this folder; kiln reads {} files",
            folder.display(),
            reads.formats()
        );
        let below = match below(folder, reads) {
            None => String::new(),
            Some(pattern) => {
                format!("; subfolders are not searched: name them instead, as in {pattern}")
            }
        };
        return Err(UsageError(problem + &below).into());
    }
    found.sort();
    let inputs = found.into_iter().map(Source::File).map(Input::new);
    Ok(inputs.collect())
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
fn below(folder: &Path, reads: Reads) -> Option<String> {
    let mut pattern = shell_words::quote(&folder.to_string_lossy()).into_owned();
    pattern.truncate(pattern.trim_end_matches('/').len());
    let mut level = vec![folder.to_path_buf()];
    for _ in 0..MAX_DEPTH {
        pattern.push_str("/*");
        let next = level.iter().flat_map(|folder| entries(folder));
        level = next.filter(|path| path.is_dir()).collect();
        let has_images = |folder: &PathBuf| entries(folder).iter().any(|path| reads.takes(path));
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
