//! GPUs through the crate wgpu: on whatever graphics interface the system has (`wgpu`), or on Vulkan alone (`vulkan`).

#[cfg(feature = "wgpu")]
pub use compiled::{list, open};
#[cfg(not(feature = "wgpu"))]
pub use missing::{list, open};

#[cfg(feature = "wgpu")]
mod compiled {
    use burn::backend::{AutoGraphicsApi, WgpuBackend, WgpuDevice, WgpuDeviceKind};
    use burn::tensor::Device;
    use burn::tensor::wgpu::wgpu;

    use crate::config::Backend;
    use crate::device::adapter::{Adapter, memory_of};
    use crate::device::error::DeviceError;
    use crate::panics::catch_panic;

    /// What is usually missing where no GPU answers.
    const ADVICE: &str =
        "install a Vulkan driver (on Debian: `apt-get install mesa-vulkan-drivers`)";

    /// The oldest Mesa whose software Vulkan was seen to compile Burn's SPIR-V; 22.3 crashes, and takes the process with it.
    const MESA: u32 = 25;

    /// What to do about an older one.
    const ADVICE_ON_MESA: &str =
        "install a GPU's driver or Mesa 25, or build kiln with `--features wgpu` alone,";

    /// The GPUs of a backend, the best kind first.
    ///
    /// # Errors
    /// The backend is not compiled in, or finds none.
    pub fn list(backend: Backend) -> Result<Vec<Adapter>, DeviceError> {
        let found = find(backend)?;
        let adapters = found.into_iter().map(|(adapter, device)| Adapter {
            // Only Burn's Vulkan compiler asks for it.
            memory_bytes: memory_of(&Device::new(device)),
            ..adapter
        });
        Ok(adapters.collect())
    }

    /// Opens a GPU of a backend.
    ///
    /// # Errors
    /// The backend is not compiled in, has no such GPU, or its driver refuses.
    pub fn open(backend: Backend, index: usize) -> Result<Device, DeviceError> {
        let mut found = find(backend)?;
        if index >= found.len() {
            return Err(DeviceError::NoSuchDevice {
                backend: backend.name(),
                index,
                count: found.len(),
            });
        }
        let (adapter, device) = found.swap_remove(index);
        let device = Device::new(device);
        // Burn opens a device at the first operation, and panics if it can't.
        match catch_panic(|| device.identity().is_some()) {
            Some(_) => Ok(device),
            None => Err(DeviceError::Closed {
                backend: backend.name(),
                index,
                name: adapter.name,
            }),
        }
    }

