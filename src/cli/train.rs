//! `kiln train`

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::train::Interrupter;
use clap::ValueEnum;

use super::progress::{PlainLines, on_ctrl_c, weights_line};
use super::{Failure, Outcome, output};
use crate::config::{self, experiment::Backend};
use crate::report;
use crate::run_dir::{RunDirError, Status, Summary};
use crate::training::{self, TrainError};

/// Train the model that a config describes.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln train configs/glyphs_mlp.json --set training.epochs=5 --set optimizer.lr=1e-3

The value of --set is JSON, or else a text: --set model.hidden=[64,64], --set data.folder=letters.

Makes a run directory runs/<name>-<n>/ with the config, metrics, model and report. Ctrl-C finishes the batch, saves and
exits with 130; twice leaves at once.")]
pub struct Args {
    /// Config file
    config: PathBuf,
    /// Override one key of the config, such as training.epochs=5
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
    /// Engine to compute with, instead of the config's
    #[arg(long)]
    backend: Option<Backend>,
    /// Folder of the run; must not exist yet [default: runs/<name>-<n>]
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,
    /// What to show: a dashboard, plain lines, or what fits the terminal
    #[arg(long, value_enum, default_value_t = RendererChoice::Auto)]
    renderer: RendererChoice,
    /// Check everything, run one batch forward and backward, write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum RendererChoice {
    /// The dashboard in a terminal, plain lines elsewhere
    Auto,
    /// Burn's dashboard
    Dashboard,
    /// One line per epoch
    Plain,
}

pub fn run(args: Args) -> Outcome {
    let mut overrides = args.overrides;
    if let Some(backend) = args.backend {
        overrides.push(format!("backend={}", backend.name()));
    }
    let mut experiment = config::load(&args.config, &overrides)?;
    experiment.schema = None;
    for assignment in &overrides {
        output::note(&format!("override  {assignment}"));
    }
    let terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    let dashboard = match args.renderer {
        RendererChoice::Auto => terminal,
        RendererChoice::Plain => false,
        RendererChoice::Dashboard if terminal => true,
        RendererChoice::Dashboard => {
            return Err(output::UsageError(
                "--renderer dashboard needs a terminal; use --renderer plain".into(),
            )
            .into());
        }
    };
    if args.dry_run {
        return dry_run(experiment, args.run_dir.as_deref());
    }
    let interrupter = Interrupter::new();
    let stopped = interrupter.clone();
    on_ctrl_c(move || {
        stopped.stop(Some("Ctrl-C"));
        if !dashboard {
            output::note("stopping after this batch; once more leaves at once");
        }
    })?;
    let outcome = training::run(
        experiment,
        training::Options {
            run_dir: args.run_dir,
            dashboard,
            interrupter,
            observer: Arc::new(PlainLines::new(dashboard)),
        },
    );
    match outcome {
        Ok(outcome) => conclude(&outcome),
        Err(TrainError::Killed) => {
            output::note(
                "\r\nkilled from the dashboard; epochs that were completed are in the run directory",
            );
            Err(Failure::Interrupted)
        }
        Err(error) => Err(error.into()),
    }
}

fn dry_run(experiment: config::Experiment, run_dir: Option<&Path>) -> Outcome {
    if let Some(path) = run_dir.filter(|path| path.exists()) {
        return Err(RunDirError::Exists(path.to_path_buf()).into());
    }
    let prepared = training::run::prepare(experiment)?;
    let samples = prepared.samples;
    if let Some((path, taken)) = &prepared.weights {
        output::note(&weights_line(path, taken));
    }
    let loss = prepared.dry_run()?;
    Ok(output::emit(&format!(
        "samples     {} train, {} valid, {} test\nparameters  {}\nfirst loss  {loss:.4} (one batch forward and \
         backward)\nnothing was written\n",
        samples.train, samples.valid, samples.test, prepared.parameters
    ))?)
}

/// Says what came out and what to do next.
fn conclude(outcome: &training::Outcome) -> Outcome {
    let (summary, run_dir) = (&outcome.summary, &outcome.run_dir);
    let kept = match summary.best_epoch {
        0 => "weights of an unfinished first epoch".to_string(),
        epoch => format!("weights of epoch {epoch} of {}", summary.epochs),
    };
    let (name, metrics, samples) = match &summary.test {
        Some(test) => ("test", test, summary.samples.test),
        None => ("validation", &summary.valid, summary.samples.valid),
    };
    let path = run_dir.path().display();
    let shown = [("accuracy", "accuracy"), ("psnr", "PSNR")];
    for (measure, title) in shown {
        if let Some(&value) = metrics.get(measure) {
            let value = report::metric_value(measure, value).replace('\u{a0}', " ");
            output::emit(&format!(
                "{name} {title}  {value}  ({samples} samples, {kept})\n"
            ))?;
        }
    }
    output::emit(&format!("run directory  {path}\n"))?;
    if let Some(pair) = summary.most_confused.first() {
        output::note(&format!(
            "most confused: {} taken for {}, {} times",
            pair.truth, pair.predicted, pair.count
        ));
    }
    match summary.status {
        Status::Finished | Status::Failed => {}
        Status::StoppedEarly => output::note("stopped early: validation no longer improved"),
        Status::Interrupted => {
            output::note("interrupted; the best weights so far are in the run directory");
            return Err(Failure::Interrupted);
        }
    }
    output::note(&what_next(summary, &path.to_string()));
    Ok(())
}

/// Commands to go on with.
fn what_next(summary: &Summary, path: &str) -> String {
    let program = output::program();
    let mut lines = vec![
        "\nnext:".to_string(),
        format!("  look at {path}/report.html: curves, confusions, worst mistakes"),
        match summary.test {
            Some(_) => format!("  {program} eval {path}"),
            None => format!("  {program} eval {path} --split valid"),
        },
    ];
    if !summary.valid.contains_key("psnr") {
        lines.push(format!("  {program} predict {path} IMAGE"));
    }
    let reads = |class: &String| matches!(class.as_bytes(), [b'A'..=b'Z' | b'0'..=b'9']);
    if !summary.valid.contains_key("psnr")
        && summary.input.channels == 1
        && summary.classes.iter().all(reads)
    {
        lines.push(format!(
            "  {program} data page --text \"HELLO WORLD\" page.png"
        ));
        lines.push(format!("  {program} ocr page.png --model {path}"));
    }
    lines.join("\n")
}
