//! Inference: a `model.safetensors` becomes a classifier in memory that answers with probabilities.
//!
//! A kiln model is one file: the weights under their parameter paths in PyTorch's layout and naming
//! (`weight` / `bias` / `running_mean`, fully connected weights as `[out, in]`), and a description of the network in
//! the file's metadata under the key `kiln`. Nothing random or dated is in it: same weights, same bytes.

use std::path::{Path, PathBuf};

use burn::prelude::*;
use burn::store::{
    BurnToPyTorchAdapter, FloatCastAdapter, HalfPrecisionAdapter, ModuleAdapter, ModuleSnapshot,
    ModuleStore, PyTorchToBurnAdapter, SafetensorsStore,
};
use burn::tensor::DType;
use burn::tensor::activation::softmax;
use safetensors::SafeTensors;
use safetensors::tensor::Metadata;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::schema;
use crate::data::NormalizeConfig;
use crate::error::one_line;
use crate::error::{ErrorExit, FileError};
use crate::files;
use crate::models::{MAX_MODEL_VALUES, ModelConfig, Network, Task};
use crate::shape::ImageShape;
use crate::weights::{self, claims};

/// Images that are classified at once: enough to keep all cores busy, little memory.
pub const BATCH: usize = 256;

/// The metadata key of the description.
const METADATA_KEY: &str = "kiln";

/// Bytes of a weight, at least and at most: those of layers may be numbers of 16 bits.
const LEAST_VALUE_BYTES: usize = 2;
const MOST_VALUE_BYTES: usize = 4;

/// How finely a file holds the weights of layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits, as they are computed with.
    Single,
    /// 16 bits (IEEE 754 binary16), for half the file; reading widens them. Batch norm keeps 32 bits: variances may be too
    /// small for 16.
    Half,
}

/// Longest model file: the largest network that a config may describe, and the header.
const MAX_MODEL_BYTES: u64 =
    (MOST_VALUE_BYTES * MAX_MODEL_VALUES) as u64 + claims::MAX_HEADER_BYTES;

/// Why a model file gave no classifier.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file can't be read.
    #[error("{}: {source}; train a run to its end, or name another", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a kiln model.
    #[error("{}: not a model that kiln can load: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The file can't be written.
    #[error(transparent)]
    Write(#[from] FileError),
    /// The device failed.
    #[error("the device failed: {0}")]
    Device(String),
}

impl ErrorExit for ModelError {}

/// What a model file says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// The network.
    pub model: ModelConfig,
    /// Shape of one input image.
    pub input: ImageShape,
    /// How inputs are normalised; null is not at all.
    pub normalize: Option<NormalizeConfig>,
    /// Class names in the order of the logits.
    pub classes: Vec<String>,
    /// What a classifier's logits are divided by before they become probabilities; 1 if it was never calibrated.
    #[serde(default = "uncalibrated", skip_serializing_if = "is_uncalibrated")]
    pub temperature: f64,
}

/// The temperature that changes nothing.
pub fn uncalibrated() -> f64 {
    1.0
}

fn is_uncalibrated(temperature: &f64) -> bool {
    *temperature == uncalibrated()
}

/// Turns values in [0, 1] into the network's input `[count, channels, height, width]` on `device`.
///
/// `pixels` holds `count` images one after the other.
pub fn to_input(
    pixels: Vec<f32>,
    count: usize,
    shape: ImageShape,
    normalize: Option<&NormalizeConfig>,
    device: &Device,
) -> Tensor<4> {
    let dims = [count, shape.channels, shape.height, shape.width];
    let images = Tensor::<4>::from_data(TensorData::new(pixels, dims), device);
    match normalize {
        None => images,
        Some(normalize) => {
            let mean = per_channel(&normalize.mean, device);
            let std = per_channel(&normalize.std, device);
            (images - mean) / std
        }
    }
}

/// `[1, channels, 1, 1]`, or `[1, 1, 1, 1]` where one value serves all channels.
fn per_channel(values: &[f32], device: &Device) -> Tensor<4> {
    let dims = [1, values.len(), 1, 1];
    Tensor::from_data(TensorData::new(values.to_vec(), dims), device)
}

/// A network with its weights, ready to answer.
pub struct Classifier {
    network: Network,
    card: ModelCard,
    device: Device,
}

