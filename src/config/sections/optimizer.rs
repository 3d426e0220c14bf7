//! The `optimizer` section: how gradients become steps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The update rule for the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OptimizerConfig {
    /// Stochastic gradient descent, optionally with momentum.
    Sgd(SgdConfig),
    /// Adam (Kingma and Ba 2015); weight decay is an L2 penalty added to the gradient.
    Adam(AdamConfig),
    /// AdamW (Loshchilov and Hutter 2019); weight decay is applied to the weights directly.
    AdamW(AdamConfig),
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        OptimizerConfig::Adam(AdamConfig::default())
    }
}

impl OptimizerConfig {
    /// The base learning rate, before the schedule.
    pub fn lr(&self) -> f64 {
        match self {
            OptimizerConfig::Sgd(config) => config.lr,
            OptimizerConfig::Adam(config) | OptimizerConfig::AdamW(config) => config.lr,
        }
    }
}

/// Settings of stochastic gradient descent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SgdConfig {
    /// Base learning rate; the schedule multiplies it.
    #[schemars(range(max = 100.0), extend("exclusiveMinimum" = 0.0))]
    pub lr: f64,
    /// Momentum coefficient: the fraction of the previous update that is kept. 0 is plain gradient descent.
    #[schemars(range(min = 0.0, max = 0.999))]
    pub momentum: f64,
    /// L2 penalty added to the gradient.
    #[schemars(range(min = 0.0, max = 10.0))]
    pub weight_decay: f64,
    /// Maximum L2 norm of each parameter's gradient; null does not clip.
    #[schemars(range(min = 1e-9, max = 1e9))]
    pub clip_norm: Option<f64>,
}

impl Default for SgdConfig {
    fn default() -> Self {
        Self {
            lr: 1e-2,
            momentum: 0.0,
            weight_decay: 0.0,
            clip_norm: None,
        }
    }
}

/// Settings of Adam and AdamW.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdamConfig {
    /// Base learning rate; the schedule multiplies it.
    #[schemars(range(max = 100.0), extend("exclusiveMinimum" = 0.0))]
    pub lr: f64,
    /// Decay rate of the running mean of the gradients.
    #[schemars(range(min = 0.0, max = 0.9999))]
    pub beta1: f64,
    /// Decay rate of the running mean of the squared gradients.
    #[schemars(range(min = 0.0, max = 0.99999))]
    pub beta2: f64,
    /// Added to the denominator for numerical stability.
    #[schemars(range(min = 1e-20, max = 1.0))]
    pub epsilon: f64,
    /// Weight decay: `adam` adds it to the gradient, `adam_w` applies it to the weights directly.
    #[schemars(range(min = 0.0, max = 10.0))]
    pub weight_decay: f64,
    /// Maximum L2 norm of each parameter's gradient; null does not clip.
    #[schemars(range(min = 1e-9, max = 1e9))]
    pub clip_norm: Option<f64>,
}

impl Default for AdamConfig {
    fn default() -> Self {
        // Kingma and Ba 2015, section 2; PyTorch uses the same values.
        Self {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            clip_norm: None,
        }
    }
}
