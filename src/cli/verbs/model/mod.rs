//! `kiln model`, with a file for each of its verbs.

mod draw;
mod export;
mod import;
mod info;
mod target;

use clap::Subcommand;

use crate::cli::failure::VerbResult;

/// Inspect a model, import one from another program, or export one.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln model info configs/nist36_cnn.json")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List the layers and parameters of a trained model, or of the model that a config describes
    Info(info::Args),
    /// Draw the layers of a model as an SVG picture
    Draw(draw::Args),
    /// Import weights from another program as a run directory
    Import(import::Args),
    /// Write a model for other programs: ONNX, PyTorch code, or the weights alone
    Export(export::Args),
}

pub fn run(args: Args) -> VerbResult {
    match args.verb {
        Verb::Info(args) => info::run(args),
        Verb::Draw(args) => draw::run(args),
        Verb::Import(args) => import::run(args),
        Verb::Export(args) => export::run(args),
    }
}
