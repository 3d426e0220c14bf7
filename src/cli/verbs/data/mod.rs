//! `kiln data`; `check`, `convert`, `fetch`, `info` and `words` have files of their own.

mod check;
mod convert;
mod fetch;
mod from_review;
mod info;
mod words;

use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::cli::destinations;
use crate::cli::failure::{UsageError, VerbResult};
use crate::cli::terminal::output;
use crate::error::FileError;
use crate::files;
use crate::handwriting::pages::{PageOptions, compose, varied};

/// Inspect, check, draw or fetch data.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln data info configs/glyphs_mlp.json --grid samples.png")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Info(info::Args),
    /// Find duplicates, wrong labels, unusual and unreadable images
    Check(check::Args),
    /// Write the samples of a source as class folders or Parquet, which other programs read
    Convert(convert::Args),
    /// Download a data set into the data folder
    Fetch(fetch::Args),
    /// Build kiln's bundled word list from the SCOWL lists
    Words(words::Args),
    /// Make training data of letters that were corrected
    FromReview(from_review::Args),
    /// Draw a page of hand-printed text, with its ground truth as JSON
    #[command(after_help = "Example:
  kiln data page --text \"HELLO WORLD\\n2026\" page.png
  kiln ocr page.png --model runs/glyphs_mlp-1 --expect page.json
  kiln data page --vary 7 varied.png")]
    Page {
        /// What to write: letters, digits, punctuation, spaces, and \n for a new line
        #[arg(long, required_unless_present = "vary")]
        text: Option<String>,
        /// Random seed for handwriting style, jitter and lighting
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Also randomize handwriting, size, pen, paper, lighting and camera from this seed, and the text unless --text is given
        #[arg(long, value_name = "SEED", conflicts_with = "seed")]
        vary: Option<u64>,
        /// Write lower case as such, instead of as capitals
        #[arg(long)]
        lower_case: bool,
        /// Output image, which must not exist yet; the ground truth is written next to it as .json
        #[arg(value_name = "OUT.png")]
        out: PathBuf,
    },
}

pub fn run(args: Args) -> VerbResult {
    match args.verb {
        Verb::Info(args) => info::run(&args),
        Verb::Check(args) => check::run(args),
        Verb::Convert(args) => convert::run(&args),
        Verb::Fetch(args) => fetch::run(args),
        Verb::Words(args) => words::run(args),
        Verb::FromReview(args) => from_review::run(&args),
        Verb::Page {
            text,
            seed,
            vary,
            lower_case,
            out,
        } => {
            let (given, mut options) = page_options(text.as_deref(), seed, vary)?;
            options.lower_case = lower_case;
            page(&given, &options, &out)
        }
    }
}

/// The text of a page, and how it is drawn.
fn page_options(
    text: Option<&str>,
    seed: u64,
    vary: Option<u64>,
) -> Result<(String, PageOptions), UsageError> {
    let given = text.map(|text| text.replace("\\n", "\n"));
    if given.as_ref().is_some_and(|text| text.trim().is_empty()) {
        let problem = "--text: is empty; use letters and digits, or --vary SEED without --text";
        return Err(UsageError(problem.into()));
    }
    Ok(match vary.map(varied) {
        Some(chosen) => (given.unwrap_or(chosen.text), chosen.options),
        None => {
            let options = PageOptions {
                seed,
                ..PageOptions::default()
            };
            (given.unwrap_or_default(), options)
        }
    })
}

fn page(text: &str, options: &PageOptions, out: &Path) -> VerbResult {
    destinations::validate_picture(out, None)?;
    let json_path = out.with_extension("json");
    destinations::require_new([out, &json_path])?;
    let page = compose(text, options).map_err(|error| UsageError(format!("--text: {error}")))?;
    let truth = serde_json::json!({
        "image": out.file_name().map(|name| name.to_string_lossy().into_owned()),
        "text": page.lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>(),
        "lines": page.lines,
    });
    let mut json = serde_json::to_string_pretty(&truth)?;
    json.push('\n');
    let png = files::png_of(&page.image)
        .map_err(|error| FileError::write(out, std::io::Error::other(error)))?;
    files::write_together(&[(out, &[&png]), (&json_path, &[json.as_bytes()])])?;
    let names = format!("{}\n{}\n", out.display(), json_path.display());
    Ok(output::emit(&names)?)
}
