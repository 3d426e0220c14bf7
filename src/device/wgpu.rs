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

    /// What to do about a driver that is too old for Burn's SPIR-V.
    const ADVICE_ON_SPIRV: &str = "install a newer driver (of Mesa's in software 26), or build kiln with `--features wgpu` alone,";

    /// An adapter, and whether Burn's shaders work on it.
    struct Probed {
        info: wgpu::AdapterInfo,
        works: bool,
    }

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
        let adapters = catch_panic(|| probe_all(backend))
            .ok_or_else(|| none("the graphics driver failed to start", ADVICE))?;
        if adapters.is_empty() {
            return Err(none("no adapter found", ADVICE));
        }
        if !adapters.iter().any(|adapter| adapter.works) {
            let problem = format!(
                "{} lacks {LAYOUT:?}, which Burn's SPIR-V shaders need",
                adapters[0].info.name.trim()
            );
            return Err(none(&problem, ADVICE_ON_SPIRV));
        }
        Ok(numbered(backend, adapters))
    }

    /// The adapters that Burn finds for a backend: those on the first interface that has a GPU, or else on the first that has anything
    /// (as cubecl-wgpu 0.11 does, `runtime.rs`).
    fn probe_all(backend: Backend) -> Vec<Probed> {
        let interfaces = match backend {
            Backend::Vulkan => vec![wgpu::Backend::Vulkan],
            _ => AutoGraphicsApi::chain(),
        };
        let mut in_software = Vec::new();
        for interface in interfaces {
            let found = probe(interface);
            if found
                .iter()
                .any(|adapter| adapter.info.device_type != wgpu::DeviceType::Cpu)
            {
                return found;
            }
            if in_software.is_empty() {
                in_software = found;
            }
        }
        in_software
    }

    fn probe(interface: wgpu::Backend) -> Vec<Probed> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: interface.into(),
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        });
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else {
            return Vec::new();
        };
        let adapters = runtime.block_on(instance.enumerate_adapters(interface.into()));
        let probed = |adapter: &wgpu::Adapter| Probed {
            info: adapter.get_info(),
            works: works(adapter),
        };
        let probed = adapters.iter().map(probed).collect();
        // Never dropped: the Vulkan loader crashes when instances come and go on several threads.
        std::mem::forget(instance);
        probed
    }

    /// Vulkan's extension by which shaders lay out the memory that they share. Without it, the SPIR-V of cubecl-spirv 0.11 is invalid
    /// (`ops/memory.rs`: a pointer to a pointer), and Mesa crashes on it.
    const LAYOUT: &std::ffi::CStr = c"VK_KHR_workgroup_memory_explicit_layout";

    /// Whether the shaders that Burn compiles for an adapter work there. Without the feature `vulkan` they are WGSL, which always does.
    #[cfg(all(feature = "vulkan", not(target_vendor = "apple")))]
    #[allow(unsafe_code)] // wgpu tells extensions only of its inner adapter, which is not kept.
    fn works(adapter: &wgpu::Adapter) -> bool {
        // SAFETY: nothing is destroyed, and the adapter outlives the reference.
        let inner = unsafe { adapter.as_hal::<wgpu::hal::api::Vulkan>() };
        inner.is_none_or(|inner| {
            let properties = inner.physical_device_capabilities();
            properties.supports_extension(LAYOUT)
        })
    }

    #[cfg(not(all(feature = "vulkan", not(target_vendor = "apple"))))]
    fn works(_adapter: &wgpu::Adapter) -> bool {
        true
    }

    /// Adapters as devices, the best kind first. Burn counts each kind on its own, and knows one that computes in software.
    fn numbered(backend: Backend, adapters: Vec<Probed>) -> Vec<(Adapter, WgpuDevice)> {
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
            let of_kind = adapters
                .iter()
                .filter(|adapter| adapter.info.device_type == kind);
            let most = if kind == wgpu::DeviceType::Cpu {
                1
            } else {
                usize::MAX
            };
            let numbered = of_kind.take(most).enumerate();
            for (number, adapter) in numbered.filter(|(_, adapter)| adapter.works) {
                let adapter = described(found.len(), &adapter.info);
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
