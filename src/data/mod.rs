//! Data: where samples come from. One source per file behind [`DataSource`]; the loader turns samples into batches.
//!
//! Comes in: the `data` section of an experiment. Goes out: images as `f32` in [0, 1], channel by channel, row by row
//! (`[channels, height, width]`), and class indices. For characters, paper is 1 and ink is 0. Nothing here knows a
//! model, prints, or draws from a global random generator.

use std::path::{Path, PathBuf};

pub mod augment;
pub mod cifar10;
pub mod glyphs;
pub mod image_folder;
pub mod info;
pub mod jitter;
pub mod junk;
pub mod lines;
pub mod loader;
pub mod mat;
pub mod memory;
pub mod mix;
pub mod nist26;
pub mod nist36;
pub mod split;
pub mod unipen;

use crate::config::data::DataConfig;
use crate::error::{ErrorExit, one_line};
use crate::shape::ImageShape;

/// The part of a data set that a sample belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// What the model learns from.
    Train,
    /// What decides which epoch is the best.
    Valid,
    /// What is looked at once, at the end.
    Test,
}

impl Split {
    /// All three, in the order in which they are used.
    pub const ALL: [Split; 3] = [Split::Train, Split::Valid, Split::Test];

    /// Position in [`Split::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// `train`, `valid` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Valid => "valid",
            Split::Test => "test",
        }
    }
}

/// What goes wrong with data; the text names the file and what to change.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file or folder that is not there.
    #[error("{}: not found; {hint}", path.display())]
    NotFound {
        /// What was looked for.
        path: PathBuf,
        /// What to do about it.
        hint: String,
    },
    /// A file that can't be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is not what it should be.
    #[error("{}: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what was expected.
        problem: String,
    },
    /// A split without samples.
    #[error("{0}")]
    Empty(String),
    /// A source of a mix that can't be used.
    #[error("data.sources.{index} ({kind}): {problem}")]
    Source {
        /// Its place in the list, from 0.
        index: usize,
        /// The value of its `kind`.
        kind: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl ErrorExit for DataError {}

impl DataError {
    /// A file that is not what it should be. The problem may repeat what the file holds; it becomes one line.
    pub fn format(path: impl AsRef<Path>, problem: impl Into<String>) -> Self {
        DataError::Format {
            path: path.as_ref().to_path_buf(),
            problem: one_line(problem.into()),
        }
    }

    /// A failed read; a missing file gets a hint on `KILN_DATA`.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        match source.kind() {
            std::io::ErrorKind::NotFound => DataError::NotFound {
                path,
                hint: NOT_FOUND_HINT.into(),
            },
            _ => DataError::Io { path, source },
        }
    }
}

/// What to do when a data file is missing.
pub const NOT_FOUND_HINT: &str = "set KILN_DATA to the folder that holds the data sets, or set data.folder; `kiln data fetch --list` shows what kiln can \
     fetch";

/// A set of labelled images in three splits.
///
/// Reading is a pure function of its arguments, so that any thread may read any sample in any order.
pub trait DataSource: Send + Sync {
    /// The shape of every sample.
    fn shape(&self) -> ImageShape;

    /// Class names; a label is an index into them.
    fn classes(&self) -> &[String];

    /// Number of samples of a split; 0 if it has none.
    fn len(&self, split: Split) -> usize;

    /// Class of a sample.
    fn label(&self, split: Split, index: usize) -> usize;

    /// Looks for samples that can't be read, as far as [`open`] has not done so: a run asks before it begins.
    fn check(&self) -> Result<(), DataError> {
        Ok(())
    }

    /// Whether `draw` changes what [`read`](Self::read) gives.
    fn redraws(&self) -> bool {
        false
    }

    /// Writes the sample's values in [0, 1] into `out` (`shape().values()` long).
    ///
    /// `draw` selects the rendering for sources that draw a sample anew (pen strokes, random parts of photographs); 0 is
    /// the plain one, used for validation and test. Stored images ignore it.
    fn read(&self, split: Split, index: usize, draw: u64, out: &mut [f32])
    -> Result<(), DataError>;
}

/// The folder that relative data paths start from: `KILN_DATA`, else the current one.
pub fn data_root() -> PathBuf {
    std::env::var_os("KILN_DATA").map_or_else(|| PathBuf::from("."), PathBuf::from)
}

/// Opens the source that an experiment names.
pub fn open(config: &DataConfig) -> Result<Box<dyn DataSource>, DataError> {
    open_in(config, &data_root())
}

/// Opens a source whose relative paths start from `root`.
pub fn open_in(config: &DataConfig, root: &Path) -> Result<Box<dyn DataSource>, DataError> {
    Ok(match config {
        DataConfig::Glyphs(config) => Box::new(glyphs::Glyphs::new(config)),
        DataConfig::Nist36(config) => Box::new(nist36::open(config, root)?),
        DataConfig::Cifar10(config) => Box::new(cifar10::open(config, root)?),
        DataConfig::Nist26(config) => Box::new(nist26::open(config, root)?),
        DataConfig::Unipen(config) => Box::new(unipen::Unipen::open(config, root)?),
        DataConfig::ImageFolder(config) => Box::new(image_folder::ImageFolder::open(config, root)?),
        DataConfig::Junk(config) => Box::new(junk::Junk::open(config, root)?),
        DataConfig::Mix(config) => Box::new(mix::Mix::open(config, root)?),
    })
}

/// `A`..`Z`, then `0`..`9`: the class order of NIST36.
pub fn alphanumeric_classes() -> Vec<String> {
    ('A'..='Z').chain('0'..='9').map(String::from).collect()
}
