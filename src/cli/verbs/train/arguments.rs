//! The arguments of `kiln train`.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::choices;
use crate::cli::compute::ComputeArgs;
use crate::cli::failure::UsageError;
use crate::cli::terminal::tty;
use crate::config::LogTarget;

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
    pub config: Option<PathBuf>,
    /// Override one key of the config, such as training.epochs=5
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub overrides: Vec<String>,
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// Folder of the run; must not exist yet [default: runs/<name>-<n>]
    #[arg(long, value_name = "DIR")]
    pub run_dir: Option<PathBuf>,
    /// Resume from the latest checkpoint, or from EPOCH's, with the saved config; only training.epochs and training.log may be changed
    #[arg(long, value_name = "RUN[@EPOCH]", conflicts_with_all = ["run_dir", "init_from"])]
    pub resume: Option<PathBuf>,
    /// Start with the weights of a run or a file, as the config's init.weights does
    #[arg(long, value_name = "FILE|RUN")]
    pub init_from: Option<PathBuf>,
    /// Send the metrics to tensorboard (files in the run directory) or mlflow=URL as well; may be repeated
    #[arg(long = "log", value_name = "TARGET", value_parser = LogTarget::parse)]
    pub logs: Vec<LogTarget>,
    /// Train on N processes of this machine, each of which has a share of every batch and of the cores (requires the cargo feature mpi);
    /// on several machines, start kiln train with mpiexec or srun
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub ranks: Option<u16>,
    /// With --ranks: if a process is lost, start all again from the last checkpoint, up to N times
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub restarts: u32,
    /// How to show progress
    #[arg(long, value_enum, default_value_t = RendererChoice::Auto)]
    pub renderer: RendererChoice,
    /// At the end, print where the time of an epoch went
    #[arg(long, conflicts_with = "dry_run")]
    pub profile: bool,
    /// Check everything and run one batch forward and backward, without writing
    #[arg(long)]
    pub dry_run: bool,
}

/// How progress is shown.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum RendererChoice {
    /// The dashboard in a terminal, plain lines elsewhere
    Auto,
    /// Burn's dashboard
    Dashboard,
    /// One line per epoch
    Plain,
}

impl RendererChoice {
    /// Whether to show the dashboard.
    pub fn wants_dashboard(self) -> Result<bool, UsageError> {
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

/// The overrides that the arguments stand for.
pub fn overrides(args: &Args) -> Vec<String> {
    let mut overrides = args.overrides.clone();
    overrides.extend(args.compute.overrides());
    if let Some(path) = &args.init_from {
        // As JSON, so that a name made of digits stays one.
        let name = serde_json::Value::from(path.to_string_lossy());
        overrides.push(format!("init.weights={name}"));
    }
    overrides.extend(choices::log_override(&args.logs));
    overrides
}
