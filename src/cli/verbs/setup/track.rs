//! `kiln track`

use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::failure::{Failure, VerbResult};
use crate::cli::terminal::output;
use crate::config::LogTarget;
use crate::error::counted;
use crate::progress::CancelToken;
use crate::run_dir::{RunDir, Status};
use crate::tracking::{Ending, RunFacts, Sending, Tracking, deliver};

/// Send what a run keeps for a server that was away, or log a run that is over.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln track runs/glyphs_mlp-1
  kiln track runs/glyphs_mlp-1 --log tensorboard --log mlflow=http://localhost:5000

What a server has already is not sent twice. Name and password, or a token, are taken from MLFLOW_TRACKING_USERNAME and
MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.")]
pub struct Args {
    /// Run directories
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Log the run to tensorboard (files in the run directory) or mlflow=URL, whatever its config says; may be repeated
    #[arg(long = "log", value_name = "TARGET", value_parser = LogTarget::parse)]
    logs: Vec<LogTarget>,
}

pub fn run(args: Args) -> VerbResult {
    let mut unsent = Vec::new();
    for path in &args.runs {
        let run_dir = RunDir::open(path)?;
        // While it trains, the run sends by itself.
        let _lock = run_dir.lock()?;
        let shown = path.display();
        if !args.logs.is_empty() {
            log(&run_dir, &args.logs)?;
        }
        let delivered = deliver(&run_dir)?;
        if delivered.is_empty() && args.logs.is_empty() {
            output::emit(&format!("{shown}: keeps nothing for a server\n"))?;
        }
        for one in delivered {
            let count = counted(one.entries, "entry", "entries");
            output::emit(&format!("{shown}: sent {count} to {}\n", one.server))?;
            unsent.extend(one.error.map(|error| format!("{shown}: {error}")));
        }
    }
    if unsent.is_empty() {
        Ok(())
    } else {
        Err(Failure::failed(unsent.join("\n")))
    }
}

/// Logs a run that is over; what goes to a server is only kept.
fn log(run_dir: &RunDir, targets: &[LogTarget]) -> VerbResult {
    let experiment = run_dir.experiment()?;
    let summary = run_dir.summary().ok();
    let facts = RunFacts {
        run_dir,
        experiment: &experiment,
        parameters: summary.as_ref().map(|summary| summary.parameters),
    };
    let ending = Ending {
        status: summary
            .as_ref()
            .map_or(Status::Interrupted, |summary| summary.status),
        summary: summary.as_ref(),
        pictures: &[],
    };
    let tell = Arc::new(|problem: &str| output::note(&format!("warning: {problem}")));
    let tracking = Tracking::start(targets, &facts, Sending::Later, tell);
    tracking.finish(&ending, &CancelToken::default());
    Ok(())
}
