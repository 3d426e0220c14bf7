//! An opened data set.

use std::borrow::Cow;
use std::path::Path;

use super::error::DataError;
use super::passed_over::{BadSample, PassedOver};
use super::split::Split;
use crate::progress::Monitor;
use crate::shape::ImageShape;

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

    /// What lists of samples call this one: the path of its file from the source's folder on, with `/`; or its split and its index,
    /// as in `train/17`. Only samples that a mix repeats share a name.
    fn name(&self, split: Split, index: usize) -> Cow<'_, str> {
        Cow::Owned(format!("{}/{index}", split.name()))
    }

    /// The image file of a sample that is one.
    fn file(&self, _split: Split, _index: usize) -> Option<&Path> {
        None
    }

    /// What opening found out that the user should know: how files were understood, and what was not used. Each is one line
    /// without a full stop.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// What reading has found out since the last call that the user should know, and that is not an error. Each is one line without a full
    /// stop.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// Files and folders that are not used, sorted by their paths.
    fn passed_over(&self) -> Vec<PassedOver> {
        Vec::new()
    }

    /// Drops the samples of some splits that can't be read, if the source's config says so; called on opening by whoever reads
    /// these splits. Sources without such a key have nothing to do. Whatever takes long is a stage of `monitor`.
    fn skip_bad_images(&mut self, _splits: &[Split], _monitor: &Monitor) -> Result<(), DataError> {
        Ok(())
    }

    /// The samples of some splits that can't be read, sorted by split and place. Whatever takes long is a stage of `monitor`.
    fn find_bad_samples(
        &self,
        _splits: &[Split],
        _monitor: &Monitor,
    ) -> Result<Vec<BadSample>, DataError> {
        Ok(Vec::new())
    }

    /// Refuses samples of some splits that can't be read and that opening did not check; called before a run starts. Whatever
    /// takes long is a stage of `monitor`.
    fn check(&self, _splits: &[Split], _monitor: &Monitor) -> Result<(), DataError> {
        Ok(())
    }

    /// Is told which sample will be read soon, so that it can be fetched from the disk meanwhile. Returns at once.
    fn read_soon(&self, _split: Split, _index: usize) {}

    /// Whether [`read`](Self::read) depends on `draw`.
    fn redraws(&self) -> bool {
        false
    }

    /// Writes the sample's values in [0, 1] into `out` (`shape().values()` long).
    ///
    /// `draw` selects the rendering for sources that render samples randomly (pen strokes, random crops of photographs); 0 is
    /// the plain one, used for validation and test. Stored images ignore it.
    fn read(&self, split: Split, index: usize, draw: u64, out: &mut [f32])
    -> Result<(), DataError>;
}
