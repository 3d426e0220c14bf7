//! Optimizers: Adam, AdamW and SGD as PyTorch computes them, for Burn to apply to each parameter.
//!
//! On a device with kiln's kernels a step of a parameter is one pass over memory; elsewhere it is computed with Burn's operators.
//! The state is the same, so a checkpoint does not depend on which it was.

use burn::grad_clipping::GradientClippingConfig;
use burn::optim::{
    AdamW, AdamWConfig, AdamWState, AdaptiveMomentumState, LearningRate, ModuleOptimizer,
    Optimizer, RecordState, StateSink, StateSource,
};
use burn::prelude::*;

use crate::config::{AdamConfig, OptimizerConfig};
use crate::kernels::{self, AdamStep, SgdStep};

/// Builds the optimizer; the learning rate comes from the schedule.
pub fn build(config: &OptimizerConfig) -> ModuleOptimizer {
    match config {
        OptimizerConfig::Sgd(sgd) => {
            let descent = Descent {
                momentum: sgd.momentum,
                decay: sgd.weight_decay,
            };
            clipped(descent.into(), sgd.clip_norm)
        }
        OptimizerConfig::Adam(adam) => {
            clipped(Adaptive::new(adam, Decay::Coupled).into(), adam.clip_norm)
        }
        OptimizerConfig::AdamW(adam) => {
            clipped(Adaptive::new(adam, Decay::Decoupled).into(), adam.clip_norm)
        }
    }
}

fn clipped(optimizer: ModuleOptimizer, norm: Option<f64>) -> ModuleOptimizer {
    match norm {
        None => optimizer,
        Some(norm) => {
            optimizer.with_grad_clipping(GradientClippingConfig::Norm(norm as f32).init())
        }
    }
}

/// Adam and AdamW.
#[derive(Clone)]
struct Adaptive {
    /// The constants of a step.
    step: AdamStep,
    /// Burn's optimizer, with the decoupled weight decay.
    burn: AdamW,
}

/// The difference between Adam and AdamW: whether the weight decay is added to the gradient.
enum Decay {
    Coupled,
    Decoupled,
}

impl Adaptive {
    fn new(adam: &AdamConfig, decay: Decay) -> Self {
        let (coupled_decay, decoupled_decay) = match decay {
            Decay::Coupled => (adam.weight_decay, 0.0),
            Decay::Decoupled => (0.0, adam.weight_decay),
        };
        let step = AdamStep {
            rate: 0.0,
            beta1: adam.beta1,
            beta2: adam.beta2,
            epsilon: adam.epsilon,
            coupled_decay,
            decoupled_decay,
            time: 0,
        };
        let burn = AdamWConfig::new()
            .with_beta_1(step.beta1 as f32)
            .with_beta_2(step.beta2 as f32)
            .with_epsilon(step.epsilon as f32)
            .with_weight_decay(step.decoupled_decay as f32)
            .build();
        Self { step, burn }
    }
}

/// A tensor of an optimizer's state: on a device, or as it was read from a checkpoint. (Burn loads states onto the default device,
/// which may not be the run's, or may not exist.)
#[derive(Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "a tensor is large only where several backends are compiled in"
)]
enum Kept<const D: usize> {
    Live(Tensor<D>),
    Stored(TensorData),
}

impl<const D: usize> Kept<D> {
    /// The tensor; if it was read from a checkpoint, it is put on `device`.
    fn on(self, device: &Device) -> Tensor<D> {
        match self {
            Kept::Live(tensor) => tensor,
            Kept::Stored(data) => Tensor::from_data(data, device),
        }
    }

    fn moved_to(self, device: &Device) -> Self {
        Kept::Live(self.on(device).to_device(device))
    }

    fn data(&self) -> TensorData {
        match self {
            Kept::Live(tensor) => tensor.to_data(),
            Kept::Stored(data) => data.clone(),
        }
    }
}

/// The state of [`Adaptive`] for a parameter.
#[derive(Clone)]
struct Moments<const D: usize> {
    /// Steps so far.
    time: usize,
    /// Running means of the gradient and of its square.
    moments: [Kept<D>; 2],
}

/// Names of the moments in checkpoints.
const MOMENTS: [&str; 2] = ["moment_1", "moment_2"];

