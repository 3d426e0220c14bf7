//! Layers that the networks share, on kiln's kernels where the device has them.
//!
//! A network asks [`Layout::of`] once and passes the answer to its layers: with the kernels images lie channels last,
//! elsewhere channels first.

mod batch_norm;
mod block;
mod connected;
mod convolution;
mod cost;
mod dropout;
mod layout;
#[cfg(target_arch = "wasm32")]
mod undrawn;

pub use batch_norm::{batch_norm, update_statistics};
pub use block::{Block, block_layers, too_many_halvings};
pub use connected::{connected, fully_connected, linear, unit_images, zero_bias};
pub use convolution::{conv3x3, convolve};
pub use cost::{LayerCost, Work};
pub use dropout::{dropout, is_active};
pub use layout::Layout;
