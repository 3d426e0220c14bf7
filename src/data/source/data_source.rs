//! An opened data set.

use super::error::DataError;
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

    /// What opening found out that the user should know: how files were understood, and what was not used. Each is one line
    /// without a full stop.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Finds samples that can't be read and that opening did not check; called before a run starts. Whatever takes long is a
    /// stage of `monitor`.
    fn check(&self, _monitor: &Monitor) -> Result<(), DataError> {
        Ok(())
    }

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
