//! The report of a finished run, `report.html`.

use std::time::Duration;

use crate::config::Experiment;
use crate::device::BURN_VERSION;
use crate::error::FileError;
use crate::evaluation::Evaluation;
use crate::files;
use crate::metrics::{self, EpochRecord};
use crate::models::Network;
use crate::report::{self, Filters, ReportData, network};
use crate::run_dir::{RunDir, Summary};
use crate::shape::ImageShape;
use crate::tracking::Picture;

/// What the report shows.
pub struct Finished<'a> {
    /// Its experiment.
    pub experiment: &'a Experiment,
    /// Its folder.
    pub run_dir: &'a RunDir,
    /// Completed epochs.
    pub epochs: &'a [EpochRecord],
    /// `summary.json`
    pub summary: &'a Summary,
    /// The evaluation of the test split, or else of the validation split.
    pub shown: Option<&'a Evaluation>,
    /// The network before training, if it is known.
    pub first: Option<&'a Network>,
    /// The kept network.
    pub last: &'a Network,
    /// Wall time of the run.
    pub duration: Duration,
}

/// The report as HTML.
///
/// # Errors
/// The config of the run can't be read.
pub fn render(run: &Finished) -> Result<String, FileError> {
    let config_path = run.run_dir.config_file();
    let config_json =
        files::read_text(&config_path).map_err(|source| FileError::io(&config_path, source))?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let folder = run.run_dir.path().display().to_string();
    let (summary, shown) = (run.summary, run.shown);
    Ok(report::render(&ReportData {
        title: &summary.name,
        headline: headline(run),
        epochs: run.epochs,
        best_epoch: summary.best_epoch,
        confusion: shown.and_then(|shown| shown.confusion.as_ref()),
        mistakes: shown.map_or(&[], |shown| &shown.mistakes),
        reconstructions: shown.map_or(&[], |shown| &shown.reconstructions),
        network: drawing(run),
        filters: &filters(run),
        config_json: &config_json,
        environment: vec![
            ("kiln".into(), summary.kiln.clone()),
            ("burn".into(), BURN_VERSION.into()),
            ("backend".into(), run.experiment.backend.name().into()),
            ("CPU threads".into(), threads.to_string()),
            ("run directory".into(), folder),
        ],
    }))
}

/// The pictures of the report, for trackers.
pub fn pictures(run: &Finished) -> Vec<Picture> {
    let shown = run.shown;
    let mistakes = shown.map_or(&[][..], |shown| &shown.mistakes);
    let reconstructions = shown.map_or(&[][..], |shown| &shown.reconstructions);
    let named = report::confusion_picture(shown.and_then(|shown| shown.confusion.as_ref()))
        .into_iter()
        .chain(report::mistake_pictures(mistakes))
        .chain(report::reconstruction_pictures(reconstructions))
        .chain(report::filter_pictures(&filters(run)));
    named.map(|(name, png)| Picture { name, png }).collect()
}

/// The cards at the top.
fn headline(run: &Finished) -> Vec<(String, String)> {
    let summary = run.summary;
    let mut cards = Vec::new();
    let splits = [
        ("test", summary.test.as_ref()),
        ("validation", Some(&summary.valid)),
    ];
    for (split, values) in splits {
        for metric in metrics::headline() {
            if let Some(&value) = values.and_then(|values| values.get(metric.name)) {
                cards.push((
                    format!("{split} {}", metric.name_in_text()),
                    report::metric_value(metric.name, value),
                ));
            }
        }
    }
    let kept = format!("{} of {}", summary.best_epoch, summary.epochs);
    cards.push(("weights of epoch".into(), kept));
    cards.push(("parameters".into(), summary.parameters.to_string()));
    let seconds = run.duration.as_secs_f64();
    cards.push(("duration".into(), format!("{seconds:.0} s")));
    cards
}

/// The graph of the network.
fn drawing(run: &Finished) -> Option<maud::Markup> {
    let (summary, model) = (run.summary, &run.experiment.model);
    let nodes = model.nodes(summary.input, summary.classes.len()).ok()?;
    let output = network::output_text(model.task(), summary.classes.len(), summary.input);
    Some(network::drawing(&nodes, summary.input, &output))
}

/// The first layer's weights as images, before training and after.
fn filters(run: &Finished) -> Vec<Filters> {
    let shape = run.summary.input;
    let networks = [
        ("before training", run.first),
        ("after training", Some(run.last)),
    ];
    networks
        .into_iter()
        .filter_map(|(when, network)| {
            let weights = network?.first_weights(shape)?.without_autodiff();
            let [units, channels, height, width] = weights.dims();
            let values = weights.try_into_data().ok()?.iter::<f32>().collect();
            Some(Filters {
                when,
                units,
                shape: ImageShape::new(channels, height, width),
                values,
            })
        })
        .collect()
}
