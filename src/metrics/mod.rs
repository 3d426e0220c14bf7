//! Metrics: the catalogue of everything that is measured about a network's outputs, and the arithmetic behind it.
//!
//! A metric is one file with one [`Metric`] and one line in [`ALL`]; `docs/adding-a-metric.md` adds one step by step. Training,
//! evaluation, reports and rankings take name, title, unit and direction from here.

mod accuracy;
pub mod classification;
mod ece;
mod loss;
mod macro_f1;
mod metric;
pub mod psnr;
mod record;
pub mod ssim;
pub mod text;
mod top5_accuracy;

pub use metric::{
    Answer, AnswersOfSplit, BatchOutput, Direction, ImagePair, InEpochs, Measure, Metric, OnDevice,
    Outputs, Unit,
};
pub use record::{EpochRecord, Metrics};

/// Every metric, in the order in which a report shows them.
pub static ALL: &[&Metric] = &[
    &loss::CROSS_ENTROPY,
    &loss::SQUARED_ERROR,
    &accuracy::METRIC,
    &top5_accuracy::METRIC,
    &macro_f1::METRIC,
    &ece::METRIC,
    &ece::UNCALIBRATED,
    &psnr::METRIC,
    &ssim::METRIC,
];

/// The metrics that rank the epochs of a run and the runs of a sweep, each for the outputs that it applies to.
pub static RANKING: [&Metric; 2] = [&accuracy::METRIC, &psnr::METRIC];

/// What every network has, whatever its outputs; runs of different kinds are ranked by it.
pub static LOSS: &Metric = &loss::CROSS_ENTROPY;

/// The metric of a name, as files have it; `None` for a name that this version does not know.
pub fn find(name: &str) -> Option<&'static Metric> {
    ALL.iter().copied().find(|metric| metric.name == name)
}

/// The metrics of a network with such outputs.
pub fn of(outputs: Outputs) -> impl Iterator<Item = &'static Metric> {
    let applies = move |metric: &&'static Metric| (metric.applies)(outputs);
    ALL.iter().copied().filter(applies)
}

/// The metric by which the epochs of a network with such outputs are compared.
pub fn ranking(outputs: Outputs) -> &'static Metric {
    let mut ranking = RANKING.into_iter();
    ranking
        .find(|metric| (metric.applies)(outputs))
        .unwrap_or(LOSS)
}

/// The few metrics at the top of a report.
pub fn headline() -> impl Iterator<Item = &'static Metric> {
    ALL.iter().copied().filter(|metric| metric.headline)
}

/// Where a metric of this name stands in [`ALL`]; names that are not in it come last.
pub fn position(name: &str) -> usize {
    let found = ALL.iter().position(|metric| metric.name == name);
    found.unwrap_or(ALL.len())
}
