//! `kiln config`

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use crate::cli::failure::{Outcome, UsageError};
use crate::cli::terminal::output;
use crate::config::{self, schema};
use crate::files;

/// Check, complete and explain configs.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln config init my_run.json --data image_folder --model cnn")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Say whether configs are valid, or everything that is wrong with them
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
    /// Print the whole experiment, with every default filled in
    #[command(after_help = "Example:
  kiln config show configs/glyphs_mlp.json --set training.epochs=5")]
    Show {
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
        /// Which data
        #[arg(long, default_value = "glyphs", value_parser = clap::builder::PossibleValuesParser::new(
            ["glyphs", "nist36", "nist26", "cifar10", "unipen", "image_folder"]))]
        data: String,
        /// Which model
        #[arg(long, default_value = "mlp", value_parser = clap::builder::PossibleValuesParser::new(["mlp", "cnn"]))]
        model: String,
    },
}

pub fn run(args: Args) -> Outcome {
    match args.verb {
        Verb::Check { configs, overrides } => check(&configs, &overrides),
        Verb::Show { config, overrides } => show(&config, &overrides),
        Verb::Schema => Ok(output::json(&schema::experiment())?),
        Verb::Init { out, data, model } => init(out.as_deref(), &data, &model),
    }
}

/// Checks all files before it complains, so that one call shows everything.
fn check(configs: &[PathBuf], overrides: &[String]) -> Outcome {
    let mut complaints = Vec::new();
    for path in configs {
        match config::load(path, overrides) {
            Ok(_) => output::emit(&format!("{}: ok\n", path.display()))?,
            Err(error) => complaints.push(error.to_string()),
        }
    }
    match complaints.is_empty() {
        true => Ok(()),
        false => Err(UsageError(complaints.join("\n")).into()),
    }
}

fn show(path: &Path, overrides: &[String]) -> Outcome {
    let mut experiment = config::load(path, overrides)?;
    experiment.schema = None;
    output::json(&experiment)?;
    Ok(())
}

fn init(out: Option<&Path>, data: &str, model: &str) -> Outcome {
    let mut starter = json!({
        "data": {"kind": data},
        "model": {"kind": model},
        "optimizer": {"kind": "adam", "lr": 1e-3},
        "training": {"epochs": 10, "batch_size": 64},
    });
    if data == "image_folder" {
        starter["data"] = json!({
            "kind": "image_folder", "folder": "my_images", "channels": 3, "height": 32, "width": 32,
        });
    }
    // Refuse to hand out what would be refused.
    config::resolve(starter.clone()).map_err(|problems| {
        let texts: Vec<String> = problems.into_iter().map(|p| p.message).collect();
        UsageError(texts.join("; "))
    })?;
    match out {
        None => output::json(&starter)?,
        Some(path) => write_new(path, &starter)?,
    }
    Ok(())
}

fn write_new(path: &Path, value: &Value) -> Outcome {
    if path.exists() {
        return Err(UsageError(format!(
            "{}: already exists; name a new file",
            path.display()
        ))
        .into());
    }
    files::write(path, format!("{value:#}\n").as_bytes())?;
    Ok(output::emit(&format!("{}\n", path.display()))?)
}
