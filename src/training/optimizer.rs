//! Optimizers, made from the resolved experiment and driven by Burn.
//!
//! On a device with kiln's kernels a parameter's step is one pass over memory; elsewhere it is made of Burn's operators. The
//! state is the same, so a checkpoint does not depend on which it was.

use burn::grad_clipping::GradientClippingConfig;
use burn::optim::{
    AdamW, AdamWConfig, AdamWState, AdaptiveMomentumState, LearningRate, ModuleOptimizer,
    Optimizer, RecordState, StateSink, StateSource,
};
use burn::prelude::*;

use crate::config::experiment::{AdamConfig, OptimizerConfig};
use crate::kernels::{self, AdamStep, SgdStep};

/// Builds the optimizer; the learning rate is the schedule's business.
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
    /// The numbers that stay the same.
    step: AdamStep,
    /// With the weight decay that is not coupled to the gradient.
    burn: AdamW,
}

/// What Adam and AdamW differ in: whether the weight decay goes through the gradient.
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

impl Optimizer for Adaptive {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamWState<D>>,
    ) -> (Tensor<D>, Option<AdamWState<D>>) {
        if !kernels::fits(&parameter.device()) {
            let gradient = match self.step.coupled_decay {
                0.0 => gradient,
                decay => parameter.clone().mul_scalar(decay) + gradient,
            };
            return self.burn.step(rate, parameter, gradient, state);
        }
        let (time, moments) = match state {
            Some(AdamWState { momentum }) => {
                (momentum.time + 1, [momentum.moment_1, momentum.moment_2])
            }
            // Two calls: one tensor in both places would be shared, and copied for each.
            None => (1, [parameter.zeros_like(), parameter.zeros_like()]),
        };
        let step = AdamStep {
            rate,
            time: i32::try_from(time).unwrap_or(i32::MAX),
            ..self.step
        };
        let (parameter, [moment_1, moment_2]) =
            kernels::adam_step(parameter, gradient, moments, step);
        let momentum = AdaptiveMomentumState {
            time,
            moment_1,
            moment_2,
            max_moment_2: None,
        };
        (parameter, Some(AdamWState { momentum }))
    }

    fn to_device<const D: usize>(state: AdamWState<D>, device: &Device) -> AdamWState<D> {
        AdamW::to_device(state, device)
    }
}

/// Stochastic gradient descent, with momentum or without, as PyTorch does it: no dampening, where Burn's default of 0.1 would
/// shrink every step.
#[derive(Clone)]
struct Descent {
    momentum: f64,
    decay: f64,
}

/// What [`Descent`] remembers of a parameter.
#[derive(Clone)]
struct Velocity<const D: usize> {
    velocity: Tensor<D>,
}

impl<const D: usize> RecordState for Velocity<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, "velocity", self.velocity.to_data());
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        let data = src.take_tensor(prefix, "velocity")?;
        let velocity = Tensor::from_data(data, device);
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
        if with_momentum && kernels::fits(&parameter.device()) {
            let velocity = state.map_or_else(|| parameter.zeros_like(), |state| state.velocity);
            let step = SgdStep {
                rate,
                momentum: self.momentum,
                decay: self.decay,
            };
            let (parameter, velocity) = kernels::sgd_step(parameter, gradient, velocity, step);
            return (parameter, Some(Velocity { velocity }));
        }
        let gradient = match self.decay {
            0.0 => gradient,
            decay => parameter.clone().mul_scalar(decay) + gradient,
        };
        let velocity = match state {
            Some(Velocity { velocity }) => velocity.mul_scalar(self.momentum) + gradient,
            None => gradient,
        };
        let state = with_momentum.then(|| Velocity {
            velocity: velocity.clone(),
        });
        (parameter - velocity.mul_scalar(rate), state)
    }

    fn to_device<const D: usize>(state: Velocity<D>, device: &Device) -> Velocity<D> {
        Velocity {
            velocity: state.velocity.to_device(device),
        }
    }
}