impl Classifier {
    /// Takes a trained network; dropout and batch statistics are switched to inference.
    pub fn new(network: &Network, card: ModelCard, device: &Device) -> Self {
        Self {
            network: network.valid(),
            card,
            device: device.clone().inner(),
        }
    }

    /// Loads a `model.safetensors` that kiln wrote.
    pub fn load(path: &Path, device: &Device) -> Result<Self, ModelError> {
        let failed = |source| ModelError::Io {
            path: path.to_path_buf(),
            source,
        };
        let mut file = std::fs::File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        // The header alone, before the rest is read: what is no model of kiln's may be of any size.
        claims::safetensors(&mut file, length)
            .and_then(|header| card_in(&header, length))
            .map_err(|problem| ModelError::Format {
                path: path.to_path_buf(),
                problem: one_line(problem),
            })?;
        drop(file);
        let bytes = files::read(path, length).map_err(failed)?;
        Self::from_bytes(bytes, path, device)
    }

    /// Like [`load`](Self::load), from memory; `name` is only for the error text.
    pub fn from_bytes(bytes: Vec<u8>, name: &Path, device: &Device) -> Result<Self, ModelError> {
        let format_error = |problem: String| ModelError::Format {
            path: name.to_path_buf(),
            problem: one_line(problem),
        };
        let card = read_card(&bytes).map_err(&format_error)?;
        // Burn draws fresh weights when they are first looked at: these never are.
        let mut network = Network::new(&card.model, card.input, card.classes.len(), device);
        let mut store = SafetensorsStore::from_bytes(Some(bytes))
            .with_from_adapter(PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32)))
            .skip_enum_variants(true)
            .map_indices_contiguous(false)
            .allow_partial(true)
            .validate(false);
        // What does not fit is told here: Burn's own texts have thirty lines.
        let misfit = |problem: String| {
            format_error(format!(
                "its tensors are not those of the network that it describes ({problem})"
            ))
        };
        let tensors = store
            .get_all_tensors()
            .map_err(|error| misfit(error.to_string()))?;
        weights::check_finite(tensors.values()).map_err(&format_error)?;
        let result = store
            .apply_to(&mut network)
            .map_err(|error| misfit(error.to_string()))?;
        if let Some(error) = result.errors.first() {
            return Err(misfit(error.to_string()));
        }
        if let Some((name, _)) = result.missing.first() {
            return Err(misfit(format!("{name} is missing")));
        }
        if let Some(name) = result.unused.first() {
            return Err(format_error(format!("it holds an unknown tensor {name}")));
        }
        Ok(Self::new(&network, card, device))
    }

    /// Writes the model file, as [`Precision::Single`].
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        self.save_as(path, Precision::Single)
    }

    /// Writes the model file.
    pub fn save_as(&self, path: &Path, precision: Precision) -> Result<(), ModelError> {
        Ok(files::write(path, &self.to_bytes(path, precision)?)?)
    }

    /// The same classifier with the weights that are left of its own in a file of 16 bits.
    pub fn rounded(&self) -> Result<Self, ModelError> {
        let name = Path::new("the model in memory");
        Self::from_bytes(self.to_bytes(name, Precision::Half)?, name, &self.device)
    }

    /// The same classifier with probabilities of another temperature.
    pub fn with_temperature(mut self, temperature: f64) -> Self {
        self.card.temperature = temperature;
        self
    }

    /// The content of a model file; `name` is only for the error text.
    fn to_bytes(&self, name: &Path, precision: Precision) -> Result<Vec<u8>, ModelError> {
        let format_error = |problem: String| ModelError::Format {
            path: name.to_path_buf(),
            problem,
        };
        let card = serde_json::to_string(&self.card).map_err(|e| format_error(e.to_string()))?;
        // One metadata key only: the container writes several in random order.
        let mut store = SafetensorsStore::from_bytes(None)
            .skip_enum_variants(true)
            .clear_metadata()
            .metadata(METADATA_KEY, card);
        store = match precision {
            Precision::Single => store.with_to_adapter(BurnToPyTorchAdapter),
            Precision::Half => {
                store.with_to_adapter(BurnToPyTorchAdapter.chain(HalfPrecisionAdapter::new()))
            }
        };
        self.network
            .save_into(&mut store)
            .map_err(|error| format_error(error.to_string()))?;
        store
            .get_bytes()
            .map_err(|error| format_error(error.to_string()))
    }

    /// What the model file says about itself.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What the network was trained to do.
    pub fn task(&self) -> Task {
        self.card.model.task()
    }

    /// What the network makes of `count` images in [0, 1]: logits `[count][classes]`, or images `[count][values]` in [0, 1].
    pub fn outputs(&self, pixels: Vec<f32>, count: usize) -> Result<Vec<Vec<f32>>, ModelError> {
        self.answer(pixels, count, |output| output)
    }

    /// A classifier's probabilities of `count` images in [0, 1], `[count][classes]`, at its temperature; each row adds up to 1.
    pub fn probabilities(
        &self,
        pixels: Vec<f32>,
        count: usize,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let temperature = self.card.temperature;
        self.answer(pixels, count, |logits| {
            match is_uncalibrated(&temperature) {
                true => softmax(logits, 1),
                false => softmax(logits / temperature, 1),
            }
        })
    }

    fn answer(
        &self,
        pixels: Vec<f32>,
        count: usize,
        finish: impl Fn(Tensor<2>) -> Tensor<2>,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let values = self.card.input.values();
        let mut rows = Vec::with_capacity(count);
        for chunk in pixels.chunks(BATCH * values) {
            let input = to_input(
                chunk.to_vec(),
                chunk.len() / values,
                self.card.input,
                self.card.normalize.as_ref(),
                &self.device,
            );
            let output = finish(self.network.forward(input));
            let [_, width] = output.dims();
            let flat: Vec<f32> = output
                .try_into_data()
                .map_err(|error| ModelError::Device(error.to_string()))?
                .iter::<f32>()
                .collect();
            rows.extend(flat.chunks(width.max(1)).map(<[f32]>::to_vec));
        }
        Ok(rows)
    }
}

