//! `kiln model draw`

use std::path::PathBuf;

use super::target::Target;
use crate::cli::destinations;
use crate::cli::failure::{UsageError, VerbResult};
use crate::cli::terminal;
use crate::files;
use crate::report::network::{drawing_file, output_text};

#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln model draw configs/nist36_cnn.json cnn.svg
  kiln model draw runs/nist36_cnn-1 cnn.svg

Layers that repeat are drawn once, in a frame. The report of a run shows the same picture.")]
pub struct Args {
    /// Run directory, model.safetensors or config file
    #[arg(value_name = "RUN|CONFIG")]
    target: PathBuf,
    /// The picture to write
    #[arg(value_name = "OUT.svg")]
    out: PathBuf,
    /// Override one key of the config
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
}

/// Runs the subcommand.
pub fn run(args: Args) -> VerbResult {
    let out = &args.out;
    let extension = out.extension().unwrap_or_default();
    if !extension.eq_ignore_ascii_case("svg") {
        let problem = format!("{}: the name must end in .svg", out.display());
        return Err(UsageError(problem).into());
    }
    destinations::require_folder(out)?;
    destinations::refuse_overwrite([out.as_path()], [args.target.as_path()])?;
    let target = Target::read(&args.target, &args.overrides)?;
    let (model, input) = (&target.model, target.input);
    let output = output_text(model.task(), target.classes, input);
    let title = format!("{}: {input} to {output}", model.kind());
    let picture = drawing_file(&title, &target.nodes, input, &output);
    files::write(out, picture.as_bytes())?;
    Ok(terminal::output::emit(&format!("{}\n", out.display()))?)
}
