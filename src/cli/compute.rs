//! The flags `--backend`, `--device` and `--precision`.

use burn::tensor::Device;

use super::choices;
use super::terminal::output;
use crate::config::{Backend, Experiment};
use crate::device::{self, DeviceError};
use crate::inference::plan::ComputePrecision;
use crate::inference::{Classifier, ModelError};

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

/// In which precision a model answers.
#[derive(Clone, Copy, Default, PartialEq, clap::ValueEnum)]
pub enum Precision {
    /// 32 bits
    #[default]
    F32,
    /// Products of bfloat16 values, sums in 32 bits: faster on processors with AVX512-BF16, slower on others
    Bf16,
}

impl Precision {
    /// What a plan computes in.
    pub fn compute(self) -> ComputePrecision {
        match self {
            Precision::F32 => ComputePrecision::F32,
            Precision::Bf16 => ComputePrecision::Bf16,
        }
    }

    /// The classifier in this precision. It is an error where bfloat16 would have no effect.
    pub fn of(self, classifier: Classifier) -> Result<Classifier, ModelError> {
        self.note_if_slow();
        classifier.with_precision(self.compute())
    }

    /// Says so where the processor is faster in 32 bits.
    pub fn note_if_slow(self) {
        if self == Precision::Bf16 && !ComputePrecision::bf16_is_native() {
            output::note(
                "--precision bf16: this processor has no AVX512-BF16; f32 is faster here, with the same answers but for rounding",
            );
        }
    }
}
