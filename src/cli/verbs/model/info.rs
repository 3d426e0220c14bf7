//! `kiln model info`

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::Serialize;

use crate::cli::failure::{Failure, UsageError, VerbResult};
use crate::cli::open;
use crate::cli::terminal::output;
use crate::config::Experiment;
use crate::models::{ModelConfig, Network, Task, parameters};
use crate::progress::Monitor;
use crate::shape::ImageShape;
use crate::{config, data};

#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln model info configs/nist36_cnn.json
  kiln model info photographs.json --set model.classes=17
  kiln model info runs/nist36_cnn-1 --json

If only the data tells the number of classes, it is opened; --set model.classes=N does without.")]
pub struct Args {
    /// Run directory, model.safetensors or config file
    #[arg(value_name = "RUN|CONFIG")]
    target: PathBuf,
    /// Override one key of the config
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A shape as the list `[channels, height, width]`.
fn as_dims<S: serde::Serializer>(shape: &ImageShape, serializer: S) -> Result<S::Ok, S::Error> {
    shape.dims().serialize(serializer)
}

#[derive(Serialize)]
struct Info {
    model: &'static str,
    /// Channels, height, width.
    #[serde(serialize_with = "as_dims")]
    input: ImageShape,
    /// Number of classes of a classifier.
    classes: Option<usize>,
    tensors: Vec<TensorInfo>,
    /// Number of values that training changes.
    parameters: usize,
}

#[derive(Serialize)]
struct TensorInfo {
    name: String,
    shape: Vec<usize>,
    values: usize,
    trainable: bool,
}

/// Runs the subcommand.
pub fn run(args: Args) -> VerbResult {
    let (target, overrides) = (args.target.as_path(), args.overrides.as_slice());
    let is_model = |extension: &std::ffi::OsStr| extension == "safetensors";
    let is_run = target.is_dir() || target.extension().is_some_and(is_model);
    let info = match overrides {
        [] if is_run => of_run(target)?,
        [first, ..] if is_run => {
            let problem = format!("--set {first}: a trained model can't change; use a config file");
            return Err(UsageError(problem).into());
        }
        overrides => of_config(target, overrides)?,
    };
    if args.json {
        output::json(&info)?;
    } else {
        output::emit(&table(&info))?;
    }
    Ok(())
}

fn of_run(path: &Path) -> Result<Info, Failure> {
    let classifier = open::model(path, None)?.classifier;
    let card = classifier.card();
    let model = &card.model;
    let shape = card.input;
    // A network as it is trained: the classifier's own no longer says what training changes.
    let network = Network::new(model, shape, card.classes.len(), &Device::flex().autodiff());
    Ok(describe(model, &network, shape, card.classes.len()))
}

fn of_config(path: &Path, overrides: &[String]) -> Result<Info, Failure> {
    let experiment = config::load(path, overrides)?;
    let classes = classes(&experiment, path)?;
    let shape = experiment.data.shape();
    let network = Network::new(
        &experiment.model,
        shape,
        classes,
        &Device::flex().autodiff(),
    );
    Ok(describe(&experiment.model, &network, shape, classes))
}

/// Number of classes: that of the config or, if it does not tell, that of the data.
fn classes(experiment: &Experiment, path: &Path) -> Result<usize, UsageError> {
    let (model, data) = (&experiment.model, &experiment.data);
    if let Some(classes) = model.classes().or(data.classes()) {
        return Ok(classes);
    }
    if model.task() == Task::Reconstruct {
        // It does not use their number.
        return Ok(0);
    }
    let source = data::open(data, &Monitor::default()).map_err(|error| {
        let unknown = format!(
            "{}: the number of classes is unknown ({error})",
            path.display()
        );
        // Some networks have no such key.
        let keys = serde_json::to_value(model).unwrap_or_default();
        UsageError(match keys.get("classes") {
            Some(_) => format!("{unknown}; add --set model.classes=N"),
            None => unknown,
        })
    })?;
    Ok(source.classes().len())
}

/// Names and shapes as in `model.safetensors`.
fn describe(model: &ModelConfig, network: &Network, input: ImageShape, classes: usize) -> Info {
    let tensors = parameters::list(network)
        .into_iter()
        .map(|parameter| TensorInfo {
            values: parameter.values(),
            name: parameter.name,
            shape: parameter.shape,
            trainable: parameter.trainable,
        });
    Info {
        model: model.kind(),
        input,
        classes: (model.task() == Task::Classify).then_some(classes),
        tensors: tensors.collect(),
        parameters: parameters::trainable(network),
    }
}

fn table(info: &Info) -> String {
    let input = info.input;
    let output = match info.classes {
        Some(classes) => format!("{classes} classes"),
        None => input.to_string(),
    };
    let mut lines = vec![format!("{}: {input} -> {output}", info.model)];
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
