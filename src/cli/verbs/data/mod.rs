//! `kiln data`; `fetch` has a file of its own.

mod convert;
mod fetch;
mod words;

use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::cli::destinations;
use crate::cli::failure::{UsageError, VerbResult};
use crate::cli::open;
use crate::cli::terminal::{output, stages};
use crate::data::info::{self, summarize};
use crate::data::loader::{Loader, Order};
use crate::handwriting::pages::{PageOptions, compose, varied};
use crate::{config, files};

/// Columns of the sample sheet.
const SAMPLES_PER_CLASS: usize = 12;

/// Inspect, draw or fetch data.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln data info configs/glyphs_mlp.json --grid samples.png")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Show sample counts, pixel statistics and example images
    #[command(after_help = "Example:
  kiln data info configs/glyphs_mlp.json --grid samples.png")]
    Info {
        /// Config file
        config: PathBuf,
        /// Override one key of the config
        #[arg(long = "set", value_name = "PATH=VALUE")]
        overrides: Vec<String>,
        /// Write a contact sheet of samples, with training augmentation
        #[arg(long, value_name = "PNG")]
        grid: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the samples of a source as class folders or Parquet, which other programs read
    Convert(convert::Args),
    /// Download a data set into the data folder
    Fetch(fetch::Args),
    /// Build kiln's bundled word list from the SCOWL lists
    Words(words::Args),
    /// Draw a page of hand-printed text, with its ground truth as JSON
    #[command(after_help = "Example:
  kiln data page --text \"HELLO WORLD\\n2026\" page.png
  kiln ocr page.png --model runs/glyphs_mlp-1 --expect page.json
  kiln data page --vary 7 varied.png")]
    Page {
        /// What to write: A-Z, 0-9, spaces, and \n for a new line
        #[arg(long, required_unless_present = "vary")]
        text: Option<String>,
        /// Random seed for handwriting style, jitter and lighting
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Also randomize handwriting, size, pen, paper, lighting and camera from this seed, and the text unless --text is given
        #[arg(long, value_name = "SEED", conflicts_with = "seed")]
        vary: Option<u64>,
        /// Output image, which must not exist yet; the ground truth is written next to it as .json
        #[arg(value_name = "OUT.png")]
        out: PathBuf,
    },
}

pub fn run(args: Args) -> VerbResult {
    match args.verb {
        Verb::Info {
            config,
            overrides,
            grid,
            json,
        } => info(&config, &overrides, grid.as_deref(), json),
        Verb::Convert(args) => convert::run(&args),
        Verb::Fetch(args) => fetch::run(args),
        Verb::Words(args) => words::run(args),
        Verb::Page {
            text,
            seed,
            vary,
            out,
        } => page(text.as_deref(), seed, vary, &out),
    }
}

fn info(config: &Path, overrides: &[String], grid: Option<&Path>, json: bool) -> VerbResult {
    let experiment = config::load(config, overrides)?;
    if let Some(path) = grid {
        destinations::validate_picture(path, None)?;
    }
    let monitor = stages::listening_monitor()?;
    let source = open::data(&experiment.data, config, &monitor)?;
    let summary = summarize(source.as_ref(), &monitor)?;
    if let Some(path) = grid {
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
    if json {
        output::json(&summary)?;
    } else {
        output::emit(&info::format(&summary))?;
    }
    Ok(())
}

fn page(text: Option<&str>, seed: u64, vary: Option<u64>, out: &Path) -> VerbResult {
    destinations::validate_picture(out, None)?;
    let json_path = out.with_extension("json");
    destinations::require_new([out, &json_path])?;
    let given = text.map(|text| text.replace("\\n", "\n"));
    if given.as_ref().is_some_and(|text| text.trim().is_empty()) {
        let problem = "--text: is empty; use A-Z and 0-9, or --vary SEED without --text";
        return Err(UsageError(problem.into()).into());
    }
    let (text, options) = match vary.map(varied) {
        Some(chosen) => (given.unwrap_or(chosen.text), chosen.options),
        None => {
            let options = PageOptions {
                seed,
                ..PageOptions::default()
            };
            (given.unwrap_or_default(), options)
        }
    };
    let page = compose(&text, &options).map_err(|error| UsageError(format!("--text: {error}")))?;
    let truth = serde_json::json!({
        "image": out.file_name().map(|name| name.to_string_lossy().into_owned()),
        "text": page.lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>(),
        "lines": page.lines,
    });
    let mut json = serde_json::to_string_pretty(&truth)?;
    json.push('\n');
    files::write_png(out, &page.image)?;
    files::write(&json_path, json.as_bytes())?;
    let names = format!("{}\n{}\n", out.display(), json_path.display());
    Ok(output::emit(&names)?)
}
