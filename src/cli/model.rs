//! `kiln model`

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use clap::Subcommand;
use serde::Serialize;

use super::{Outcome, output};
use crate::config;
use crate::models::Network;
use crate::models::parameters;

/// Look into a model.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln model info configs/nist36_cnn.json")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List the parameters of a run's model, or of the model that a config describes
    #[command(after_help = "Example:
  kiln model info configs/nist36_cnn.json
  kiln model info runs/nist36_cnn-1 --json")]
    Info {
        /// Run directory or config file
        #[arg(value_name = "RUN|CONFIG")]
        target: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Serialize)]
struct Info {
    model: &'static str,
    /// Channels, height, width.
    input: [usize; 3],
    classes: usize,
    tensors: Vec<TensorInfo>,
    /// Values that training moves.
    parameters: usize,
}

#[derive(Serialize)]
struct TensorInfo {
    name: String,
    shape: Vec<usize>,
    values: usize,
    trainable: bool,
}

pub fn run(args: Args) -> Outcome {
    let Verb::Info { target, json } = args.verb;
    let info = match target.is_dir() {
        true => of_run(&target)?,
        false => of_config(&target)?,
    };
    match json {
        true => output::json(&info)?,
        false => output::emit(&table(&info))?,
    }
    Ok(())
}

fn of_run(path: &Path) -> anyhow::Result<Info> {
    let classifier = output::classifier(path, None)?;
    let card = classifier.card();
    let model = &card.model;
    let shape = [card.input.channels, card.input.height, card.input.width];
    // A network as it is trained: the classifier's own no longer says what training moves.
    let network = Network::new(model, shape, card.classes.len(), &Device::flex().autodiff());
    Ok(describe(model.kind(), &network, shape, card.classes.len()))
}

fn of_config(path: &Path) -> anyhow::Result<Info> {
    let experiment = config::load(path, &[])?;
    let classes = experiment
        .model
        .classes()
        .or(experiment.data.classes())
        .ok_or_else(|| {
            output::UsageError(format!(
                "{}: model.classes: missing; the number of classes is not known without the data",
                path.display()
            ))
        })?;
    let (channels, height, width) = experiment.data.shape();
    let shape = [channels, height, width];
    let network = Network::new(
        &experiment.model,
        shape,
        classes,
        &Device::flex().autodiff(),
    );
    Ok(describe(experiment.model.kind(), &network, shape, classes))
}

/// Names and shapes as they stand in `model.safetensors`.
fn describe(model: &'static str, network: &Network, input: [usize; 3], classes: usize) -> Info {
    let tensors = parameters::list(network)
        .into_iter()
        .map(|parameter| TensorInfo {
            values: parameter.values(),
            name: parameter.name,
            shape: parameter.shape,
            trainable: parameter.trainable,
        });
    Info {
        model,
        input,
        classes,
        tensors: tensors.collect(),
        parameters: parameters::trainable(network),
    }
}

fn table(info: &Info) -> String {
    let [channels, height, width] = info.input;
    let mut lines = vec![format!(
        "{}: {channels}x{height}x{width} -> {} classes",
        info.model, info.classes
    )];
    for tensor in &info.tensors {
        lines.push(format!(
            "{:<28} {:<20} {:>9}{}",
            tensor.name,
            format!("{:?}", tensor.shape),
            tensor.values,
            if tensor.trainable {
                ""
            } else {
                "  (statistics)"
            }
        ));
    }
    lines.push(format!(
        "{:<28} {:<20} {:>9}",
        "parameters", "", info.parameters
    ));
    lines.join("\n") + "\n"
}
