//! How close each layer of a network comes to what the machine can do.
//!
//! A step of a [plan](crate::inference::plan) takes at least the time of its multiply-adds at the peak of the processor, and at least that of
//! its bytes from the smallest cache that holds them, or from memory (the roofline of Williams, Waterman and Patterson 2009). The longer one
//! is its limit. Peak and bandwidths are measured with the instructions that the kernels use.

use std::time::Instant;

use serde::Serialize;

use super::bench::{card, classes, pixels};
use super::error::BenchError;
use crate::config::Experiment;
use crate::device;
use crate::inference::Classifier;
use crate::inference::plan::{Algorithm, ComputePrecision, Profile, StepProfile};
use crate::kernels::machine;
use crate::models::Network;

/// Runs that are not counted.
const WARM_UP: usize = 3;

/// A network is timed for about this long, in at least [`LEAST`] runs.
const SECONDS: f64 = 2.0;
const LEAST: usize = 5;

/// Bytes for each thread at which bandwidth is measured: in the first, second and third cache of most processors, and in memory.
const WORKING_SETS: [usize; 4] = [24 << 10, 384 << 10, 6 << 20, 192 << 20];

/// What these are called.
pub const MEMORIES: [&str; WORKING_SETS.len()] = ["cache 1", "cache 2", "cache 3", "memory"];

/// Multiply-adds of a direct 3x3 convolution for each that F(2x2, 3x3) makes.
const WINOGRAD_GAIN: f64 = 36.0 / 16.0;

/// What the machine does at best, on all threads.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Threads.
    pub threads: usize,
    /// Billions of 32-bit operations per second from registers, two for a multiply-add.
    pub f32_gflops: f64,
    /// The same of bfloat16 products; none without instructions for them.
    pub bf16_gflops: Option<f64>,
    /// Bandwidths, the smallest working set first.
    pub bandwidths: Vec<Bandwidth>,
}

/// How fast a cache or the memory is.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Bandwidth {
    /// Bytes that each thread works on.
    pub bytes: usize,
    /// Billions of bytes per second, on all threads.
    pub gb_per_s: f64,
}

/// The layers of a network.
#[derive(Debug, Clone, Serialize)]
pub struct LayerTimings {
    /// Name of the config.
    pub workload: String,
    /// `f32` or `bf16`.
    pub precision: &'static str,
    /// Images of a run.
    pub batch: usize,
    /// Threads that worked; on networks too small to share, one.
    pub threads: usize,
    /// Images that go through the steps together.
    pub together: usize,
    /// Microseconds for an image, the sum of the layers'.
    pub us_per_image: f64,
    /// The step before the first layer, and the layers.
    pub layers: Vec<LayerTiming>,
}

/// A layer, with what is computed in the same step.
#[derive(Debug, Clone, Serialize)]
pub struct LayerTiming {
    /// Its name, as its parameters have it.
    pub layer: String,
    /// What it does.
    pub work: String,
    /// `direct`, `winograd`, `depthwise`, `bf16`, or `winograd, bf16`; empty where nothing is multiplied by weights.
    pub algorithm: &'static str,
    /// Multiply-adds of an image by the layer's definition.
    pub multiply_adds: usize,
    /// Bytes that an image reads and writes, with its share of the weights.
    pub bytes: f64,
    /// Microseconds for an image, at the median run.
    pub us: f64,
    /// Billions of operations per second, two for a multiply-add by the layer's definition: Winograd's makes fewer.
    pub gflops: f64,
    /// Billions of bytes per second.
    pub gb_per_s: f64,
    /// What limits it: `multiply-adds`, or where its bytes are: `cache 1` to `cache 3`, or `memory`.
    pub limit: &'static str,
    /// Microseconds for an image at the limit.
    pub limit_us: f64,
    /// Share of the limit that it reaches, from 0 to about 1.
    pub share: f64,
}

impl Machine {
    /// Measures it, in about three seconds.
    pub fn measured() -> Self {
        let bandwidths = WORKING_SETS.map(|bytes| Bandwidth {
            bytes,
            gb_per_s: machine::bytes_per_second(bytes) / 1e9,
        });
        Self {
            threads: rayon::current_num_threads(),
            f32_gflops: machine::f32_flops() / 1e9,
            bf16_gflops: machine::bf16_flops().map(|flops| flops / 1e9),
            bandwidths: bandwidths.into(),
        }
    }

