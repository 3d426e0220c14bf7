//! `kiln data check`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::cli::compute::ComputeArgs;
use crate::cli::failure::{Failure, VerbResult};
use crate::cli::terminal::{output, stages};
use crate::cli::{destinations, open};
use crate::data::{DataSource, Split, data_root};
use crate::data_check::{self, Findings, Options, RunModel};
use crate::error::counted;
use crate::inference::OpenedModel;
use crate::progress::Monitor;
use crate::{config, files};

/// Find duplicates, wrong labels, unusual and unreadable images
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln data check config.json --html check.html --exclude-out exclude.txt
  kiln train config.json --set data.exclude=exclude.txt
  kiln data check config.json --run runs/nist36_cnn-1 --json

Labels are checked by five-fold cross-validation, which takes minutes, or with --run by a trained model, on samples that
it was not trained on.")]
pub struct Args {
    /// Config file
    config: PathBuf,
    /// Override one key of the config
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
    /// Check labels with the model of this run instead of by cross-validation
    #[arg(long, value_name = "RUN")]
    run: Option<PathBuf>,
    /// Write a page with the images, the most suspicious first
    #[arg(long, value_name = "OUT")]
    html: Option<PathBuf>,
    /// Write the suspects as a list for data.exclude; the file must not exist yet
    #[arg(long, value_name = "FILE")]
    exclude_out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    config: String,
    #[serde(flatten)]
    findings: &'a Findings,
}

pub fn run(args: Args) -> VerbResult {
    let outs = || {
        args.html
            .iter()
            .chain(&args.exclude_out)
            .map(PathBuf::as_path)
    };
    destinations::refuse_overwrite(outs(), [args.config.as_path()])?;
    destinations::require_new(args.exclude_out.as_deref())?;
    let experiment = config::load(&args.config, &args.overrides)?;
    let monitor = stages::listening_monitor()?;
    let model = args
        .run
        .as_deref()
        .map(|run| open::model(run, ComputeArgs::of(&experiment)));
    let model = model.transpose()?;
    // Bad images are findings, whatever data.on_bad_image says.
    let source = open::data(&experiment.data, &args.config, &[], &monitor)?;
    let trained_on = match (&model, &args.run) {
        (Some(model), Some(run)) => trained_on(model, run, &monitor)?,
        _ => None,
    };
    let run = model
        .as_ref()
        .zip(args.run.as_ref())
        .map(|(model, run)| RunModel {
            classifier: &model.classifier,
            name: run.display().to_string(),
            trained_on: trained_on.as_deref(),
        });
    let options = Options {
        root: &data_root(),
        run,
    };
    let findings = data_check::check(source.as_ref(), &experiment, &options, &monitor)?;
    if let Some(path) = &args.html {
        let title = format!("Check of {}", args.config.display());
        let page = data_check::page(&title, &findings, source.as_ref(), &monitor)?;
        files::write(path, page.as_bytes())?;
    }
    if let Some(path) = &args.exclude_out {
        let list = data_check::exclude_list(&findings);
        files::write(path, list.text.as_bytes())?;
        output::note(&format!(
            "{}: {}; to train without them: --set data.exclude={}",
            path.display(),
            counted(list.samples, "sample", "samples"),
            path.display()
        ));
    }
    if args.json {
        output::json(&Report {
            config: args.config.display().to_string(),
            findings: &findings,
        })?;
    } else {
        output::emit(&data_check::summary(&findings))?;
    }
    Ok(())
}

/// The data that a run was trained on, if it is still there. A model file alone does not say.
fn trained_on(
    model: &OpenedModel,
    run: &Path,
    monitor: &Monitor,
) -> Result<Option<Arc<dyn DataSource>>, Failure> {
    let unknown = |why: String| {
        output::note(&format!(
            "{}: its training data is unknown ({why}); the training split is not checked",
            run.display()
        ));
    };
    let file = match model.config_file() {
        Ok(file) => file,
        Err(error) => {
            unknown(error.problem().to_string());
            return Ok(None);
        }
    };
    let experiment = config::load(&file, &[])?;
    match open::data(&experiment.data, &file, &[Split::Train], monitor) {
        Ok(source) => Ok(Some(source)),
        Err(Failure::Error(error)) => {
            unknown(error.to_string());
            Ok(None)
        }
        Err(stopped) => Err(stopped),
    }
}
