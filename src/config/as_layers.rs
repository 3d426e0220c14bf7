//! The network of a config as a list of layers, to start an own one from.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::experiment::Experiment;
use crate::error::Problem;
use crate::models::Task;
use crate::models::layer_list::LayerConfig;

/// The `model` section that describes the same network, with the same names of its parameters, layer by layer: JSON with one
/// layer a line. Only for classifiers.
pub fn model_as_layers(experiment: &Experiment) -> Result<String, Problem> {
    let model = &experiment.model;
    if model.task() != Task::Classify {
        let problem = format!(
            "{} is not a classifier; `layers` describes only those",
            model.kind()
        );
        return Err(Problem::new("model.kind", problem));
    }
    let layers = model.layers(experiment.data.shape());
    let lines: Vec<String> = layers
        .iter()
        .map(|layer| format!("    {}", written(layer)))
        .collect();
    Ok(format!(
        "{{\n  \"kind\": \"layers\",\n  \"layers\": [\n{}\n  ]\n}}\n",
        lines.join(",\n")
    ))
}

/// A layer on one line; as its kind alone where nothing else is to say.
fn written(layer: &LayerConfig) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Spaced);
    // Writing to memory does not fail, and every layer is JSON.
    if layer.serialize(&mut serializer).is_err() {
        return String::new();
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let alone = text
        .strip_prefix("{\"kind\": ")
        .and_then(|rest| rest.strip_suffix('}'));
    match alone {
        Some(kind) if !kind.contains(',') => kind.to_string(),
        _ => text,
    }
}

/// One line with spaces after colons and commas.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { to.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { to.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }
}
