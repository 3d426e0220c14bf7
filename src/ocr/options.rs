//! How a page is read.

use super::alphabet::Alphabet;
use super::context::Context;
use super::mixed::{Case, MixedModel};
use super::scoring::Scoring;
use crate::progress::CancelToken;

/// How a page is read; the default is English, with all characters that the model knows.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// What neighbours say.
    pub context: Context,
    /// Which characters may be read.
    pub alphabet: Alphabet,
    /// What reads pages with lower case; without it, all pages are read by the classifier alone.
    pub mixed: Option<MixedModel>,
    /// Which case letters are written in.
    pub case: Case,
    /// How much each kind of evidence counts.
    pub scoring: Scoring,
    /// Whether to keep an image of every segmentation stage.
    pub stage_pictures: bool,
    /// Ends the reading of a page, within a line of it.
    pub cancel: CancelToken,
}
