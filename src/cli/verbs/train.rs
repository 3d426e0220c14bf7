//! `kiln train`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;

use crate::cli::choices;
use crate::cli::failure::{Failure, OutputError, UsageError, VerbResult};
use crate::cli::terminal::progress::{PlainLines, weights_line};
use crate::cli::terminal::signals::Interruption;
use crate::cli::terminal::{output, stages, tty};
use crate::config::{self, Backend, Experiment, LogTarget};
use crate::diagnostics;
use crate::diagnostics::dry_run::DryRun;
use crate::error::{counted, printable};
use crate::progress::Monitor;
use crate::report::format::{duration, size};
use crate::report::table::Table;
use crate::run_dir::{RunDir, Status, Summary};
use crate::sweeps::ranking_metric::RankingMetric;
use crate::tracking;
use crate::training::{self, Resumption, TrainError};

/// Train the model that a config describes.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln train configs/glyphs_mlp.json --set training.epochs=5 --set optimizer.lr=1e-3
  kiln train --resume runs/glyphs_mlp-1

The value of --set is parsed as JSON, or else taken as a string: --set model.hidden=[64,64], --set data.folder=letters.

Creates a run directory runs/<name>-<n>/ with the config, metrics, model and report. Ctrl-C finishes the batch, saves and
exits with 130; pressed twice, it exits at once. --resume continues after the last completed epoch, whatever ended the run, and
gives byte-identical results to an uninterrupted run.")]
pub struct Args {
    /// Config file
    #[arg(required_unless_present = "resume")]
    config: Option<PathBuf>,
    /// Override one key of the config, such as training.epochs=5
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
    /// Backend to compute with, instead of the config's
    #[arg(long, value_parser = choices::backend())]
    backend: Option<Backend>,
    /// Folder of the run; must not exist yet [default: runs/<name>-<n>]
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,
    /// Resume from the latest checkpoint, or from EPOCH's, with the saved config; only training.epochs and training.log may be changed
    #[arg(long, value_name = "RUN[@EPOCH]", conflicts_with_all = ["run_dir", "init_from"])]
    resume: Option<PathBuf>,
    /// Start with the weights of a run or a file, as the config's init.weights does
    #[arg(long, value_name = "FILE|RUN")]
    init_from: Option<PathBuf>,
    /// Send the metrics to tensorboard (files in the run directory) or mlflow=URL as well; may be repeated
    #[arg(long = "log", value_name = "TARGET", value_parser = LogTarget::parse)]
    logs: Vec<LogTarget>,
    /// How to show progress
    #[arg(long, value_enum, default_value_t = RendererChoice::Auto)]
    renderer: RendererChoice,
    /// Check everything and run one batch forward and backward, without writing
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

/// What to train.
enum Job {
    /// An experiment, and where it was described.
    New(Box<Experiment>, Described),
    Resumed(Box<Resumption>),
}

/// Where an experiment was described.
struct Described {
    config: PathBuf,
    /// Whether `--init-from` names the weights to start from.
    has_init_from: bool,
}

impl Described {
    /// An error with the name of the file or flag that it is about.
    fn explain(&self, error: TrainError) -> TrainError {
        let error = error.in_config(&self.config);
        if self.has_init_from {
            error.with_weights_of("--init-from")
        } else {
            error
        }
    }
}

pub fn run(args: Args) -> VerbResult {
    let dashboard = args.renderer.wants_dashboard()?;
    let job = job(&args)?;
    let interruption = Interruption::default();
    let lines = Arc::new(PlainLines::new(&interruption));
    let stopped = lines.clone();
    interruption.listen(move || stopped.stopping())?;
    let monitor = stages::monitor(&interruption);
    if args.dry_run {
        return dry_run(job, args.run_dir.as_deref(), &monitor);
    }
    let options = training::Options {
        run_dir: args.run_dir,
        dashboard,
        monitor,
        observer: lines,
    };
    let outcome = match job {
        Job::New(experiment, described) => {
            training::run(*experiment, options).map_err(|error| described.explain(error))
        }
        Job::Resumed(resumption) => training::resume(*resumption, options),
    };
    match outcome {
        Ok(outcome) => conclude(&outcome),
        Err(TrainError::Killed) => {
            output::note(
                "\r\nkilled from the dashboard; completed epochs are in the run directory",
            );
            Err(Failure::Interrupted)
        }
        Err(error) => Err(error.into()),
    }
}

impl RendererChoice {
    /// Whether to show the dashboard.
    fn wants_dashboard(self) -> Result<bool, UsageError> {
        let problem = tty::dashboard_problem();
        match (self, problem) {
            (Self::Plain, _) => Ok(false),
            (Self::Auto, problem) => Ok(problem.is_none() && tty::has_room_for_dashboard()),
            (Self::Dashboard, None) => Ok(true),
            (Self::Dashboard, Some(problem)) => Err(UsageError(format!(
                "--renderer dashboard {problem}; use --renderer plain"
            ))),
        }
    }
}

/// What the arguments ask for; notes overrides and skipped checkpoints.
fn job(args: &Args) -> Result<Job, Failure> {
    let mut overrides = args.overrides.clone();
    if let Some(backend) = args.backend {
        overrides.push(format!("backend={}", backend.name()));
    }
    if let Some(path) = &args.init_from {
        // As JSON, so that a name made of digits stays one.
        let name = serde_json::Value::from(path.to_string_lossy());
        overrides.push(format!("init.weights={name}"));
    }
    overrides.extend(choices::log_override(&args.logs));
    let note = || {
        for assignment in &overrides {
            output::note(&format!("override  {}", printable(assignment)));
        }
    };
    // Clap requires a config unless --resume is given.
    let config = args.config.as_deref().unwrap_or(Path::new(""));
    let Some(target) = &args.resume else {
        let mut experiment = config::load(config, &overrides)?;
        experiment.schema = None;
        note();
        let described = Described {
            config: config.into(),
            has_init_from: args.init_from.is_some(),
        };
        return Ok(Job::New(Box::new(experiment), described));
    };
    if args.config.is_some() {
        let problem = format!(
            "--resume: uses the run's own config; remove {}",
            config.display()
        );
        return Err(UsageError(problem).into());
    }
    let resumption = if args.dry_run {
        Resumption::inspect(target, &overrides)?
    } else {
        Resumption::open(target, &overrides)?
    };
    note();
    for damaged in &resumption.damaged {
        output::note(&format!("skipped  {damaged}"));
    }
    output::note(&resume_line(&resumption));
    Ok(Job::Resumed(Box::new(resumption)))
}

/// From where a run is resumed.
fn resume_line(resumption: &Resumption) -> String {
    let run = resumption.run_dir.path().display();
    let epochs = resumption.experiment.training.epochs;
    let Some(checkpoint) = &resumption.checkpoint else {
        return format!("resume  {run}: no completed epoch; starts at epoch 1 of {epochs}");
    };
    let (done, header) = (checkpoint.epoch(), &checkpoint.header);
    let mut line = format!("resume  {run}: {done} of {epochs} epochs are done");
    let kiln = env!("CARGO_PKG_VERSION");
    if header.kiln != kiln {
        line += &format!(
            "; trained with kiln {}, this is {kiln}: results may differ",
            header.kiln
        );
    }
    line
}

fn dry_run(job: Job, run_dir: Option<&Path>, monitor: &Monitor) -> VerbResult {
    let prepared = match job {
        Job::New(experiment, described) => {
            RunDir::could_create(run_dir)?;
            training::prepare(*experiment, monitor).map_err(|error| described.explain(error))?
        }
        Job::Resumed(resumption) => training::prepare_resumed(&resumption, monitor)?,
    };
    let samples = prepared.samples;
    if let Some((path, taken)) = &prepared.weights {
        output::note(&weights_line(path, taken));
    }
    for warning in &prepared.warnings {
        output::note(&format!("warning: {warning}"));
    }
    let found = diagnostics::dry_run(&prepared)?;
    output::emit(&parameter_table(&found))?;
    let memory = match found.memory.peak {
        0 => String::new(),
        peak => format!(
            "              about {} (peak during this dry run, including the data and one batch)\n",
            size(peak)
        ),
    };
    Ok(output::emit(&format!(
        "\nsamples       {} train, {} valid, {} test\nparameters    {} trainable\nsteps         {} per epoch\n\
         initial loss  {:.4} (one batch forward and backward)\nmemory        {} for weights, gradients and optimizer\n{memory}\
         epoch time    about {}\nnothing was written\n",
        samples.train,
        samples.valid,
        samples.test,
        prepared.parameters,
        found.steps,
        found.loss,
        size(found.memory.training),
        duration(found.epoch)
    ))?)
}

fn parameter_table(found: &DryRun) -> String {
    let mut table = Table::new(["parameter", "shape", "values", ""]).with_words([0, 1, 3]);
    for parameter in &found.parameters {
        let note = if parameter.trainable {
            ""
        } else {
            "not trained"
        };
        table.push([
            parameter.name.clone(),
            format!("{:?}", parameter.shape),
            parameter.values().to_string(),
            note.to_string(),
        ]);
    }
    table.text()
}

/// Prints the results and what to do next. The run is saved: a closed terminal must not hide how it ended.
fn conclude(outcome: &training::Outcome) -> VerbResult {
    let summary = &outcome.summary;
    let path = &*outcome.run_dir.path().to_string_lossy();
    let printed = print_results(summary, path);
    match summary.status {
        Status::Finished | Status::Failed => {}
        Status::StoppedEarly => output::note("stopped early: validation no longer improved"),
        Status::Interrupted => {
            let command = output::command(&["train", "--resume", &output::argument(path)]);
            let weights = match summary.best_epoch {
                0 => {
                    "before the first epoch was complete; the weights in the run directory are barely trained"
                }
                _ => "the best weights so far are in the run directory",
            };
            output::note(&format!("interrupted; {weights}; to resume:\n  {command}"));
            return Err(Failure::Interrupted);
        }
    }
    let mut next = next_steps(summary, path);
    if tracking::is_unsent(&outcome.run_dir) {
        let command = output::command(&["track", &output::argument(path)]);
        next += &format!("\n  {command}: sends what a server missed");
    }
    output::note(&next);
    Ok(printed?)
}

/// Prints the test result, or that of the validation if there is no test, and the run directory.
fn print_results(summary: &Summary, path: &str) -> Result<(), OutputError> {
    let kept = match summary.best_epoch {
        0 => "weights of an unfinished first epoch".to_string(),
        epoch => format!("weights of epoch {epoch} of {}", summary.epochs),
    };
    let (name, metrics, samples) = match &summary.test {
        Some(test) => ("test", test, summary.samples.test),
        None => ("validation", &summary.valid, summary.samples.valid),
    };
    let ranking = RankingMetric::of(std::iter::once(metrics));
    if let Some(value) = ranking.value(metrics) {
        let (title, value) = (ranking.name(), ranking.shown_in_full(value));
        output::emit(&format!(
            "{name} {title}  {value}  ({samples} samples, {kept})\n"
        ))?;
    }
    output::emit(&format!("run directory  {path}\n"))?;
    if let Some(pair) = summary.most_confused.first() {
        output::note(&format!(
            "most confused: {} predicted as {}: {}",
            printable(&pair.truth),
            printable(&pair.predicted),
            counted(pair.count as usize, "time", "times")
        ));
    }
    Ok(())
}

/// Commands to try next.
fn next_steps(summary: &Summary, path: &str) -> String {
    let run = &*output::argument(path);
    let mut lines = vec![
        "\nnext:".to_string(),
        format!("  open {path}/report.html: curves, confusions, worst mistakes"),
    ];
    let mut add = |arguments: &[&str]| lines.push(format!("  {}", output::command(arguments)));
    match summary.test {
        Some(_) => add(&["eval", run]),
        None => add(&["eval", run, "--split", "valid"]),
    }
    let is_classifier = !summary.per_class.is_empty();
    if is_classifier {
        add(&["predict", run, "IMAGE"]);
    }
    let is_character = |class: &String| matches!(class.as_bytes(), [b'A'..=b'Z' | b'0'..=b'9']);
    if is_classifier && summary.input.channels == 1 && summary.classes.iter().all(is_character) {
        add(&["data", "page", "--text", "HELLO WORLD", "page.png"]);
        add(&["ocr", "page.png", "--model", run]);
    }
    lines.join("\n")
}
