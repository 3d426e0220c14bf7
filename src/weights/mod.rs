//! Weights of other programs, in and out: `.safetensors`, and what PyTorch's `torch.save` writes of a `state_dict` or a whole module
//! (`.pth`, `.pt`, `.bin`), with PyTorch's names and layouts.
//!
//! `formats` reads the tensors of a file, and `matching` finds those that a network wants.

mod error;
mod export;
mod finite;
mod formats;
pub mod limits;
mod load;
mod matching;

pub use error::{Place, WeightsError};
pub use export::{encode, save, save_described};
pub use finite::validate_finite;
pub use load::{Taken, load, load_renamed};
pub use matching::settings::Settings;
