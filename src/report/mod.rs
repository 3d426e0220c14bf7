//! The report of a run: one web page that stands on its own.
//!
//! Comes in: the epochs' metrics, the confusion matrix of the test set, some misclassified samples, the resolved config.
//! Goes out: a `String` of HTML with its pictures inside, without scripts and without links to anything outside, so that
//! it can be mailed, archived and printed. Nothing here reads or writes files, knows tensors, or calculates a metric.
//!
//! `html` lays the page out and is the only place that knows its order; `curves`, `scatter`, `confusion`, `mistakes` and
//! `pictures` each make one kind of picture; `style` holds the style sheet and the colours that the pictures share with it.
//! [`overlay`] is the page that shows several runs, with [`table`]s that terminals show as well.

use crate::metrics::EpochRecord;
use crate::metrics::classification::Confusion;

mod axis;
pub mod confusion;
pub mod curves;
pub(crate) mod format;
mod html;
pub mod mistakes;
pub mod overlay;
pub mod pictures;
pub mod scatter;
mod style;
pub mod table;

pub use format::{metric_name, metric_value};
pub use html::render;
pub use mistakes::Mistake;
pub use pictures::{Filters, Reconstruction};

/// What a report shows. An empty part leaves its section out.
#[derive(Debug, Clone)]
pub struct ReportData<'a> {
    /// The page's heading, for instance the run's name.
    pub title: &'a str,
    /// The cards at the top, in this order: what is measured, and its value as it is to be shown.
    pub headline: Vec<(String, String)>,
    /// What each epoch gave, in the order of the epochs.
    pub epochs: &'a [EpochRecord],
    /// The epoch whose weights were kept, counted from 1; marked in the curves when it is among `epochs`.
    pub best_epoch: usize,
    /// Test predictions by class.
    pub confusion: Option<&'a Confusion>,
    /// Misclassified samples; the page shows the most confident ones.
    pub mistakes: &'a [Mistake],
    /// Images and what an autoencoder made of them.
    pub reconstructions: &'a [Reconstruction],
    /// The first layer's weights, before training and after.
    pub filters: &'a [Filters],
    /// The resolved config. Several lines are shown as they are; JSON in one line is indented, its keys in alphabetical
    /// order.
    pub config_json: &'a str,
    /// What the run ran on: name and value, in this order.
    pub environment: Vec<(String, String)>,
}
