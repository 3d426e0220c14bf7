//! `kiln bench`

use std::path::PathBuf;

use crate::cli::choices;
use crate::cli::failure::Outcome;
use crate::cli::operators::Operators;
use crate::cli::terminal::output;
use crate::config::{self, Backend};
use crate::diagnostics::bench::{self, Mode, Timing};

/// Benchmark training and inference with the model of a config.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln bench configs/nist36_cnn.json configs/nist36_mlp.json
  kiln bench configs/nist36_cnn.json --mode infer --batch 1 --json

Training and inference run on a synthetic batch; the training part of a real epoch is timed if its data is available.
GFLOP/s count matrix products and convolutions; the peak is that of a product of two 1024x1024 matrices.
Peak memory is that of the whole process: measure one config and mode at a time.")]
pub struct Args {
    /// Config files
    #[arg(required = true, value_name = "CONFIG")]
    configs: Vec<PathBuf>,
    /// Override one key of the configs
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
    /// Backend to compute with, instead of the config's
    #[arg(long, value_parser = choices::backend())]
    backend: Option<Backend>,
    /// What to time
    #[arg(long, value_enum, default_value_t = Choice::All)]
    mode: Choice,
    /// Samples per step, instead of the config's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65536))]
    batch: Option<u32>,
    /// Operators to use on flex: kiln's kernels, or Burn's, for comparison
    #[arg(long, value_enum, default_value_t = Operators::Kiln)]
    operators: Operators,
    /// Print JSON, one line per measurement
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Choice {
    /// Training, inference and an epoch
    All,
    /// Training steps
    Train,
    /// Inference
    Infer,
    /// The training part of a real epoch
    Epoch,
}

pub fn run(args: Args) -> Outcome {
    let mut overrides = args.overrides;
    if let Some(backend) = args.backend {
        overrides.push(format!("backend={}", backend.name()));
    }
    let _operators = args.operators.choose();
    let batch = args.batch.map(|batch| batch as usize);
    if !args.json {
        output::emit(&format!(
            "{:<18} {:<6} {:<8} {:>5} {:>11} {:>9} {:>17} {:>8} {:>6} {:>8} {:>8}\n",
            "workload",
            "mode",
            "backend",
            "batch",
            "samples/s",
            "ms/step",
            "10 to 90 %",
            "GFLOP/s",
            "of top",
            "threads",
            "peak MB"
        ))?;
    }
    for path in &args.configs {
        let experiment = config::load(path, &overrides)?;
        for mode in [Mode::Train, Mode::Infer] {
            if wanted(args.mode, mode) {
                show(&bench::synthetic(&experiment, mode, batch)?, args.json)?;
            }
        }
        if wanted(args.mode, Mode::Epoch) {
            match bench::epoch(&experiment, batch) {
                Ok(timing) => show(&timing, args.json)?,
                // The other measurements need no data.
                Err(error) if args.mode == Choice::All && error.lacks_data() => {
                    output::note(&format!("no epoch timed: {error}"));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

fn wanted(choice: Choice, mode: Mode) -> bool {
    matches!(
        (choice, mode),
        (Choice::All, _)
            | (Choice::Train, Mode::Train)
            | (Choice::Infer, Mode::Infer)
            | (Choice::Epoch, Mode::Epoch)
    )
}

fn show(timing: &Timing, json: bool) -> Outcome {
    if json {
        return Ok(output::json_line(timing)?);
    }
    let mode = match timing.mode {
        Mode::Train => "train",
        Mode::Infer => "infer",
        Mode::Epoch => "epoch",
    };
    let [low, high] = timing.ms_spread;
    Ok(output::emit(&format!(
        "{:<18} {mode:<6} {:<8} {:>5} {:>11.1} {:>9.3} {:>17} {:>8.1} {:>6} {:>8} {:>8}\n",
        timing.workload,
        timing.backend,
        timing.batch,
        timing.samples_per_s,
        timing.ms_per_step,
        format!("{low:.3} to {high:.3}"),
        timing.gflops,
        format!("{:.0} %", 100.0 * timing.gflops / timing.machine_gflops),
        timing.threads,
        timing.peak_mb,
    ))?)
}
