//! Devices: opens the Burn device of a backend, or reports in one line why it is unavailable.
//!
//! The only file that knows which backends are compiled in.

use burn::tensor::{DType, Device, FloatDType};

use crate::config::Backend;
use crate::error::{ErrorExit, ExitKind};

/// Version of Burn that kiln is built with, from `Cargo.lock`.
pub const BURN_VERSION: &str = env!("KILN_BURN_VERSION");

/// Why a backend cannot be used; the message includes the fix.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// kiln was built without the backend's feature.
    #[error(
        "backend {0} is not compiled in; build kiln with `cargo build --release --features {0}` or use --backend flex"
    )]
    NotCompiledIn(&'static str),
    /// No GPU was found.
    #[error(
        "backend wgpu found no GPU: {0}; install a Vulkan driver (on Debian: `apt-get install mesa-vulkan-drivers`) \
         or use --backend flex"
    )]
    NoGpu(String),
    /// Gradients are checked on flex only.
    #[error(
        "backend {0}: gradients are checked in 64-bit floats, which only flex supports; use --set backend=flex"
    )]
    NoDoubles(&'static str),
    /// The float type can be set only before the first tensor.
    #[error("64-bit floats: the float type is already set in this process; start a new one")]
    TooLate,
}

impl ErrorExit for DeviceError {
    fn exit_kind(&self) -> ExitKind {
        ExitKind::Usage
    }
}

/// A backend and its device, for `kiln devices`.
#[derive(Debug, Clone, serde::Serialize)]
pub struct DeviceInfo {
    /// The backend.
    pub backend: Backend,
    /// Whether it can be used now.
    pub available: bool,
    /// Name of the hardware, or why it cannot be used and the fix.
    pub detail: String,
}

/// Opens the device of a backend.
pub fn open(backend: Backend) -> Result<Device, DeviceError> {
    match backend {
        Backend::Flex => Ok(Device::flex()),
        Backend::Ndarray => open_ndarray(),
        Backend::Wgpu => open_wgpu().map(|(device, _)| device),
    }
}

/// Opens the device of a backend with 64-bit floats as the default type of tensors, for the whole process. Must be called before
/// the first tensor.
pub fn open_in_doubles(backend: Backend) -> Result<Device, DeviceError> {
    if backend != Backend::Flex {
        return Err(DeviceError::NoDoubles(backend.name()));
    }
    let mut device = open(backend)?;
    // Fails if it is set already, which is fine if it is set to this.
    let _ = device.configure(FloatDType::F64);
    match DType::from(device.settings().float_dtype) {
        DType::F64 => Ok(device),
        _ => Err(DeviceError::TooLate),
    }
}

/// Checks every backend that kiln knows.
pub fn list() -> Vec<DeviceInfo> {
    Backend::ALL
        .into_iter()
        .map(|backend| {
            let found = match backend {
                Backend::Flex => Ok(cpu_name()),
                Backend::Ndarray => open_ndarray().map(|_| cpu_name()),
                Backend::Wgpu => open_wgpu().map(|(_, name)| name),
            };
            DeviceInfo {
                backend,
                available: found.is_ok(),
                detail: found.unwrap_or_else(|error| error.to_string()),
            }
        })
        .collect()
}

fn cpu_name() -> String {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!("CPU, {threads} threads")
}

#[cfg(feature = "ndarray")]
#[allow(deprecated)] // Kept for comparison; upstream recommends flex, which is kiln's default.
fn open_ndarray() -> Result<Device, DeviceError> {
    Ok(Device::ndarray())
}

#[cfg(not(feature = "ndarray"))]
fn open_ndarray() -> Result<Device, DeviceError> {
    Err(DeviceError::NotCompiledIn("ndarray"))
}

#[cfg(feature = "wgpu")]
fn open_wgpu() -> Result<(Device, String), DeviceError> {
    use burn::tensor::DeviceType;

    use crate::panics::catch_panic;

    // `Device::wgpu` is lazy and panics at the first operation when there is no adapter, so ask first. Drivers that
    // exist but are broken panic inside: that counts as "no GPU" as well.
    let devices = catch_panic(|| Device::enumerate(DeviceType::Wgpu).into_vec())
        .ok_or_else(|| DeviceError::NoGpu("the graphics driver failed to start".into()))?;
    let device = devices
        .into_iter()
        .next()
        .ok_or_else(|| DeviceError::NoGpu("no adapter found".into()))?;
    let name = catch_panic(|| device.identity().map(|identity| identity.name.clone()))
        .flatten()
        .map_or_else(|| "unknown GPU".to_string(), |name| name.to_string());
    Ok((device, name))
}

#[cfg(not(feature = "wgpu"))]
fn open_wgpu() -> Result<(Device, String), DeviceError> {
    Err(DeviceError::NotCompiledIn("wgpu"))
}
