//! The network that a run, a model file or a config describes.

use std::path::Path;

use crate::cli::compute::ComputeArgs;
use crate::cli::failure::{Failure, UsageError};
use crate::cli::open;
use crate::config::{self, ConfigError, Experiment};
use crate::data;
use crate::error::Problem;
use crate::models::layer_list::Node;
use crate::models::{ModelConfig, Task};
use crate::progress::Monitor;
use crate::shape::ImageShape;

/// A network without its weights.
pub struct Target {
    /// Its settings.
    pub model: ModelConfig,
    /// The images that it takes.
    pub input: ImageShape,
    /// Number of classes; of no meaning for an autoencoder.
    pub classes: usize,
    /// Its layers.
    pub nodes: Vec<Node>,
}

impl Target {
    /// Reads a run directory, a model file, or a config with overrides.
    pub fn read(path: &Path, overrides: &[String]) -> Result<Self, Failure> {
        let is_model = |extension: &std::ffi::OsStr| extension == "safetensors";
        let is_run = path.is_dir() || path.extension().is_some_and(is_model);
        match overrides {
            [first, ..] if is_run => {
                let problem =
                    format!("--set {first}: a trained model can't change; use a config file");
                Err(UsageError(problem).into())
            }
            _ if is_run => {
                let opened = open::model(path, ComputeArgs::default())?;
                let card = opened.classifier.card();
                Self::new(
                    &opened.file,
                    card.model.clone(),
                    card.input,
                    card.classes.len(),
                )
            }
            overrides => {
                let experiment = config::load(path, overrides)?;
                let classes = classes(&experiment, path)?;
                Self::new(path, experiment.model, experiment.data.shape(), classes)
            }
        }
    }

    fn new(
        file: &Path,
        model: ModelConfig,
        input: ImageShape,
        classes: usize,
    ) -> Result<Self, Failure> {
        let nodes = model.nodes(input, classes).map_err(|problem| {
            let path = format!("model.{}", problem.path);
            ConfigError::of(file, Problem { path, ..problem })
        })?;
        Ok(Self {
            model,
            input,
            classes,
            nodes,
        })
    }

    /// The number of classes, if it is a classifier.
    pub fn known_classes(&self) -> Option<usize> {
        (self.model.task() == Task::Classify).then_some(self.classes)
    }
}

/// Number of classes: that of the config or, if it does not tell, that of the data. The network fits it.
fn classes(experiment: &Experiment, path: &Path) -> Result<usize, Failure> {
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
    let classes = source.classes().len();
    match config::class_problem(experiment, classes) {
        None => Ok(classes),
        Some(problem) => Err(ConfigError::of(path, problem).into()),
    }
}
