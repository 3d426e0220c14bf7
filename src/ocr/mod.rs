//! Reading: a photograph and a classifier become a page of text.
//!
//! Comes in: an upright image and a [`Classifier`](crate::inference::Classifier) of single characters. Goes out: a
//! [`Page`] of lines, words and letters, each with its box and confidence; [`formats`] turns pages into files that
//! people and other programs take, [`expect`] is the truth to hold them against. Form and neighbours decide together:
//! `lattice` scores what may be letters by form, [`context`] by what stands beside them, each as much as [`scoring`] says;
//! [`alphabet`] says which characters there may be. Nothing here prints, and only word lists are read from files.

pub mod alphabet;
pub mod context;
pub mod expect;
pub mod formats;
mod lattice;
pub mod page;
pub mod reader;
pub mod scoring;

use std::path::Path;

use burn::tensor::Device;

use crate::inference::{Classifier, ModelError};

pub use alphabet::Alphabet;
pub use context::Context;
pub use page::{Guess, Letter, Line, Page, Word};
pub use reader::{Options, ReadError, Reading, check, read, read_with};

/// The model that kiln ships: `artifacts/ocr`, see its MODEL_CARD.md. Part of the binary, so that reading needs no file.
static SHIPPED: &[u8] = include_bytes!("../../artifacts/ocr/model.safetensors");

/// Loads the model that kiln ships.
pub fn shipped_model(device: &Device) -> Result<Classifier, ModelError> {
    let name = Path::new("artifacts/ocr/model.safetensors");
    Classifier::from_bytes(SHIPPED.to_vec(), name, device)
}
