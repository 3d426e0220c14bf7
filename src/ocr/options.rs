//! How a page is read.

use super::alphabet::Alphabet;
use super::context::Context;
use super::scoring::Scoring;

/// How a page is read; the default is English, with all characters that the model knows.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// What neighbours say.
    pub context: Context,
    /// Which characters may be read.
    pub alphabet: Alphabet,
    /// How much each kind of evidence counts.
    pub scoring: Scoring,
    /// Whether to keep an image of every segmentation stage.
    pub stage_pictures: bool,
}
