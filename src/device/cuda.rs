//! NVIDIA's GPUs through CUDA.

#[cfg(feature = "cuda")]
pub use compiled::{list, open};
#[cfg(not(feature = "cuda"))]
pub use missing::{list, open};

#[cfg(feature = "cuda")]
mod compiled {
    use burn::tensor::{Device, DeviceType};

    use crate::device::adapter::{Adapter, memory_of};
    use crate::device::error::DeviceError;
    use crate::panics::catch_panic;

    const BACKEND: &str = "cuda";

    /// What NVIDIA's driver for Linux tells about itself.
    const DRIVER_FILE: &str = "/proc/driver/nvidia/version";

    /// The GPUs that the driver has. They are opened, as nothing else tells their names.
    ///
    /// # Errors
    /// There is no GPU, or no driver.
    pub fn list() -> Result<Vec<Adapter>, DeviceError> {
        let driver = std::fs::read_to_string(DRIVER_FILE).ok();
        let driver = driver.as_deref().and_then(driver_version);
        let described = |(index, device): (usize, Device)| Adapter {
            index,
            name: name(&device).unwrap_or_else(|| "a GPU that can't be opened".into()),
            interface: Some("CUDA".into()),
            driver: driver.clone(),
            memory_bytes: memory_of(&device),
        };
        Ok(find()?.into_iter().enumerate().map(described).collect())
    }

    /// Opens a GPU.
    ///
    /// # Errors
    /// There is no such GPU, or it can't be opened.
    pub fn open(index: usize) -> Result<Device, DeviceError> {
        let mut found = find()?;
        if index >= found.len() {
            return Err(DeviceError::NoSuchDevice {
                backend: BACKEND,
                index,
                count: found.len(),
            });
        }
        let device = found.swap_remove(index);
        match name(&device) {
            Some(_) => Ok(device),
            None => Err(DeviceError::Closed {
                backend: BACKEND,
                index,
                name: "NVIDIA".into(),
            }),
        }
    }

    fn find() -> Result<Vec<Device>, DeviceError> {
        // `Device::cuda` panics at the first operation when there is no driver, so ask first.
        let found = catch_panic(|| Device::enumerate(DeviceType::Cuda).into_vec());
        let problem = match found {
            Some(found) if !found.is_empty() => return Ok(found),
            Some(_) => "the driver has none, or there is no driver",
            None => "the driver failed to start",
        };
        Err(DeviceError::NoGpu {
            backend: BACKEND,
            problem: problem.into(),
            advice: "install NVIDIA's driver until `nvidia-smi` lists the GPU,",
        })
    }

    /// The name of a device, which is opened; `None` if it can't be.
    fn name(device: &Device) -> Option<String> {
        let identity = catch_panic(|| device.identity().map(|identity| identity.name));
        identity.flatten()
    }

    /// The version in the driver's file: the first word of its first line that is numbers and points.
    fn driver_version(text: &str) -> Option<String> {
        let mut words = text.lines().next()?.split_whitespace();
        let is_version = |word: &&str| {
            word.contains('.') && word.chars().all(|c| c.is_ascii_digit() || c == '.')
        };
        Some(format!("NVIDIA {}", words.find(is_version)?))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_version_of_the_driver_is_in_the_first_line_of_its_file() {
            let text = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12\nGCC version: gcc 12.2.0\n";
            assert_eq!(driver_version(text).unwrap(), "NVIDIA 535.183.01");
            assert_eq!(driver_version("GCC version: none"), None);
        }
    }
}

#[cfg(not(feature = "cuda"))]
mod missing {
    use burn::tensor::Device;

    use crate::device::adapter::Adapter;
    use crate::device::error::DeviceError;

    /// Nothing to list.
    ///
    /// # Errors
    /// Always: the backend is not compiled in.
    pub fn list() -> Result<Vec<Adapter>, DeviceError> {
        Err(DeviceError::NotCompiledIn("cuda"))
    }

    /// Nothing to open.
    ///
    /// # Errors
    /// Always: the backend is not compiled in.
    pub fn open(_index: usize) -> Result<Device, DeviceError> {
        Err(DeviceError::NotCompiledIn("cuda"))
    }
}
