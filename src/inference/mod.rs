//! Inference: a run, a single `model.safetensors` or an ONNX model becomes a classifier in memory that answers with probabilities.
//!
//! [`OpenedModel`] is what the subcommands open, once. [`ModelCard`] holds everything that turns an image file into the network's
//! input; `docs/models.md` describes the file.

mod card;
pub mod class_names;
mod classifier;
mod error;
mod heat;
mod import;
mod input;
mod model_file;
pub mod onnx;
mod opened;
mod prediction;
mod predictor;

pub use card::{CARD_KEY, ModelCard, PREPROCESSED_INSIDE, PREPROCESSING_KEY, UNCALIBRATED};
pub use classifier::{BATCH, Classifier};
pub use error::ModelError;
pub use import::{ClassNames, ImportError, Imported, import};
pub use input::to_input;
pub use model_file::Precision;
pub use opened::{OpenError, OpenedModel};
pub use prediction::{ClassGuess, Prediction};
pub use predictor::Predictor;
