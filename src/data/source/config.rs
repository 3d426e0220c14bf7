//! The traits of a source's config: its keys, its rules, and how it is opened.

use std::fmt::Debug;
use std::path::Path;

use super::class_order::ClassOrder;
use super::common::CommonConfig;
use super::data_source::DataSource;
use super::error::DataError;
use super::split::Split;
use crate::data::split_rule::SplitRule;
use crate::error::Problem;
use crate::fitting::View;
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// The config of one source.
pub trait SourceConfig: Debug + Send + Sync {
    /// The keys common to all sources.
    fn common(&self) -> &CommonConfig;

    /// The key that says where its samples come from, for messages: `folder`, `train.file`.
    fn key(&self) -> &'static str {
        "folder"
    }

    /// The folders that it reads, relative to the data root, or archives in place of them.
    fn folders(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The single files that it reads, relative to the data root. An archive can't be named in place of one.
    fn files(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The shape of one sample.
    fn shape(&self) -> ImageShape;

    /// Number of classes, if known from the config alone.
    fn classes(&self) -> Option<usize>;

    /// How a set without predefined splits is divided.
    fn split(&self) -> Option<&SplitRule> {
        None
    }

    /// The key that decides how many samples a split gets, for messages; `None` if only the files do.
    fn split_key(&self, _split: Split) -> Option<String> {
        self.split().map(|_| "split".into())
    }

    /// How its classes are sorted if they are named by folders; `None` if they are not.
    fn class_order(&self) -> Option<ClassOrder> {
        None
    }

    /// How an image of another shape is fitted to a sample's.
    fn view(&self) -> View {
        View::PAD
    }

    /// Contradictions between the keys of this source, beyond what the schema checks for each. `path` is the dotted path of
    /// the section: `data`, or `data.sources[1]` in a mix. The common keys are checked elsewhere.
    fn problems(&self, _path: &str) -> Vec<Problem> {
        Vec::new()
    }

    /// Opens the source; relative paths start from `root`. Whatever takes long is a stage of `monitor`.
    fn open(&self, root: &Path, monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError>;
}

/// One of the sources in the list of `data/mod.rs`.
pub trait ListedSource {
    /// The value of its key `kind`.
    fn kind(&self) -> &'static str;

    /// Its config.
    fn config(&self) -> &dyn SourceConfig;
}

/// Problems of one source, except for its common keys.
pub fn source_problems(config: &dyn SourceConfig, path: &str) -> Vec<Problem> {
    let split = config.split();
    let split = split.and_then(|rule| rule.problem(&format!("{path}.split")));
    split.into_iter().chain(config.problems(path)).collect()
}
