//! The model file, read: weights as safetensors, with the model card in its metadata.
//!
//! The tensors have their parameter paths as names, in PyTorch's layout and naming (`weight` / `bias` / `running_mean`, fully
//! connected weights as `[out, in]`); the card is JSON under the metadata key `kiln`. Nothing random or dated is in it: same
//! weights, same bytes.

use std::path::Path;

use burn::prelude::*;
use burn::store::{
    FloatCastAdapter, ModuleAdapter, ModuleStore, PyTorchToBurnAdapter, SafetensorsStore,
};
use burn::tensor::DType;
use safetensors::SafeTensors;
use safetensors::tensor::Metadata;

use super::card::{CARD_KEY, ModelCard};
use super::classifier::Classifier;
use super::error::ModelError;
use crate::error::FileError;
use crate::files;
use crate::models::{MAX_MODEL_VALUES, Network};
use crate::weights::{limits, validate_finite};

/// Maximum bytes per weight.
const MAX_VALUE_BYTES: usize = 4;

/// Maximum length of a model file: the largest network that a config may describe, and the header.
const MAX_MODEL_BYTES: u64 = (MAX_VALUE_BYTES * MAX_MODEL_VALUES) as u64 + limits::MAX_HEADER_BYTES;

impl Classifier {
    /// Loads a `model.safetensors` that kiln wrote.
    pub fn load(path: &Path, device: &Device) -> Result<Self, ModelError> {
        let failed =
            |source| FileError::io(path, source).advise("train a run to its end, or use another");
        let mut file = files::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        // The header alone, before the rest is read: a file that is not a model may be of any size.
        limits::safetensors(&mut file, length)
            .and_then(|(header, _)| card_in(&header, length))
            .map_err(|problem| invalid(path, problem))?;
        drop(file);
        let bytes = files::read(path, length).map_err(failed)?;
        Self::from_bytes(bytes, path, device)
    }

    /// Like [`load`](Self::load), from memory; `name` is only for the error text.
    pub fn from_bytes(bytes: Vec<u8>, name: &Path, device: &Device) -> Result<Self, ModelError> {
        let card = read_card(&bytes).map_err(|problem| invalid(name, problem))?;
        // Burn draws fresh weights when they are first looked at: these never are.
        let mut network = Network::new(&card.model, card.input, card.classes.len(), device);
        let mut store = SafetensorsStore::from_bytes(Some(bytes))
            .with_from_adapter(PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32)))
            .skip_enum_variants(true)
            .map_indices_contiguous(false)
            .allow_partial(true)
            .validate(false);
        // Problems are described here: Burn's own texts have thirty lines.
        let mismatch = |problem: String| {
            invalid(
                name,
                format!("its tensors do not match the network in its metadata ({problem})"),
            )
        };
        let tensors = store
            .get_all_tensors()
            .map_err(|error| mismatch(error.to_string()))?;
        validate_finite(tensors.values()).map_err(|problem| invalid(name, problem))?;
        let result = store
            .apply_to(&mut network)
            .map_err(|error| mismatch(error.to_string()))?;
        if let Some(error) = result.errors.first() {
            return Err(mismatch(error.to_string()));
        }
        if let Some((missing, _)) = result.missing.first() {
            return Err(mismatch(format!("{missing} is missing")));
        }
        if let Some(unknown) = result.unused.first() {
            let problem = format!("it holds an unknown tensor {unknown}");
            return Err(invalid(name, problem));
        }
        Ok(Self::new(&network, card, device))
    }
}

/// A file that is not a model.
pub(super) fn invalid(path: &Path, problem: impl std::fmt::Display) -> ModelError {
    FileError::new(path, format!("not a model that kiln can load: {problem}")).into()
}

fn read_card(bytes: &[u8]) -> Result<ModelCard, String> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    card_in(&header, bytes.len() as u64)
}

/// The card in the header of a file of `file_bytes` bytes.
fn card_in(header: &Metadata, file_bytes: u64) -> Result<ModelCard, String> {
    if file_bytes > MAX_MODEL_BYTES {
        return Err(format!(
            "it has {file_bytes} bytes, more than the maximum of {MAX_MODEL_BYTES}"
        ));
    }
    let text = header
        .metadata()
        .as_ref()
        .and_then(|entries| entries.get(CARD_KEY))
        .ok_or("its metadata has no entry `kiln`")?;
    ModelCard::parse(text, file_bytes as usize)
}
