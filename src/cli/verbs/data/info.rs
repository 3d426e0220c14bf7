//! `kiln data info`

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::destinations;
use crate::cli::failure::VerbResult;
use crate::cli::open;
use crate::cli::terminal::{output, stages};
use crate::data::info::{self, summarize};
use crate::data::loader::{Loader, Order};
use crate::data::{DataError, DataSource, PassedOver, Split};
use crate::error::printable;
use crate::progress::Monitor;
use crate::{config, files};

/// Columns of the sample sheet.
const SAMPLES_PER_CLASS: usize = 12;

/// Show sample counts, pixel statistics and example images
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln data info configs/glyphs_mlp.json --grid samples.png
  kiln data info my_images.json --files      # what is not used, and why")]
pub struct Args {
    /// Config file
    config: PathBuf,
    /// Override one key of the config
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
    /// Write a contact sheet of samples, with training augmentation
    #[arg(long, value_name = "PNG")]
    grid: Option<PathBuf>,
    /// List every file that is not used, or can't be read, with the reason; reads all images
    #[arg(long, conflicts_with = "grid")]
    files: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A file that is not used.
#[derive(Serialize)]
struct UnusedFile {
    path: PathBuf,
    reason: String,
}

pub fn run(args: &Args) -> VerbResult {
    let experiment = config::load(&args.config, &args.overrides)?;
    if let Some(path) = &args.grid {
        destinations::validate_picture(path, None)?;
    }
    let monitor = stages::listening_monitor()?;
    let source = open::data(&experiment.data, &args.config, &Split::ALL, &monitor)?;
    if args.files {
        return list(source.as_ref(), &monitor, args.json);
    }
    let summary = match summarize(source.as_ref(), &monitor) {
        // It stopped at one bad image: all of them are worth knowing.
        Err(error @ DataError::File(_)) => source.check(&Split::ALL, &monitor).and(Err(error)),
        other => other,
    }?;
    if let Some(path) = &args.grid {
        let split = info::first_split(source.as_ref())?;
        // The samples of the first epoch of training.
        let loader = Loader {
            order: Order::EachEpoch,
            augment: Some(experiment.data.augment().clone()),
            seed: experiment.seed,
            ..Loader::plain(source.clone(), split, 1)
        };
        let sheet = info::grid(source.as_ref(), split, SAMPLES_PER_CLASS, &|index, out| {
            loader.sample(1, index, out)
        })?;
        files::write_png(path, &sheet)?;
    }
    if args.json {
        output::json(&summary)?;
    } else {
        output::emit(&info::format(&summary))?;
    }
    Ok(())
}

/// Prints the files that are not used, one a line.
fn list(source: &dyn DataSource, monitor: &Monitor, as_json: bool) -> VerbResult {
    let mut unused: Vec<PassedOver> = source.passed_over();
    let bad = source.find_bad_samples(&Split::ALL, monitor)?;
    unused.extend(bad.into_iter().map(|sample| sample.image));
    unused.sort_by(|a, b| a.path.cmp(&b.path));
    if as_json {
        let files = unused.into_iter().map(|file| UnusedFile {
            reason: file.reason.explanation(),
            path: file.path,
        });
        return Ok(output::json(&files.collect::<Vec<_>>())?);
    }
    let lines = unused.iter().map(|file| {
        let (path, reason) = (file.path.display(), file.reason.explanation());
        format!("{}\n", printable(format!("{path}: {reason}")))
    });
    Ok(output::emit(&lines.collect::<String>())?)
}