    /// Billions of operations per second by a layer's definition.
    fn gflops(&self, algorithm: Option<Algorithm>) -> f64 {
        match algorithm {
            Some(Algorithm::Winograd) => WINOGRAD_GAIN * self.f32_gflops,
            Some(Algorithm::Bf16) => self.bf16_gflops.unwrap_or(self.f32_gflops),
            Some(Algorithm::WinogradBf16) => {
                WINOGRAD_GAIN * self.bf16_gflops.unwrap_or(self.f32_gflops)
            }
            _ => self.f32_gflops,
        }
    }

    /// The smallest cache that holds so many bytes for each thread: its name and billions of bytes per second.
    fn holding(&self, bytes: f64) -> (&'static str, f64) {
        let holds = |bandwidth: &Bandwidth| bytes <= bandwidth.bytes as f64;
        let level = self.bandwidths.iter().position(holds);
        let level = level.unwrap_or(MEMORIES.len() - 1);
        (MEMORIES[level], self.bandwidths[level].gb_per_s)
    }
}

/// Times each layer of the network of a config in inference, on images that are in memory; `batch` overrides the config's number.
///
/// # Errors
/// The backend can't be used, the network has no plan, or the data, which provides the number of classes if the config does not, can't be read.
pub fn layers(
    experiment: &Experiment,
    batch: Option<usize>,
    precision: ComputePrecision,
    machine: &Machine,
) -> Result<LayerTimings, BenchError> {
    let classes = classes(experiment)?;
    let device = device::open_at(experiment.backend, experiment.device)?;
    let training = device.clone().autodiff();
    training.seed(experiment.seed);
    let shape = experiment.data.shape();
    let network = Network::new(&experiment.model, shape, classes, &training);
    let classifier = Classifier::new(&network, card(experiment, classes), &device);
    let classifier = classifier.with_precision(precision)?;
    let count = batch.unwrap_or(experiment.training.batch_size);
    let pixels = pixels(count * shape.values());
    let run = || {
        let profile = classifier.profile(&pixels, count);
        profile.ok_or_else(|| BenchError::NoPlan(experiment.name.clone()))
    };
    for _ in 0..WARM_UP {
        run()?;
    }
    let mut profiles = Vec::new();
    let began = Instant::now();
    while profiles.len() < LEAST || began.elapsed().as_secs_f64() < SECONDS {
        profiles.push(run()?);
    }
    let first = &profiles[0];
    let layers = first.steps.iter().enumerate().map(|(index, step)| {
        let mut seconds: Vec<f64> = profiles.iter().map(|p| p.steps[index].seconds).collect();
        seconds.sort_by(f64::total_cmp);
        // Clocks have steps.
        let seconds = seconds[seconds.len() / 2].max(1e-9) / count as f64;
        timing(step, seconds, first, machine)
    });
    let layers: Vec<LayerTiming> = layers.collect();
    Ok(LayerTimings {
        workload: experiment.name.clone(),
        precision: precision.name(),
        batch: count,
        threads: first.threads,
        together: first.together,
        us_per_image: layers.iter().map(|layer| layer.us).sum(),
        layers,
    })
}

/// A step that takes so many seconds for an image.
fn timing(step: &StepProfile, seconds: f64, of: &Profile, machine: &Machine) -> LayerTiming {
    let together = step.together as f64;
    // Of a group of images.
    let all_bytes = together * step.image_bytes as f64 + step.weight_bytes as f64;
    let per_thread = if of.is_by_image {
        all_bytes
    } else {
        all_bytes / of.threads as f64
    };
    let (place, gb_per_s) = machine.holding(per_thread);
    let threads = of.threads as f64 / machine.threads as f64;
    let operations = 2.0 * step.multiply_adds as f64;
    let bytes = all_bytes / together;
    let multiplying = operations / (threads * machine.gflops(step.algorithm) * 1e9);
    let moving = bytes / (threads * gb_per_s * 1e9);
    LayerTiming {
        layer: step.layer.clone(),
        work: step.work.clone(),
        algorithm: match step.algorithm {
            None => "",
            Some(Algorithm::Direct) => "direct",
            Some(Algorithm::Winograd) => "winograd",
            Some(Algorithm::Depthwise) => "depthwise",
            Some(Algorithm::Bf16) => "bf16",
            Some(Algorithm::WinogradBf16) => "winograd, bf16",
        },
        multiply_adds: step.multiply_adds,
        bytes,
        us: seconds * 1e6,
        gflops: operations / seconds / 1e9,
        gb_per_s: bytes / seconds / 1e9,
        limit: if multiplying >= moving {
            "multiply-adds"
        } else {
            place
        },
        limit_us: multiplying.max(moving) * 1e6,
        share: multiplying.max(moving) / seconds,
    }
}
