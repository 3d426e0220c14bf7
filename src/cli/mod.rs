//! The command line: one file per verb; the only code that prints or exits.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage or
//! config, 130 interrupted.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod config;
mod data;
mod devices;
mod doctor;
mod eval;
mod fetch;
mod gradcheck;
mod inputs;
mod model;
mod ocr;
mod output;
mod predict;
mod progress;
mod reading;
mod runs;
mod segment;
mod status_line;
mod sweep;
mod train;
mod words;

/// Exit code of a run that was interrupted (128 + SIGINT, as shells count).
const INTERRUPTED: u8 = 130;

/// Train small vision models from one JSON file, and read hand-printed pages with them.
#[derive(Parser)]
#[command(name = "kiln", version, arg_required_else_help = true)]
#[command(after_help = "Start with: kiln train configs/glyphs_mlp.json")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Train the model that a config describes
    Train(train::Args),
    /// Train one run for each combination of some settings, and rank them
    Sweep(sweep::Args),
    /// List, show and compare runs
    Runs(runs::Args),
    /// Evaluate a run on a split of its data
    Eval(eval::Args),
    /// Classify images with a run
    Predict(predict::Args),
    /// Find lines, words and letters on a photographed page
    Segment(segment::Args),
    /// Read photographed pages of hand-printed block capitals
    Ocr(ocr::Args),
    /// Look at data, draw some, or fetch it
    Data(data::Args),
    /// Check, complete and explain configs
    Config(config::Args),
    /// Look into a model
    Model(model::Args),
    /// List the backends and the devices behind them
    Devices(devices::Args),
    /// Look whether this machine, this build and this folder are fit for work
    Doctor(doctor::Args),
    /// Time training and inference
    Bench(bench::Args),
    /// Hold gradients against finite differences
    Gradcheck(gradcheck::Args),
}

/// How a verb ends when it does not end well.
pub(crate) enum Failure {
    /// Wrong usage or config: exit 2.
    Usage(anyhow::Error),
    /// Something went wrong: exit 1.
    Failed(anyhow::Error),
    /// Stopped by the user: exit 130.
    Interrupted,
    /// Nobody reads the results any more (`kiln ... | head`): exit 0.
    ReaderHasGone,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        if let Some(output) = error.downcast_ref::<output::OutputError>()
            && output.reader_has_gone()
        {
            return Failure::ReaderHasGone;
        }
        match is_usage(&error) {
            true => Failure::Usage(error),
            false => Failure::Failed(error),
        }
    }
}

/// Errors that are about what the user typed or wrote.
fn is_usage(error: &anyhow::Error) -> bool {
    use crate::config::ConfigError;
    use crate::device::DeviceError;
    use crate::run_dir::RunDirError;
    use crate::sweeps::SweepError;
    use crate::training::TrainError;

    let run_dir = |error: &RunDirError| matches!(error, RunDirError::Exists(_));
    let train = |error: &TrainError| match error {
        TrainError::Device(_)
        | TrainError::Mismatch(_)
        | TrainError::Config(_)
        | TrainError::Resume(_) => true,
        TrainError::RunDir(error) => run_dir(error),
        _ => false,
    };
    let study = |error: &SweepError| match error {
        SweepError::Grid { .. }
        | SweepError::TooMany { .. }
        | SweepError::TooFew { .. }
        | SweepError::Refused(_)
        | SweepError::NotASweep { .. }
        | SweepError::OtherSweep { .. }
        | SweepError::Config(_) => true,
        SweepError::Train(error) => train(error),
        SweepError::RunDir(error) => run_dir(error),
        SweepError::Busy(_) | SweepError::Io { .. } | SweepError::Write(_) => false,
    };
    error.is::<ConfigError>()
        || error.is::<DeviceError>()
        || error.is::<output::UsageError>()
        || error.downcast_ref::<RunDirError>().is_some_and(run_dir)
        || error.downcast_ref::<TrainError>().is_some_and(train)
        || error.downcast_ref::<SweepError>().is_some_and(study)
}

type Outcome = Result<(), Failure>;

/// Parses the command line, runs the verb, turns its end into an exit code.
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().verb {
        Verb::Train(args) => train::run(args),
        Verb::Sweep(args) => sweep::run(args),
        Verb::Runs(args) => runs::run(args),
        Verb::Eval(args) => eval::run(args),
        Verb::Predict(args) => predict::run(args),
        Verb::Segment(args) => segment::run(args),
        Verb::Ocr(args) => ocr::run(args),
        Verb::Data(args) => data::run(args),
        Verb::Config(args) => config::run(args),
        Verb::Model(args) => model::run(args),
        Verb::Devices(args) => devices::run(args),
        Verb::Doctor(args) => doctor::run(args),
        Verb::Bench(args) => bench::run(args),
        Verb::Gradcheck(args) => gradcheck::run(args),
    };
    match outcome {
        Ok(()) | Err(Failure::ReaderHasGone) => ExitCode::SUCCESS,
        Err(Failure::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(Failure::Usage(error)) => output::complain(&error, 2),
        Err(Failure::Failed(error)) => output::complain(&error, 1),
    }
}
