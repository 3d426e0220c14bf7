//! `kiln model export`

use std::path::PathBuf;

use crate::cli::compute::ComputeArgs;
use crate::cli::destinations;
use crate::cli::failure::VerbResult;
use crate::cli::open;
use crate::cli::terminal::output;
use crate::export::{self, GraphOptions};

#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln model export runs/flowers17_squeezenet-1 flowers.onnx
  kiln model export runs/flowers17_squeezenet-1 flowers.onnx --with-preprocessing
  kiln model export runs/flowers17_squeezenet-1 flowers.py
  kiln model export runs/flowers17_squeezenet-1 flowers.safetensors

.onnx         takes \"images\" [batch, channels, height, width] as 32-bit floats and gives \"logits\"
.py           a module for PyTorch alone, with load() and prepare(image), and flowers.safetensors beside it
.safetensors  the weights, for model.load_state_dict(safetensors.torch.load_file(\"flowers.safetensors\"))

All of them say which classes there are and how images are prepared, the binary ones in their metadata.")]
pub struct Args {
    /// Run directory, or model.safetensors
    run: PathBuf,
    /// The file to write; its extension sets the format
    #[arg(value_name = "OUT.onnx|.py|.safetensors")]
    out: PathBuf,
    /// ONNX that takes bytes [batch, height, width, channels] from 0 to 255 and gives probabilities
    #[arg(long)]
    with_preprocessing: bool,
}

/// Runs the subcommand.
pub fn run(args: Args) -> VerbResult {
    let options = GraphOptions {
        with_preprocessing: args.with_preprocessing,
    };
    let outputs = export::outputs(&args.out, options)?;
    destinations::require_folder(&args.out)?;
    let model = open::model(&args.run, ComputeArgs::default())?;
    let files = outputs.iter().map(|path| path.as_path());
    destinations::refuse_overwrite(files, [model.file.as_path()])?;
    destinations::refuse_strangers(&outputs)?;
    export::export(&model.for_image_files()?, &args.out, options)?;
    let lines = outputs.iter().map(|path| format!("{}\n", path.display()));
    Ok(output::emit(&lines.collect::<String>())?)
}
