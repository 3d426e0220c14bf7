//! Weights of other programs, in and out: `.safetensors`, and what PyTorch's `torch.save` writes of a `state_dict` (`.pth`, `.pt`,
//! `.bin`), with PyTorch's names and layouts.

mod export;
mod finite;
pub mod limits;
mod load;
mod pickle;
mod read;

pub use export::save;
pub use finite::validate_finite;
pub use load::{Taken, load};
