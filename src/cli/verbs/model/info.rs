//! `kiln model info`

use std::path::PathBuf;

use burn::tensor::Device;
use serde::Serialize;

use super::target::Target;
use crate::cli::failure::VerbResult;
use crate::cli::terminal::output;
use crate::models::{Network, parameters};
use crate::report::network::{LayerRow, layer_rows, layer_table, output_text};
use crate::report::table::Table;
use crate::shape::ImageShape;

#[derive(clap::Args)]
#[command(after_help = "Example:
  kiln model info configs/nist36_cnn.json
  kiln model info photographs.json --set model.classes=17
  kiln model info runs/nist36_cnn-1 --json

If only the data tells the number of classes, it is opened; --set model.classes=N avoids that. Multiply-adds are those of
convolutions and matrix products for one image.")]
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
    layers: Vec<LayerRow>,
    tensors: Vec<TensorInfo>,
    /// Number of values that training changes.
    parameters: usize,
    /// Of one image.
    multiply_adds: usize,
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
    let target = Target::read(&args.target, &args.overrides)?;
    let info = describe(&target);
    if args.json {
        output::json(&info)?;
    } else {
        output::emit(&text(&target, &info))?;
    }
    Ok(())
}

/// Layers, and names and shapes as in `model.safetensors`.
fn describe(target: &Target) -> Info {
    let (model, input, classes) = (&target.model, target.input, target.classes);
    // A network as it is trained: the one that a model file holds no longer says what training changes.
    let network = Network::new(model, input, classes, &Device::flex().autodiff());
    let tensors = parameters::list(&network)
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
        classes: target.known_classes(),
        layers: layer_rows(&target.nodes),
        tensors: tensors.collect(),
        parameters: parameters::trainable(&network),
        multiply_adds: network.work(input).forward,
    }
}

/// A line about the network, the table of its layers, and that of its tensors.
fn text(target: &Target, info: &Info) -> String {
    let mut tensors = Table::new(["tensor", "shape", "values", ""]).with_words([0, 1, 3]);
    for tensor in &info.tensors {
        let note = if tensor.trainable { "" } else { "statistics" };
        tensors.push([
            tensor.name.clone(),
            format!("{:?}", tensor.shape),
            tensor.values.to_string(),
            note.to_string(),
        ]);
    }
    let output = output_text(target.model.task(), target.classes, info.input);
    format!(
        "{}: {} -> {output}\n{} parameters, {} multiply-adds\n\n{}\n{}",
        info.model,
        info.input,
        info.parameters,
        info.multiply_adds,
        layer_table(&info.layers).text(),
        tensors.text()
    )
}