impl<const D: usize> RecordState for Moments<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_scalar(prefix, "time", (self.time as u64).into());
        for (name, moment) in MOMENTS.iter().zip(&self.moments) {
            out.push_tensor(prefix, name, moment.data());
        }
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, _default: &Device) -> Option<Self> {
        let time = u64::try_from(src.take_scalar(prefix, "time")?).ok()?;
        let [first, second] = MOMENTS.map(|name| src.take_tensor(prefix, name));
        Some(Self {
            time: usize::try_from(time).ok()?,
            moments: [Kept::Stored(first?), Kept::Stored(second?)],
        })
    }
}

impl Optimizer for Adaptive {
    type State<const D: usize> = Moments<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Moments<D>>,
    ) -> (Tensor<D>, Option<Moments<D>>) {
        let device = gradient.device();
        let state = state.map(|Moments { time, moments }| (time, moments.map(|m| m.on(&device))));
        if !kernels::supported(&parameter.device()) {
            return self.step_of_burn(rate, parameter, gradient, state);
        }
        let (time, moments) = match state {
            Some((time, moments)) => (time + 1, moments),
            // Two calls: one tensor in both places would be shared, and copied for each.
            None => (1, [parameter.zeros_like(), parameter.zeros_like()]),
        };
        let step = AdamStep {
            rate,
            time: i32::try_from(time).unwrap_or(i32::MAX),
            ..self.step
        };
        let (parameter, moments) = kernels::adam_step(parameter, gradient, moments, step);
        let moments = moments.map(Kept::Live);
        (parameter, Some(Moments { time, moments }))
    }

    fn to_device<const D: usize>(state: Moments<D>, device: &Device) -> Moments<D> {
        let moments = state.moments.map(|moment| moment.moved_to(device));
        Moments { moments, ..state }
    }
}

impl Adaptive {
    /// A step with Burn's operators.
    fn step_of_burn<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<(usize, [Tensor<D>; 2])>,
    ) -> (Tensor<D>, Option<Moments<D>>) {
        let gradient = match self.step.coupled_decay {
            0.0 => gradient,
            decay => parameter.clone().mul_scalar(decay) + gradient,
        };
        let state = state.map(|(time, [moment_1, moment_2])| AdamWState {
            momentum: AdaptiveMomentumState {
                time,
                moment_1,
                moment_2,
                max_moment_2: None,
            },
        });
        let (parameter, state) = self.burn.step(rate, parameter, gradient, state);
        let state = state.map(|AdamWState { momentum }| Moments {
            time: momentum.time,
            moments: [momentum.moment_1, momentum.moment_2].map(Kept::Live),
        });
        (parameter, state)
    }
}

/// Stochastic gradient descent with or without momentum, as in PyTorch: without dampening, where Burn's default of 0.1 would
/// shrink every step.
#[derive(Clone)]
struct Descent {
    momentum: f64,
    decay: f64,
}

/// The state of [`Descent`] for a parameter.
#[derive(Clone)]
struct Velocity<const D: usize> {
    velocity: Kept<D>,
}

impl<const D: usize> RecordState for Velocity<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, "velocity", self.velocity.data());
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, _default: &Device) -> Option<Self> {
        let velocity = Kept::Stored(src.take_tensor(prefix, "velocity")?);
        Some(Self { velocity })
    }
}

impl Optimizer for Descent {
    type State<const D: usize> = Velocity<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Velocity<D>>,
    ) -> (Tensor<D>, Option<Velocity<D>>) {
        let with_momentum = self.momentum > 0.0;
        let device = gradient.device();
        let velocity = state.map(|state| state.velocity.on(&device));
        if with_momentum && kernels::supported(&parameter.device()) {
            let velocity = velocity.unwrap_or_else(|| parameter.zeros_like());
            let step = SgdStep {
                rate,
                momentum: self.momentum,
                decay: self.decay,
            };
            let (parameter, velocity) = kernels::sgd_step(parameter, gradient, velocity, step);
            let velocity = Kept::Live(velocity);
            return (parameter, Some(Velocity { velocity }));
        }
        let gradient = match self.decay {
            0.0 => gradient,
            decay => parameter.clone().mul_scalar(decay) + gradient,
        };
        let velocity = match velocity {
            Some(velocity) => velocity.mul_scalar(self.momentum) + gradient,
            None => gradient,
        };
        let state = with_momentum.then(|| Velocity {
            velocity: Kept::Live(velocity.clone()),
        });
        (parameter - velocity.mul_scalar(rate), state)
    }

    fn to_device<const D: usize>(state: Velocity<D>, device: &Device) -> Velocity<D> {
        Velocity {
            velocity: state.velocity.moved_to(device),
        }
    }
}
