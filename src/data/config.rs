//! The `data` section of an experiment: which images, and how they are augmented in training.

use std::path::{Path, PathBuf};

use super::DataConfig;
use super::augment::AugmentConfig;
use super::fitting::View;
use super::source::{
    ClassOrder, DataError, DataSource, ListedSource, NormalizeConfig, data_root, source_problems,
};
use crate::error::Problem;
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

    /// The folders that it reads, from the current folder on; none if it needs no files.
    pub fn folders(&self) -> Vec<PathBuf> {
        let mut folders = self.config().folders();
        // The sources of a mix may share one.
        folders.sort_unstable();
        folders.dedup();
        let folders = folders.into_iter();
        folders.map(|folder| data_root().join(folder)).collect()
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
    config.config().open(root, monitor)
}
