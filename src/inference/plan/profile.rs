//! Where the time of a plan goes.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use super::Plan;
use crate::fitting::NormalizeConfig;
pub use crate::kernels::inference::Algorithm;

/// The times of a run of a plan.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Threads that worked.
    pub threads: usize,
    /// Images that a thread, or all together, took at a time.
    pub together: usize,
    /// Whether each thread had images of its own, rather than a part of every step.
    pub is_by_image: bool,
    /// What was done before the first step, then the steps.
    pub steps: Vec<StepProfile>,
}

/// A step of a plan, and how long it took.
#[derive(Debug, Clone)]
pub struct StepProfile {
    /// Name of the first layer that it computes, as its parameters have it.
    pub layer: String,
    /// What it does, in words.
    pub work: String,
    /// How a convolution or a fully connected layer is computed.
    pub algorithm: Option<Algorithm>,
    /// Multiply-adds of convolutions and fully connected layers by their definition, for one image.
    pub multiply_adds: usize,
    /// Bytes that are read and written for one image.
    pub image_bytes: usize,
    /// Bytes of the weights.
    pub weight_bytes: usize,
    /// Images that went through it together.
    pub together: usize,
    /// Seconds that it took for all images.
    pub seconds: f64,
}

/// The time of each step, summed over threads.
pub(super) struct Clock {
    nanoseconds: Vec<AtomicU64>,
    threads: AtomicUsize,
    together: AtomicUsize,
    is_by_image: AtomicBool,
}

impl Clock {
    pub fn start(&self, threads: usize, together: usize, is_by_image: bool) {
        self.threads.store(threads, Ordering::Relaxed);
        self.together.store(together, Ordering::Relaxed);
        self.is_by_image.store(is_by_image, Ordering::Relaxed);
    }
}

/// The steps of one group of images, one after another, on so many threads.
pub(super) struct Laps<'a> {
    clock: Option<(&'a Clock, Instant)>,
    threads: usize,
}

impl<'a> Laps<'a> {
    pub fn new(clock: Option<&'a Clock>, threads: usize) -> Self {
        Self {
            clock: clock.map(|clock| (clock, Instant::now())),
            threads,
        }
    }

    /// Ends the step with this index.
    pub fn end(&mut self, index: usize) {
        let Some((clock, since)) = &mut self.clock else {
            return;
        };
        let now = Instant::now();
        let time = (now - *since).as_nanos() as u64 * self.threads as u64;
        clock.nanoseconds[index].fetch_add(time, Ordering::Relaxed);
        *since = now;
    }
}

impl Plan {
    /// [`run`](Self::run), and how long each step took.
    pub fn profile(
        &self,
        pixels: &[f32],
        count: usize,
        normalize: Option<&NormalizeConfig>,
    ) -> Profile {
        let all = 1 + self.steps().count();
        let clock = Clock {
            nanoseconds: (0..all).map(|_| AtomicU64::new(0)).collect(),
            threads: AtomicUsize::new(1),
            together: AtomicUsize::new(0),
            is_by_image: AtomicBool::new(false),
        };
        self.run_with(pixels, count, normalize, Some(&clock));
        let threads = clock.threads.into_inner();
        let seconds = clock.nanoseconds.into_iter();
        let mut seconds = seconds.map(|time| time.into_inner() as f64 / 1e9 / threads as f64);
        let together = clock.together.into_inner();
        let (work, image_bytes) = if self.takes_pixels_as_they_are(normalize) {
            ("as they are", 0)
        } else {
            let bytes = 2 * size_of::<f32>() * self.shape.values();
            ("normalized, channels last", bytes)
        };
        let pixels = StepProfile {
            layer: "pixels".into(),
            work: work.into(),
            algorithm: None,
            multiply_adds: 0,
            image_bytes,
            weight_bytes: 0,
            together: 1,
            seconds: seconds.next().unwrap_or_default(),
        };
        let steps = self.steps().zip(seconds);
        let steps = steps.map(|((stage, step), seconds)| StepProfile {
            layer: step.layer.clone(),
            work: step.described(),
            algorithm: step.algorithm(),
            multiply_adds: step.multiply_adds(),
            image_bytes: size_of::<f32>() * step.values(),
            weight_bytes: step.weight_bytes(),
            together: together.min(stage.together),
            seconds,
        });
        Profile {
            threads,
            together,
            is_by_image: clock.is_by_image.into_inner(),
            steps: std::iter::once(pixels).chain(steps).collect(),
        }
    }
}
