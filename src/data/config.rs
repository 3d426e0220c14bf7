//! The `data` section of an experiment: which images, and how they are augmented in training.

use std::path::{Path, PathBuf};

use super::DataConfig;
use super::augment::AugmentConfig;
use super::exclude;
use super::source::{
    ClassOrder, DataError, DataSource, ListedSource, NOT_FOUND_ADVICE, Split, data_root,
    folder_watched, refuse_archive, source_problems,
};
use crate::error::{FileError, Problem};
use crate::fitting::{NormalizeConfig, View};
use crate::progress::Monitor;
use crate::shape::ImageShape;

impl DataConfig {
    /// The value of `data.kind`.
    pub fn kind(&self) -> &'static str {
        ListedSource::kind(self)
    }

    /// Augmentation of training samples.
    pub fn augment(&self) -> &AugmentConfig {
        &self.config().common().augment
    }

    /// How values are normalised before they reach the network.
    pub fn normalize(&self) -> Option<&NormalizeConfig> {
        self.config().common().normalize.as_ref()
    }

    /// Number of classes, if known from the config alone.
    pub fn classes(&self) -> Option<usize> {
        self.config().classes()
    }

    /// How its classes are sorted if they are named by folders; `None` if they are not.
    pub fn class_order(&self) -> Option<ClassOrder> {
        self.config().class_order()
    }

    /// What to change if a split has no samples: the keys that decide how many it gets, or the files.
    pub fn split_advice(&self, split: Split) -> String {
        let config = self.config();
        let key = config.split_key(split);
        let exclude = config.common().exclude.as_ref();
        let keys = key.into_iter().chain(exclude.map(|_| "exclude".into()));
        let keys: Vec<String> = keys.map(|key| format!("data.{key}")).collect();
        match keys.as_slice() {
            [] => "add files".into(),
            keys => format!("change {} or add files", keys.join(" or ")),
        }
    }

    /// The folders and files that it reads, from the current folder on; none if it needs no files.
    pub fn paths(&self) -> Vec<PathBuf> {
        let mut paths = paths(self);
        // The sources of a mix may share one.
        paths.sort_unstable();
        paths.dedup();
        let paths = paths.into_iter();
        paths.map(|path| data_root().join(path)).collect()
    }

    /// The shape of one sample.
    pub fn shape(&self) -> ImageShape {
        self.config().shape()
    }

    /// How an image of another shape is fitted to a sample's; a mix uses the view of its first source, which it is evaluated on.
    pub fn view(&self) -> View {
        self.config().view()
    }

    /// All contradictions between the section's keys; `path` is the section's name.
    pub fn problems(&self, path: &str) -> Vec<Problem> {
        let config = self.config();
        let mut problems = config.common().problems(config.shape().channels, path);
        problems.extend(source_problems(config, path));
        problems
    }
}

/// The folders and files that a config names, as it names them.
fn paths(config: &DataConfig) -> Vec<&str> {
    let config = config.config();
    [config.folders(), config.files()].concat()
}

/// The folder that the relative paths of a config start from: [`data_root`], or `recorded`, where it was used before, if what it
/// reads is only there.
///
/// # Errors
/// It is in neither; the message names both places.
pub fn root_for(config: &DataConfig, recorded: Option<&Path>) -> Result<PathBuf, DataError> {
    let root = data_root();
    let paths = paths(config);
    let missing_in = |root: &Path| paths.iter().find(|path| !root.join(path).exists());
    let (Some(missing), Some(recorded)) = (missing_in(&root), recorded) else {
        return Ok(root);
    };
    match missing_in(recorded) {
        None => Ok(recorded.to_path_buf()),
        Some(_) => {
            let before = recorded.join(missing);
            let problem = format!("not found, and no longer in {}", before.display());
            let here = root.join(missing);
            let error = FileError::new(std::path::absolute(&here).unwrap_or(here), problem);
            Err(error.advise(NOT_FOUND_ADVICE).into())
        }
    }
}

/// A line about the root of a config's data, if that is not [`data_root`].
pub fn found_at(root: &Path) -> Option<String> {
    (root != data_root()).then(|| format!("data from {}, as before", root.display()))
}

/// Opens the source that an experiment specifies.
pub fn open(config: &DataConfig, monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
    open_in(config, &data_root(), monitor)
}

/// Opens a source whose relative paths start from `root`.
pub fn open_in(
    config: &DataConfig,
    root: &Path,
    monitor: &Monitor,
) -> Result<Box<dyn DataSource>, DataError> {
    let config = config.config();
    for file in config.files() {
        refuse_archive(root, file)?;
    }
    for folder in config.folders() {
        // Archives are unpacked here, where it can be watched.
        folder_watched(root, folder, monitor)?;
    }
    let source = exclude::open(config, root, monitor)?;
    if Split::ALL.iter().all(|&split| source.len(split) == 0) {
        let key = config.key();
        return Err(DataError::Empty(format!(
            "the data has no samples; change data.{key}"
        )));
    }
    Ok(source)
}