fn read_card(bytes: &[u8]) -> Result<ModelCard, String> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    card_in(&header, bytes.len() as u64)
}

/// The description in the header of a file of so many bytes.
fn card_in(header: &Metadata, file_bytes: u64) -> Result<ModelCard, String> {
    if file_bytes > MAX_MODEL_BYTES {
        return Err(format!(
            "it has {file_bytes} bytes, more than the {MAX_MODEL_BYTES} of the largest network"
        ));
    }
    let text = header
        .metadata()
        .as_ref()
        .and_then(|entries| entries.get(METADATA_KEY))
        .ok_or("its metadata has no entry `kiln`")?;
    let value: Value = serde_json::from_str(text)
        .map_err(|error| format!("its entry `kiln` can't be understood: {error}"))?;
    let part = |key: &str| value.get(key).cloned().unwrap_or_default();
    let mut problems = schema::problems(&schema::of::<ModelConfig>(), &part("model"));
    if !part("normalize").is_null() {
        let found = part("normalize");
        problems.extend(schema::problems(&schema::of::<NormalizeConfig>(), &found));
    }
    if let Some(problem) = problems.first() {
        return Err(format!(
            "its entry `kiln`: {}: {}",
            problem.path, problem.message
        ));
    }
    let card: ModelCard = serde_json::from_value(value)
        .map_err(|error| format!("its entry `kiln` can't be understood: {error}"))?;
    check_card(&card, file_bytes as usize)?;
    Ok(card)
}

/// The rules between the parts of a description, and against the size of the file: a damaged one must not make kiln
/// allocate more than the file can fill.
fn check_card(card: &ModelCard, file_bytes: usize) -> Result<(), String> {
    let (input, classes) = (card.input, card.classes.len());
    let least = match card.model.task() {
        Task::Classify => 2,
        Task::Reconstruct => 1,
    };
    if classes < least || ![1, 3].contains(&input.channels) {
        return Err(format!(
            "it describes {classes} classes and {} channels",
            input.channels
        ));
    }
    if let Some(problem) = card.model.problems(input).into_iter().next() {
        return Err(problem.message);
    }
    if !(card.temperature.is_finite() && card.temperature > 0.0) {
        return Err(format!(
            "its temperature is {}; it must be above 0",
            card.temperature
        ));
    }
    if let Some(normalize) = &card.normalize
        && normalize.mismatch(input.channels).is_some()
    {
        return Err("its normalization does not fit its channels".into());
    }
    match card.model.values(input, classes) {
        Some(values) if values <= file_bytes / LEAST_VALUE_BYTES => Ok(()),
        _ => Err("it describes a network larger than the file".into()),
    }
}
