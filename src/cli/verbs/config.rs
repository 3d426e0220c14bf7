//! `kiln config`

use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::cli::choices;
use crate::cli::destinations;
use crate::cli::failure::{UsageError, VerbResult};
use crate::cli::terminal::output;
use crate::config::schema;
use crate::config::{self, ConfigError, Experiment};
use crate::data;
use crate::files;
use crate::progress::Monitor;

/// Check, complete and create configs.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln config init my_run.json --data image_folder --model cnn")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Check configs, and list everything that is wrong with them
    #[command(after_help = "Example:
  kiln config check configs/*.json")]
    Check {
        /// Config files
        #[arg(required = true, value_name = "CONFIG")]
        configs: Vec<PathBuf>,
        /// Override one key
        #[arg(long = "set", value_name = "PATH=VALUE")]
        overrides: Vec<String>,
    },
    /// Print a config with every default filled in
    #[command(after_help = "Example:
  kiln config show configs/glyphs_mlp.json --set training.epochs=5")]
    Show {
        /// Config file
        config: PathBuf,
        /// Override one key
        #[arg(long = "set", value_name = "PATH=VALUE")]
        overrides: Vec<String>,
    },
    /// Print the network of a config as a list of layers, for a `model` section of one's own
    #[command(after_help = "Example:
  kiln config layers configs/nist36_cnn.json")]
    Layers {
        /// Config file
        config: PathBuf,
        /// Override one key
        #[arg(long = "set", value_name = "PATH=VALUE")]
        overrides: Vec<String>,
    },
    /// Print the JSON Schema of configs, for editors
    #[command(after_help = "Example:
  kiln config schema > configs/schema/experiment.json")]
    Schema,
    /// Print a config to start from, or write it to a new file
    #[command(after_help = "Example:
  kiln config init my_run.json --data image_folder --model cnn")]
    Init {
        /// File to write; must not exist yet [default: print]
        out: Option<PathBuf>,
        /// Kind of data
        #[arg(long, value_name = "KIND", default_value = "glyphs", value_parser = choices::variants(config::data_kinds()))]
        data: String,
        /// Kind of model
        #[arg(long, value_name = "KIND", default_value = "mlp", value_parser = choices::variants(config::model_kinds()))]
        model: String,
    },
}

pub fn run(args: Args) -> VerbResult {
    match args.verb {
        Verb::Check { configs, overrides } => check(&configs, &overrides),
        Verb::Show { config, overrides } => show(&config, &overrides),
        Verb::Layers { config, overrides } => layers(&config, &overrides),
        Verb::Schema => Ok(output::json(&schema::experiment())?),
        Verb::Init { out, data, model } => init(out.as_deref(), &data, &model),
    }
}

/// Checks all files before it fails, so that one call shows every problem.
fn check(configs: &[PathBuf], overrides: &[String]) -> VerbResult {
    let mut complaints = Vec::new();
    for path in configs {
        match config::load(path, overrides) {
            Ok(experiment) => match size_complaint(&experiment, path) {
                None => output::emit(&format!("{}: ok\n", path.display()))?,
                Some(complaint) => complaints.push(complaint),
            },
            Err(error) => complaints.push(error.to_string()),
        }
    }
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(UsageError(complaints.join("\n")).into())
    }
}

/// That a network is too large, if this depends on the number of classes and only the data tells it: then the data is opened.
fn size_complaint(experiment: &Experiment, path: &Path) -> Option<String> {
    let limit = config::class_limit(experiment)?;
    let file = path.display();
    match data::open(&experiment.data, &Monitor::default()) {
        Ok(source) => {
            let problem = config::class_problem(experiment, source.classes().len())?;
            Some(ConfigError::of(path, problem).to_string())
        }
        Err(error) => {
            output::note(&format!(
                "{file}: the network is not too large for up to {limit} classes; how many there are is unknown ({error})"
            ));
            None
        }
    }
}

fn show(path: &Path, overrides: &[String]) -> VerbResult {
    let mut experiment = config::load(path, overrides)?;
    experiment.schema = None;
    output::json(&experiment)?;
    Ok(())
}

fn layers(path: &Path, overrides: &[String]) -> VerbResult {
    let experiment = config::load(path, overrides)?;
    let text = config::model_as_layers(&experiment).map_err(|problem| {
        let (path, key) = (path.display(), problem.path);
        UsageError(format!("{path}: {key}: {}", problem.message))
    })?;
    Ok(output::emit(&text)?)
}

fn init(out: Option<&Path>, data: &str, model: &str) -> VerbResult {
    let text = config::starter(data, model).map_err(|problems| {
        let texts = problems.into_iter().map(|problem| problem.message);
        UsageError(texts.collect::<Vec<_>>().join("; "))
    })?;
    match out {
        None => output::emit(&text)?,
        Some(path) => write_new(path, &text)?,
    }
    Ok(())
}

fn write_new(path: &Path, text: &str) -> VerbResult {
    destinations::require_new([path])?;
    destinations::require_folder(path)?;
    files::write(path, text.as_bytes())?;
    Ok(output::emit(&format!("{}\n", path.display()))?)
}
