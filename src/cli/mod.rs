//! The command line: parsing, dispatch and exit codes; the only room that prints.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage or
//! config, 130 interrupted (129 and 143 by
//! SIGHUP and SIGTERM).

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

mod choices;
mod compute;
mod destinations;
mod failure;
mod inputs;
mod loading;
mod open;
mod operators;
mod page_files;
mod paging;
mod reading;
mod terminal;
mod threads;
mod usage;
mod verbs;

use failure::{Failure, VerbResult};
use terminal::{output, signals};
use verbs::{
    bench, config, data, devices, doctor, eval, gradcheck, model, ocr, predict, runs, segment,
    serve, setup, sweep, train,
};

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
    /// Show runs, read pages and classify images in a browser
    Serve(serve::Args),
    /// Inspect, generate or download data
    Data(data::Args),
    /// Check, complete and create configs
    Config(config::Args),
    /// Inspect, import or export a model
    Model(model::Args),
    /// List the backends and the devices behind them
    Devices(devices::Args),
    /// Check this machine, this build and this folder
    Doctor(doctor::Args),
    /// Benchmark training and inference
    Bench(bench::Args),
    /// Check gradients against finite differences
    Gradcheck(gradcheck::Args),
    /// Send what a run keeps for an MLflow server, or log a run that is over
    Track(setup::track::Args),
    /// Make a folder for a project: config, schema, editor settings, README
    New(setup::new::Args),
    /// Print the completions of a shell
    Completions(setup::completions::Args),
    /// Write the manual pages, or print the first
    Man(setup::man::Args),
}

/// Parses the command line, runs the subcommand and returns the exit code.
pub fn main() -> ExitCode {
    let verb = match Cli::try_parse() {
        Ok(cli) => cli.verb,
        Err(error) => {
            let typed = std::env::args_os().skip(1);
            let typed: Vec<String> = typed.map(|word| word.to_string_lossy().into()).collect();
            return match usage::refusal(&error, Cli::command(), &typed) {
                Some(refusal) => end(refusal.into()),
                None => error.exit(),
            };
        }
    };
    let outcome = threads::guard(|| run(verb));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => end(failure),
    }
}

/// Runs a subcommand.
fn run(verb: Verb) -> VerbResult {
    if verb.computes() {
        threads::require(None)?;
    }
    match verb {
        Verb::Train(args) => train::run(args),
        Verb::Sweep(args) => sweep::run(args),
        Verb::Runs(args) => runs::run(args),
        Verb::Eval(args) => eval::run(args),
        Verb::Predict(args) => predict::run(args),
        Verb::Segment(args) => segment::run(args),
        Verb::Ocr(args) => ocr::run(args),
        Verb::Serve(args) => serve::run(args),
        Verb::Data(args) => data::run(args),
        Verb::Config(args) => config::run(args),
        Verb::Model(args) => model::run(args),
        Verb::Devices(args) => devices::run(args),
        Verb::Doctor(args) => doctor::run(args),
        Verb::Bench(args) => bench::run(args),
        Verb::Gradcheck(args) => gradcheck::run(args),
        Verb::Track(args) => setup::track::run(args),
        Verb::New(args) => setup::new::run(args),
        Verb::Completions(args) => setup::completions::run(args, Cli::command()),
        Verb::Man(args) => setup::man::run(args, Cli::command()),
    }
}

impl Verb {
    /// Whether it reads data or runs a network, for which threads are needed. Training asks for its share of them itself.
    fn computes(&self) -> bool {
        !matches!(
            self,
            Self::Train(_)
                | Self::Runs(_)
                | Self::Config(_)
                | Self::Devices(_)
                | Self::Model(_)
                | Self::Track(_)
                | Self::New(_)
                | Self::Completions(_)
                | Self::Man(_)
        )
    }
}

/// Prints an error and returns its exit code.
fn end(failure: Failure) -> ExitCode {
    match failure {
        Failure::Error(_) | Failure::OfAnother(..) => output::complain(&failure),
        Failure::Cancelled | Failure::Unread(_) => output::note(&failure.to_string()),
        Failure::Interrupted | Failure::Told(_) | Failure::PipeClosed => {}
    }
    ExitCode::from(failure.exit_code(signals::exit_code()))
}
