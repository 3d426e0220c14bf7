//! Weights of other programs, in and out: `.safetensors`, and what PyTorch's `torch.save` writes of a `state_dict` or a whole module
//! (`.pth`, `.pt`, `.bin`), with PyTorch's names and layouts.
//!
//! `formats` reads the tensors of a file, and `matching` finds those that a network wants.

#[cfg(feature = "app")]
mod error;
#[cfg(feature = "app")]
mod export;
mod finite;
#[cfg(feature = "app")]
mod formats;
pub mod limits;
#[cfg(feature = "app")]
mod load;
#[cfg(feature = "app")]
mod matching;

#[cfg(feature = "app")]
pub use error::{Place, WeightsError};
#[cfg(feature = "app")]
pub use export::{encode, save, save_described};
pub use finite::validate_finite;
#[cfg(feature = "app")]
pub use load::{Taken, load, load_renamed};
#[cfg(feature = "app")]
pub use matching::settings::Settings;
