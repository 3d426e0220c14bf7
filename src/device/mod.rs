//! Devices: opens the Burn device of a backend, or reports in one line why it is unavailable.
//!
//! The only module that knows which backends are compiled in. A device is one of a backend's, counted from 0; the files
//! `wgpu` and `cuda` find the GPUs behind Burn's two families of GPU backends without opening them.

mod adapter;
mod cuda;
mod error;
mod open;
mod wgpu;

pub use adapter::{Adapter, BackendDevices};
pub use error::DeviceError;
pub use open::{is_asynchronous, list, open, open_at, open_in_doubles};

/// Version of Burn that kiln is built with, from `Cargo.lock`.
pub const BURN_VERSION: &str = env!("KILN_BURN_VERSION");
