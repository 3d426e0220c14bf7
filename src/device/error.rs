//! Why a device cannot be used, each with what to do about it.

use crate::error::{ErrorExit, ExitKind};

/// Why a backend or a device cannot be used; the message includes the fix.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// kiln was built without the backend's feature.
    #[error(
        "backend {0} is not compiled in; build kiln with `cargo build --release --features {0}` or use --backend flex"
    )]
    NotCompiledIn(&'static str),
    /// No GPU was found.
    #[error("backend {backend} found no GPU: {problem}; {advice} or use --backend flex")]
    NoGpu {
        /// The backend.
        backend: &'static str,
        /// What was found instead.
        problem: String,
        /// What is usually missing.
        advice: &'static str,
    },
    /// The backend has devices, but not this one.
    #[error(
        "backend {backend} has no device {index}, only {}; `kiln devices` lists them, --device or the key `device` chooses one",
        numbers(*.count)
    )]
    NoSuchDevice {
        /// The backend.
        backend: &'static str,
        /// The number that was asked for.
        index: usize,
        /// How many devices there are; at least one.
        count: usize,
    },
    /// The device is there, but its driver does not let it be used.
    #[error(
        "backend {backend}: device {index} ({name}) can't be opened; another program may hold it, or its driver lacks what Burn needs: \
         try another --device, another driver, or --backend flex"
    )]
    Closed {
        /// The backend.
        backend: &'static str,
        /// Its number.
        index: usize,
        /// Its name.
        name: String,
    },
    /// Gradients are checked on flex only.
    #[error(
        "backend {0}: gradients are checked in 64-bit floats, which only flex supports; use --set backend=flex"
    )]
    NoDoubles(&'static str),
    /// The float type can be set only before the first tensor.
    #[error("64-bit floats: the float type is already set in this process; start a new one")]
    TooLate,
}

/// The numbers of so many devices.
fn numbers(devices: usize) -> String {
    match devices {
        0 | 1 => "0".into(),
        devices => format!("0 to {}", devices - 1),
    }
}

impl ErrorExit for DeviceError {
    fn exit_kind(&self) -> ExitKind {
        ExitKind::Usage
    }
}
