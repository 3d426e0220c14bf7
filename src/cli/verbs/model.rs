//! `kiln model`

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use clap::Subcommand;
use serde::Serialize;

use crate::cli::destinations;
use crate::cli::failure::{Failure, Outcome, UsageError};
use crate::cli::open;
use crate::cli::terminal::output;
use crate::cli::terminal::progress::weights_line;
use crate::config::experiment::{Experiment, InitConfig};
use crate::data;
use crate::inference::{Classifier, ModelCard, uncalibrated};
use crate::models::{ModelConfig, Task};
use crate::models::{Network, parameters};
use crate::run_dir::RunDir;
use crate::shape::ImageShape;
use crate::{config, files, weights};

/// Look into a model, take one over from PyTorch, or hand one on.
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
    /// Make a run directory of weights that another program wrote
    #[command(after_help = "Example:
  kiln model import squeezenet1_1.pth configs/squeezenet_imagenet.json --to runs/squeezenet --classes names.txt
  kiln predict runs/squeezenet photo.jpg --top-k 5

The config says which network, which size of images and which normalization; the weights must have the network's names
(`kiln model info CONFIG` lists them) and shapes, as PyTorch has them.")]
    Import {
        /// A .safetensors file, or a .pth that PyTorch wrote
        weights: PathBuf,
        /// Config file
        config: PathBuf,
        /// Override one key of the config
        #[arg(long = "set", value_name = "PATH=VALUE")]
        overrides: Vec<String>,
        /// Folder to make; must not exist yet
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// Text file with a class name in each line [default: those of the data, or numbers from 0]
        #[arg(long, value_name = "FILE")]
        classes: Option<PathBuf>,
    },
    /// Write a run's weights for PyTorch
    #[command(after_help = "Example:
  kiln model export runs/flowers17_squeezenet-1 flowers.safetensors

In Python: model.load_state_dict(safetensors.torch.load_file(\"flowers.safetensors\"))")]
    Export {
        /// Run directory
        run: PathBuf,
        /// The file to write
        #[arg(value_name = "OUT.safetensors")]
        out: PathBuf,
    },
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
    /// Of a classifier.
    classes: Option<usize>,
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
    match args.verb {
        Verb::Info { target, json } => info(&target, json),
        Verb::Import {
            weights,
            config,
            overrides,
            to,
            classes,
        } => {
            let experiment = config::load(&config, &overrides)?;
            import(&weights, experiment, &to, classes.as_deref())
        }
        Verb::Export { run, out } => {
            if out
                .extension()
                .is_none_or(|extension| extension != "safetensors")
            {
                let problem = format!("{}: the name must end in .safetensors", out.display());
                return Err(UsageError(problem).into());
            }
            let classifier = open::classifier(&run, None)?;
            destinations::refuse_overwrite(
                [out.as_path()],
                [RunDir::open(&run)?.model_file().as_path()],
            )?;
            weights::save(classifier.network(), &out)?;
            Ok(output::emit(&format!("{}\n", out.display()))?)
        }
    }
}

fn import(file: &Path, mut experiment: Experiment, to: &Path, names: Option<&Path>) -> Outcome {
    if to.exists() {
        let problem = format!("--to {}: already exists; name a new folder", to.display());
        return Err(UsageError(problem).into());
    }
    experiment.schema = None;
    // The folder's config is that of the model as it stands.
    experiment.init = InitConfig::default();
    let classes = class_names(&experiment, names)?;
    let shape = experiment.data.shape();
    let device = Device::flex();
    let network = Network::new(&experiment.model, shape, classes.len(), &device);
    let (network, taken) = weights::load(network, file, &[])?;
    let card = ModelCard {
        model: experiment.model.clone(),
        input: shape,
        normalize: experiment.data.normalize().cloned(),
        classes,
        temperature: uncalibrated(),
    };
    let run = RunDir::create(Some(to), &experiment.name, &experiment)?;
    Classifier::new(&network, card, &device).save(&run.model_file())?;
    output::note(&weights_line(file, &taken));
    Ok(output::emit(&format!("run directory  {}\n", to.display()))?)
}

/// The names in a file, those of the data, or numbers.
fn class_names(experiment: &Experiment, file: Option<&Path>) -> Result<Vec<String>, Failure> {
    let wanted = experiment.model.classes();
    let Some(file) = file else {
        let data = data::open(&experiment.data);
        return Ok(match (data, wanted) {
            (Ok(source), None) => source.classes().to_vec(),
            (Ok(source), Some(count)) if source.classes().len() == count => {
                source.classes().to_vec()
            }
            (_, Some(count)) => (0..count).map(|class| class.to_string()).collect(),
            (Err(error), None) => return Err(error.into()),
        });
    };
    let text = files::read_text(file)
        .map_err(|error| UsageError(format!("--classes {}: {error}", file.display())))?;
    let names: Vec<String> = text.lines().map(|line| line.trim().to_string()).collect();
    match wanted {
        None if names.len() < 2 && experiment.model.task() == Task::Classify => {
            Err(UsageError(format!(
                "--classes {}: {} names; a classifier has at least 2",
                file.display(),
                names.len()
            ))
            .into())
        }
        Some(count) if count != names.len() => Err(UsageError(format!(
            "--classes {}: {} names, but model.classes is {count}",
            file.display(),
            names.len()
        ))
        .into()),
        _ => Ok(names),
    }
}

fn info(target: &Path, json: bool) -> Outcome {
    let info = match target.is_dir() {
        true => of_run(target)?,
        false => of_config(target)?,
    };
    match json {
        true => output::json(&info)?,
        false => output::emit(&table(&info))?,
    }
    Ok(())
}

fn of_run(path: &Path) -> Result<Info, Failure> {
    let classifier = open::classifier(path, None)?;
    let card = classifier.card();
    let model = &card.model;
    let shape = card.input;
    // A network as it is trained: the classifier's own no longer says what training moves.
    let network = Network::new(model, shape, card.classes.len(), &Device::flex().autodiff());
    Ok(describe(model, &network, shape, card.classes.len()))
}

fn of_config(path: &Path) -> Result<Info, Failure> {
    let experiment = config::load(path, &[])?;
    // An autoencoder has no use for their number.
    let unknown = (experiment.model.task() == Task::Reconstruct).then_some(0);
    let classes = experiment
        .model
        .classes()
        .or(experiment.data.classes())
        .or(unknown)
        .ok_or_else(|| {
            UsageError(format!(
                "{}: model.classes: missing; the number of classes is not known without the data",
                path.display()
            ))
        })?;
    let shape = experiment.data.shape();
    let network = Network::new(
        &experiment.model,
        shape,
        classes,
        &Device::flex().autodiff(),
    );
    Ok(describe(&experiment.model, &network, shape, classes))
}

/// Names and shapes as they stand in `model.safetensors`.
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
