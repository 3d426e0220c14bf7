//! Inference: a run, a single `model.safetensors` or an ONNX model becomes a classifier in memory that answers with probabilities.
//!
//! [`OpenedModel`] is what the subcommands open, once. [`ModelCard`] holds everything that turns an image file into the network's
//! input; `docs/models.md` describes the file.

mod card;
#[cfg(feature = "app")]
mod card_schema;
#[cfg(feature = "app")]
pub mod class_names;
mod classifier;
mod error;
mod heat;
#[cfg(feature = "app")]
mod import;
mod input;
mod model_file;
#[cfg(feature = "app")]
pub mod onnx;
#[cfg(feature = "app")]
mod opened;
pub mod plan;
mod prediction;
mod predictor;
#[cfg(feature = "app")]
mod saving;

pub use card::{CARD_KEY, ModelCard, PREPROCESSED_INSIDE, PREPROCESSING_KEY, UNCALIBRATED};
pub use classifier::{BATCH, Classifier};
pub use error::ModelError;
#[cfg(feature = "app")]
pub use import::{ClassNames, ImportError, Imported, import};
pub use input::to_input;
#[cfg(feature = "app")]
pub use opened::{OpenError, OpenedModel};
pub use prediction::{ClassGuess, Prediction};
pub use predictor::Predictor;
#[cfg(feature = "app")]
pub use saving::Precision;
