//! `kiln bench`

use std::path::{Path, PathBuf};

use super::bench_layers;
use crate::cli::compute::{ComputeArgs, Precision};
use crate::cli::failure::VerbResult;
use crate::cli::operators::Operators;
use crate::cli::terminal::{output, stages};
use crate::config;
use crate::diagnostics::bench::{self, Mode, Timing};
use crate::diagnostics::bench_data;
use crate::progress::Monitor;
use crate::report::table::Table;

/// Benchmark training and inference with the model of a config.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln bench configs/nist36_cnn.json configs/nist36_mlp.json
  kiln bench configs/nist36_cnn.json --mode infer --batch 1 --json
  kiln bench configs/nist36_cnn.json --mode layers --batch 64

Training and inference run on a synthetic batch; the training part of a real epoch is timed if its data is available.
GFLOP/s counts only matmuls and convolutions; peak is measured on a 1024x1024 matmul.
Peak memory is that of the whole process: measure one config and mode at a time.")]
pub struct Args {
    /// Config files
    #[arg(required = true, value_name = "CONFIG")]
    configs: Vec<PathBuf>,
    /// Override one key of the configs
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
    #[command(flatten)]
    compute: ComputeArgs,
    /// What to time
    #[arg(long, value_enum, default_value_t = Choice::All)]
    mode: Choice,
    /// Samples per step, instead of the config's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65536))]
    batch: Option<u32>,
    /// Operators to use on flex: kiln's kernels, or Burn's, for comparison
    #[arg(long, value_enum, default_value_t = Operators::Kiln)]
    operators: Operators,
    /// Precision of inference's products; sums are always made in 32 bits
    #[arg(long, value_enum, default_value_t)]
    precision: Precision,
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
    /// The training part of real epochs, and in turns with them as many steps on one batch
    Epoch,
    /// Reading the images of a folder without a cache: decoding alone, and the loader
    Data,
    /// Each layer of inference, against what the machine can do
    Layers,
}

pub fn run(args: Args) -> VerbResult {
    let mut overrides = args.overrides.clone();
    overrides.extend(args.compute.overrides());
    let _operators = args.operators.choose();
    let monitor = stages::listening_monitor()?;
    if args.mode == Choice::Data {
        return time_data(&args, &overrides, &monitor);
    }
    if args.mode == Choice::Layers {
        return bench_layers::run(
            &args.configs,
            &overrides,
            args.batch,
            args.precision,
            args.json,
        );
    }
    let mut timings = Vec::new();
    let mut failure = None;
    for path in &args.configs {
        if let Err(error) = measure(path, &overrides, &args, &monitor, &mut timings) {
            failure = Some(error);
            break;
        }
    }
    // What was measured before an error is a result as well.
    if !args.json && !timings.is_empty() {
        output::emit(&table(&timings))?;
        for timing in &timings {
            if let Some(times) = timing.times_bare_steps {
                let workload = &timing.workload;
                let line = format!("{workload}: an epoch takes {times:.2} times its bare steps\n");
                output::emit(&line)?;
            }
        }
    }
    failure.map_or(Ok(()), Err)
}

/// Times the reading of each config's images.
fn time_data(args: &Args, overrides: &[String], monitor: &Monitor) -> VerbResult {
    let header = [
        "workload",
        "decoded/s",
        "loaded/s",
        "loaded / decoded",
        "threads",
        "peak MB",
    ];
    let mut table = Table::new(header).with_words([0]);
    for path in &args.configs {
        let experiment = config::load(path, overrides)?;
        let batch = args.batch.map(|batch| batch as usize);
        let timing = bench_data::data(&experiment, batch, monitor)?;
        if args.json {
            output::json_line(&timing)?;
        }
        table.push([
            timing.workload.clone(),
            format!("{:.0}", timing.decoded_per_s),
            format!("{:.0}", timing.loaded_per_s),
            format!("{:.2}", timing.loaded_per_s / timing.decoded_per_s),
            timing.threads.to_string(),
            timing.peak_mb.to_string(),
        ]);
    }
    if !args.json {
        output::emit(&table.text())?;
    }
    Ok(())
}

/// Measures one config; with `--json`, prints each measurement at once.
fn measure(
    path: &Path,
    overrides: &[String],
    args: &Args,
    monitor: &Monitor,
    timings: &mut Vec<Timing>,
) -> VerbResult {
    let experiment = config::load(path, overrides)?;
    let batch = args.batch.map(|batch| batch as usize);
    let mut add = |timing: Timing| -> VerbResult {
        if args.json {
            output::json_line(&timing)?;
        }
        timings.push(timing);
        Ok(())
    };
    for mode in [Mode::Train, Mode::Infer] {
        if wanted(args.mode, mode) {
            let timing = bench::synthetic(&experiment, mode, batch, args.precision.compute());
            add(timing.map_err(|error| error.in_config(path))?)?;
        }
    }
    if wanted(args.mode, Mode::Epoch) {
        match bench::epoch(&experiment, batch, monitor) {
            Ok(timing) => add(timing)?,
            // The other measurements need no data.
            Err(error) if args.mode == Choice::All && error.lacks_data() => {
                output::note(&format!("epoch not timed: {error}"));
            }
            Err(error) => return Err(error.in_config(path).into()),
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

fn table(timings: &[Timing]) -> String {
    let header = [
        "workload",
        "mode",
        "backend",
        "batch",
        "samples/s",
        "ms/step",
        "10 to 90 %",
        "GFLOP/s",
        "of peak",
        "threads",
        "peak MB",
    ];
    let mut table = Table::new(header).with_words([0, 1, 2]);
    for timing in timings {
        let mode = match timing.mode {
            Mode::Train => "train",
            Mode::Infer => "infer",
            Mode::Epoch => "epoch",
        };
        let [low, high] = timing.ms_spread;
        table.push([
            timing.workload.to_string(),
            mode.to_string(),
            timing.backend.to_string(),
            timing.batch.to_string(),
            format!("{:.1}", timing.samples_per_s),
            format!("{:.3}", timing.ms_per_step),
            format!("{low:.3} to {high:.3}"),
            format!("{:.1}", timing.gflops),
            format!("{:.0} %", 100.0 * timing.gflops / timing.machine_gflops),
            timing.threads.to_string(),
            timing.peak_mb.to_string(),
        ]);
    }
    table.text()
}
