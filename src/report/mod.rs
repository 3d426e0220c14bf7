//! The report of a run: one HTML page with its pictures inside, without scripts and without links to anything outside, so that it
//! can be mailed, archived and printed.
//!
//! [`render`] lays the page out; `curves`, `scatter`, `confusion`, `mistakes`, `pictures` and `network` each make one kind of picture;
//! `style` holds the style sheet. `exported` has some of them as
//! files. [`overlay`] is the page that shows several runs, with [`table`]s that terminals show as well.

use crate::metrics::EpochRecord;
use crate::metrics::classification::Confusion;

mod axis;
pub mod confusion;
pub mod curves;
mod exported;
pub(crate) mod format;
mod html;
pub mod mistakes;
pub mod network;
pub mod overlay;
pub mod pictures;
pub mod scatter;
mod style;
pub mod table;

pub use exported::{confusion_picture, filter_pictures, mistake_pictures, reconstruction_pictures};
pub use format::{date, duration, metric_name, metric_value, percent};
pub use html::{class_table, curves, page, render};
pub use mistakes::Mistake;
pub use pictures::{Filters, Reconstruction};
pub use style::SHEET;

/// What a report shows. An empty part leaves its section out.
#[derive(Debug, Clone)]
pub struct ReportData<'a> {
    /// The page's heading, for instance the run's name.
    pub title: &'a str,
    /// The cards at the top, in this order: name and value as text.
    pub headline: Vec<(String, String)>,
    /// The metrics of each epoch, in the order of the epochs.
    pub epochs: &'a [EpochRecord],
    /// The epoch whose weights were kept, counted from 1; marked in the curves when it is among `epochs`.
    pub best_epoch: usize,
    /// True and predicted classes on the test split, or on validation if there is none.
    pub confusion: Option<&'a Confusion>,
    /// Misclassified samples; the page shows the most confident ones.
    pub mistakes: &'a [Mistake],
    /// Images with their reconstructions by an autoencoder.
    pub reconstructions: &'a [Reconstruction],
    /// The graph of the network, as [`network::drawing`] makes it.
    pub network: Option<maud::Markup>,
    /// The first layer's weights, before training and after.
    pub filters: &'a [Filters],
    /// The resolved config. Several lines are shown as they are; JSON in one line is indented, its keys in alphabetical
    /// order.
    pub config_json: &'a str,
    /// Versions, backend, machine: name and value, in this order.
    pub environment: Vec<(String, String)>,
}
