//! `kiln data convert`

use std::path::{Path, PathBuf};

use crate::cli::failure::{UsageError, VerbResult};
use crate::cli::open;
use crate::cli::terminal::{output, stages};
use crate::config::{self, Experiment};
use crate::data::convert::{to_folders, to_parquet};
use crate::data::{self, Split};
use crate::error::{counted, printable};

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A folder of PNG files for each class
    Folders,
    /// Parquet files, laid out as on the Hugging Face hub
    Parquet,
}

/// Write the samples of a source as class folders or Parquet, which other programs read
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln data convert configs/mnist_cnn.json mnist_png
  kiln data convert csv digits --set data.train=digits.csv
  kiln data convert nist36 letters --format parquet

Writes OUT/train/CLASS/000001.png and so on, valid and test alike, and OUT/labels.csv;
with --format parquet, OUT/data/train-00000-of-00001.parquet and so on. Images have
8 bits per value and the size that the config says, without augmentation.")]
pub struct Args {
    /// Config file, or a kind of source with its default settings, such as `idx`
    #[arg(value_name = "CONFIG|SOURCE")]
    source: PathBuf,
    /// Output folder; must not exist, or be empty
    out: PathBuf,
    /// Form of the output
    #[arg(long, value_enum, default_value = "folders")]
    format: Format,
    /// Override one key of the config
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
}

pub fn run(args: &Args) -> VerbResult {
    let experiment = experiment(&args.source, &args.overrides)?;
    let monitor = stages::listening_monitor()?;
    let source = open::data(&experiment.data, &args.source, &Split::ALL, &monitor)?;
    for note in data::notes(source.as_ref()) {
        output::note(&printable(note));
    }
    if source.redraws() {
        output::note("samples of this source are redrawn every epoch; one drawing is written");
    }
    let (written, reader) = match args.format {
        Format::Folders => (
            to_folders(source.as_ref(), &args.out, &monitor)?,
            r#""kind": "image_folder", "folder""#,
        ),
        Format::Parquet => (
            to_parquet(source.as_ref(), &args.out, &monitor)?,
            r#""kind": "parquet", "path""#,
        ),
    };
    let [train, valid, test] = written.images;
    let shape = source.shape();
    output::note(&format!(
        "{train} training, {valid} validation and {test} test images in {}; read them with {{{reader}: {:?}, \
         \"channels\": {}, \"height\": {}, \"width\": {}}}",
        counted(written.classes, "class", "classes"),
        args.out.display().to_string(),
        shape.channels,
        shape.height,
        shape.width
    ));
    Ok(output::emit(&format!("{}\n", args.out.display()))?)
}

/// The experiment of a config file, or one with the default settings of a kind of source.
fn experiment(
    source: &Path,
    overrides: &[String],
) -> Result<Experiment, crate::cli::failure::Failure> {
    let kinds = config::data_kinds();
    let named = source.to_string_lossy();
    let Some(kind) = kinds.iter().find(|kind| kind.name == named) else {
        if !source.exists() && source.extension().is_none() {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
            return Err(UsageError(format!(
                "{named}: neither a config file nor a kind of source; the kinds are {}",
                names.join(", ")
            ))
            .into());
        }
        return Ok(config::load(source, overrides)?);
    };
    let text = serde_json::json!({"data": {"kind": kind.name}, "model": {"kind": "mlp"}});
    Ok(config::parse(&text.to_string(), source, overrides)?)
}
