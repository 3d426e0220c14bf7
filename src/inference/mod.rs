//! Inference: a run, or a single `model.safetensors`, becomes a classifier in memory that answers with probabilities.
//!
//! [`OpenedModel`] is what the subcommands open, once. [`ModelCard`] holds everything that turns an image file into the network's
//! input; `docs/models.md` describes the file.

mod card;
mod classifier;
mod error;
mod import;
mod input;
mod model_file;
mod opened;

pub use card::{ModelCard, UNCALIBRATED};
pub use classifier::{BATCH, Classifier};
pub use error::ModelError;
pub use import::{ClassNames, ImportError, Imported, import};
pub use input::to_input;
pub use model_file::Precision;
pub use opened::{OpenError, OpenedModel};
