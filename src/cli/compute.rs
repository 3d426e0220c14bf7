//! The flags `--backend` and `--device`.

use burn::tensor::Device;

use super::choices;
use crate::config::{Backend, Experiment};
use crate::device::{self, DeviceError};

/// Where to compute.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct ComputeArgs {
    /// Backend to compute with [default: the config's, or flex where there is none]
    #[arg(long, value_parser = choices::backend())]
    pub backend: Option<Backend>,
    /// Number of the backend's device, as `kiln devices` lists them [default: the config's, or the first]
    #[arg(long, value_name = "N")]
    pub device: Option<usize>,
}

impl ComputeArgs {
    /// Where an experiment computes.
    pub fn of(experiment: &Experiment) -> Self {
        Self {
            backend: Some(experiment.backend),
            device: experiment.device,
        }
    }

    /// The same as overrides of a config.
    pub fn overrides(self) -> Vec<String> {
        let backend = self
            .backend
            .map(|backend| format!("backend={}", backend.name()));
        let device = self.device.map(|device| format!("device={device}"));
        backend.into_iter().chain(device).collect()
    }

    /// Opens the device, of flex without a backend.
    pub fn open(self) -> Result<Device, DeviceError> {
        device::open_at(self.backend.unwrap_or_default(), self.device)
    }
}
