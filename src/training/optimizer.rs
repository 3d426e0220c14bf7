//! Burn's optimizer, made from the resolved experiment: the one place where the two meet.

use burn::grad_clipping::GradientClippingConfig;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer, SgdConfig};

use crate::config::experiment::OptimizerConfig;

/// Builds the optimizer; the learning rate is the schedule's business.
pub fn build(config: &OptimizerConfig) -> ModuleOptimizer {
    match config {
        OptimizerConfig::Sgd(sgd) => {
            // Dampening 0 as in PyTorch's SGD; Burn's default of 0.1 would shrink every step.
            let momentum = (sgd.momentum > 0.0).then(|| {
                MomentumConfig::new()
                    .with_momentum(sgd.momentum)
                    .with_dampening(0.0)
            });
            SgdConfig::new()
                .with_momentum(momentum)
                .with_weight_decay(decay(sgd.weight_decay))
                .with_gradient_clipping(clipping(sgd.clip_norm))
                .init()
        }
        OptimizerConfig::Adam(adam) => AdamConfig::new()
            .with_beta_1(adam.beta1 as f32)
            .with_beta_2(adam.beta2 as f32)
            .with_epsilon(adam.epsilon as f32)
            .with_weight_decay(decay(adam.weight_decay))
            .with_grad_clipping(clipping(adam.clip_norm))
            .init(),
        OptimizerConfig::AdamW(adam) => AdamWConfig::new()
            .with_beta_1(adam.beta1 as f32)
            .with_beta_2(adam.beta2 as f32)
            .with_epsilon(adam.epsilon as f32)
            .with_weight_decay(adam.weight_decay as f32)
            .with_grad_clipping(clipping(adam.clip_norm))
            .init(),
    }
}

fn decay(weight_decay: f64) -> Option<WeightDecayConfig> {
    (weight_decay > 0.0).then(|| WeightDecayConfig::new(weight_decay as f32))
}

fn clipping(norm: Option<f64>) -> Option<GradientClippingConfig> {
    norm.map(|norm| GradientClippingConfig::Norm(norm as f32))
}
