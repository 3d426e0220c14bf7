//! The model file, written, and the card that describes what was trained: [`model_file`](super::model_file) says what is in it.

use std::path::Path;

use burn::store::{
    BurnToPyTorchAdapter, HalfPrecisionAdapter, ModuleAdapter, ModuleSnapshot, SafetensorsStore,
};

use super::card::{CARD_KEY, ModelCard, UNCALIBRATED};
use super::classifier::Classifier;
use super::error::ModelError;
use super::model_file::invalid;
use crate::data::DataConfig;
use crate::files;
use crate::models::ModelConfig;

/// How finely a file holds the weights of layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits, as they are computed with.
    Single,
    /// 16 bits (IEEE 754 binary16), for half the file; reading widens them. Batch norm keeps 32 bits: variances may be too
    /// small for 16.
    Half,
}

impl ModelCard {
    /// The card of an uncalibrated network that takes samples as `data` prepares them.
    pub fn new(model: ModelConfig, data: &DataConfig, classes: Vec<String>) -> Self {
        Self {
            model,
            input: data.shape(),
            normalize: data.normalize().cloned(),
            classes,
            temperature: UNCALIBRATED,
            view: data.view(),
        }
    }
}

impl Classifier {
    /// Writes the model file, as [`Precision::Single`].
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        self.save_as(path, Precision::Single)
    }

    /// Writes the model file.
    pub fn save_as(&self, path: &Path, precision: Precision) -> Result<(), ModelError> {
        let bytes = to_bytes(self, path, precision)?;
        Ok(files::write(path, &bytes)?)
    }

    /// The classifier as loaded from a file with 16-bit weights.
    pub fn rounded(&self) -> Result<Self, ModelError> {
        let name = Path::new("the model in memory");
        let bytes = to_bytes(self, name, Precision::Half)?;
        Self::from_bytes(bytes, name, self.device())
    }
}

/// The content of a model file; `name` is only for the error text.
fn to_bytes(
    classifier: &Classifier,
    name: &Path,
    precision: Precision,
) -> Result<Vec<u8>, ModelError> {
    let card = serde_json::to_string(classifier.card()).map_err(|error| invalid(name, error))?;
    // One metadata key only: the container writes several in random order.
    let mut store = SafetensorsStore::from_bytes(None)
        .skip_enum_variants(true)
        .clear_metadata()
        .metadata(CARD_KEY, card);
    store = match precision {
        Precision::Single => store.with_to_adapter(BurnToPyTorchAdapter),
        Precision::Half => {
            store.with_to_adapter(BurnToPyTorchAdapter.chain(HalfPrecisionAdapter::new()))
        }
    };
    classifier
        .network()
        .save_into(&mut store)
        .map_err(|error| invalid(name, error))?;
    store.get_bytes().map_err(|error| invalid(name, error))
}
