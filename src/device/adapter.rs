//! What is known about a device before it computes.

use serde::Serialize;

use crate::config::Backend;

/// A device of a backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Adapter {
    /// Its number among the backend's devices, from 0: `--device`.
    pub index: usize,
    /// The name that the hardware or its driver gives.
    pub name: String,
    /// The interface that it is reached through, such as `Vulkan`; none for processors.
    pub interface: Option<String>,
    /// Name and version of the driver, where it is known.
    pub driver: Option<String>,
    /// Bytes of memory that its driver offers, where it is known; for a processor, and what computes on one, memory of the machine.
    pub memory_bytes: Option<u64>,
}

impl Adapter {
    /// The processor as a device.
    pub fn processor() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            index: 0,
            name: format!("CPU, {threads} threads"),
            interface: None,
            driver: None,
            memory_bytes: None,
        }
    }
}

/// A backend and its devices, for `kiln devices`.
#[derive(Debug, Clone, Serialize)]
pub struct BackendDevices {
    /// The backend.
    pub backend: Backend,
    /// Whether it can be used now.
    pub available: bool,
    /// Name of the first device, or why the backend cannot be used and the fix.
    pub detail: String,
    /// All of its devices; empty if it cannot be used.
    pub devices: Vec<Adapter>,
}

/// Bytes of memory of a GPU, which is opened; `None` if it can't be, or its driver does not tell.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
pub fn memory_of(device: &burn::tensor::Device) -> Option<u64> {
    use burn::backend::DispatchDevice;

    let told = crate::panics::catch_panic(|| match device.as_dispatch() {
        DispatchDevice::Cube(device) => device.client().properties().memory.max_memory(),
        _ => None,
    });
    told.flatten()
}