    fn find(backend: Backend) -> Result<Vec<(Adapter, WgpuDevice)>, DeviceError> {
        if backend == Backend::Vulkan && cfg!(not(feature = "vulkan")) {
            return Err(DeviceError::NotCompiledIn(backend.name()));
        }
        let none = |problem: &str, advice: &'static str| DeviceError::NoGpu {
            backend: backend.name(),
            problem: problem.into(),
            advice,
        };
        // Drivers that exist but are broken panic inside.
        let mut adapters = catch_panic(|| infos(backend))
            .ok_or_else(|| none("the graphics driver failed to start", ADVICE))?;
        if adapters.is_empty() {
            return Err(none("no adapter found", ADVICE));
        }
        if cfg!(feature = "vulkan") {
            adapters.retain(|info| !crashes_on_spirv(&info.driver, &info.driver_info));
        }
        if adapters.is_empty() {
            let problem = "only Mesa's software Vulkan, too old for Burn's SPIR-V shaders";
            return Err(none(problem, ADVICE_ON_MESA));
        }
        Ok(numbered(backend, adapters))
    }

    /// Whether a driver, by its name and version (`llvmpipe`, `Mesa 22.3.6 (LLVM 15.0.6)`), is a software Vulkan older than [`MESA`].
    fn crashes_on_spirv(driver: &str, version: &str) -> bool {
        let number = version.strip_prefix("Mesa ");
        let major = number.and_then(|number| number.split('.').next()?.parse::<u32>().ok());
        driver == "llvmpipe" && major.is_some_and(|major| major < MESA)
    }

    /// The adapters that Burn finds for a backend: those on the first interface that has a GPU, or else on the first that has anything
    /// (as cubecl-wgpu 0.11 does, `runtime.rs`).
    fn infos(backend: Backend) -> Vec<wgpu::AdapterInfo> {
        let interfaces = match backend {
            Backend::Vulkan => vec![wgpu::Backend::Vulkan],
            _ => AutoGraphicsApi::chain(),
        };
        let mut in_software = Vec::new();
        for interface in interfaces {
            let found = infos_of(interface);
            if found
                .iter()
                .any(|info| info.device_type != wgpu::DeviceType::Cpu)
            {
                return found;
            }
            if in_software.is_empty() {
                in_software = found;
            }
        }
        in_software
    }

    fn infos_of(interface: wgpu::Backend) -> Vec<wgpu::AdapterInfo> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: interface.into(),
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        });
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else {
            return Vec::new();
        };
        let adapters = runtime.block_on(instance.enumerate_adapters(interface.into()));
        let infos = adapters.iter().map(wgpu::Adapter::get_info).collect();
        // Never dropped: the Vulkan loader crashes when instances come and go on several threads.
        std::mem::forget(instance);
        infos
    }

    /// Adapters as devices, the best kind first. Burn counts each kind on its own, and knows one that computes in software.
    fn numbered(backend: Backend, infos: Vec<wgpu::AdapterInfo>) -> Vec<(Adapter, WgpuDevice)> {
        let kinds: [(wgpu::DeviceType, fn(usize) -> WgpuDeviceKind); 5] = [
            (wgpu::DeviceType::DiscreteGpu, WgpuDeviceKind::DiscreteGpu),
            (
                wgpu::DeviceType::IntegratedGpu,
                WgpuDeviceKind::IntegratedGpu,
            ),
            (wgpu::DeviceType::VirtualGpu, WgpuDeviceKind::VirtualGpu),
            (wgpu::DeviceType::Other, WgpuDeviceKind::Other),
            (wgpu::DeviceType::Cpu, |_| WgpuDeviceKind::Cpu),
        ];
        let api = match backend {
            Backend::Vulkan => WgpuBackend::Vulkan,
            _ => WgpuBackend::Auto,
        };
        let mut found = Vec::new();
        for (kind, device) in kinds {
            let infos = infos.iter().filter(|info| info.device_type == kind);
            let most = if kind == wgpu::DeviceType::Cpu {
                1
            } else {
                usize::MAX
            };
            for (number, info) in infos.take(most).enumerate() {
                let adapter = described(found.len(), info);
                found.push((adapter, WgpuDevice::new(device(number)).on(api)));
            }
        }
        found
    }

    fn described(index: usize, info: &wgpu::AdapterInfo) -> Adapter {
        let software = match info.device_type {
            wgpu::DeviceType::Cpu => ", in software",
            _ => "",
        };
        let driver = [info.driver.trim(), info.driver_info.trim()].join(" ");
        let driver = driver.trim();
        Adapter {
            index,
            name: format!("{}{software}", info.name.trim()),
            interface: Some(format!("{:?}", info.backend)),
            driver: (!driver.is_empty()).then(|| driver.to_string()),
            memory_bytes: None,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn only_an_old_software_vulkan_is_left_out() {
            assert!(crashes_on_spirv("llvmpipe", "Mesa 22.3.6 (LLVM 15.0.6)"));
            for (driver, version) in [
                ("llvmpipe", "Mesa 25.0.7-2~bpo12+1 (LLVM 15.0.6)"),
                ("llvmpipe", "unknown"),
                ("radv", "Mesa 22.3.6"),
                ("NVIDIA", "535.183.01"),
            ] {
                assert!(!crashes_on_spirv(driver, version), "{driver} {version}");
            }
        }
    }
}

#[cfg(not(feature = "wgpu"))]
mod missing {
    use burn::tensor::Device;

    use crate::config::Backend;
    use crate::device::adapter::Adapter;
    use crate::device::error::DeviceError;

    /// Nothing to list.
    ///
    /// # Errors
    /// Always: the backend is not compiled in.
    pub fn list(backend: Backend) -> Result<Vec<Adapter>, DeviceError> {
        Err(DeviceError::NotCompiledIn(backend.name()))
    }

    /// Nothing to open.
    ///
    /// # Errors
    /// Always: the backend is not compiled in.
    pub fn open(backend: Backend, _index: usize) -> Result<Device, DeviceError> {
        Err(DeviceError::NotCompiledIn(backend.name()))
    }
}
