//! Opens devices, and lists them.

use burn::tensor::{DType, Device, FloatDType};

use super::adapter::{Adapter, BackendDevices};
use super::error::DeviceError;
use super::{cuda, wgpu};
use crate::config::Backend;

/// Opens the first device of a backend.
///
/// # Errors
/// As those of [`open_at`].
pub fn open(backend: Backend) -> Result<Device, DeviceError> {
    open_at(backend, None)
}

/// Opens a device of a backend by its number, from 0; without one, the first.
///
/// # Errors
/// The backend is not compiled in, or it has no such device, or the device can't be opened.
pub fn open_at(backend: Backend, index: Option<usize>) -> Result<Device, DeviceError> {
    let index = index.unwrap_or(0);
    match backend {
        Backend::Flex => alone(backend, index).map(|()| Device::flex()),
        Backend::Ndarray => {
            let device = ndarray()?;
            alone(backend, index).map(|()| device)
        }
        Backend::Wgpu | Backend::Vulkan => wgpu::open(backend, index),
        Backend::Cuda => cuda::open(index),
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

/// Checks every backend that kiln knows. GPUs are opened, as not all drivers tell their memory otherwise.
pub fn list() -> Vec<BackendDevices> {
    Backend::ALL
        .into_iter()
        .map(|backend| {
            let found = match backend {
                Backend::Flex => Ok(vec![Adapter::processor()]),
                Backend::Ndarray => ndarray().map(|_| vec![Adapter::processor()]),
                Backend::Wgpu | Backend::Vulkan => wgpu::list(backend),
                Backend::Cuda => cuda::list(),
            };
            let detail = match &found {
                Ok(devices) => devices.first().map(|device| device.name.clone()),
                Err(error) => Some(error.to_string()),
            };
            BackendDevices {
                backend,
                available: found.is_ok(),
                detail: detail.unwrap_or_default(),
                devices: found.unwrap_or_default(),
            }
        })
        .collect()
}

/// Whether a device computes while the program goes on ([`Backend::is_asynchronous`]).
#[cfg(any(feature = "wgpu", feature = "cuda"))]
pub fn is_asynchronous(device: &Device) -> bool {
    use burn::backend::DispatchDevice;

    matches!(
        device.as_dispatch().clone().inner(),
        DispatchDevice::Cube(_)
    )
}

/// Whether a device computes while the program goes on: none without a backend for GPUs.
#[cfg(not(any(feature = "wgpu", feature = "cuda")))]
pub fn is_asynchronous(_device: &Device) -> bool {
    false
}

/// A processor is one device.
fn alone(backend: Backend, index: usize) -> Result<(), DeviceError> {
    if index == 0 {
        return Ok(());
    }
    Err(DeviceError::NoSuchDevice {
        backend: backend.name(),
        index,
        count: 1,
    })
}

#[cfg(feature = "ndarray")]
#[allow(deprecated)] // Kept for comparison; upstream recommends flex, which is kiln's default.
fn ndarray() -> Result<Device, DeviceError> {
    Ok(Device::ndarray())
}

#[cfg(not(feature = "ndarray"))]
fn ndarray() -> Result<Device, DeviceError> {
    Err(DeviceError::NotCompiledIn("ndarray"))
}
