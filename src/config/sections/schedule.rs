//! The `schedule` section: how the learning rate changes over the epochs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the learning rate changes; durations are in epochs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScheduleConfig {
    /// The optimizer's learning rate throughout.
    Constant(ConstantConfig),
    /// Multiplied by `gamma` every `every` epochs.
    Step(StepConfig),
    /// Linear warm-up to the optimizer's learning rate, then half a cosine down to `final_factor` times that rate.
    Cosine(CosineConfig),
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        ScheduleConfig::Constant(ConstantConfig {})
    }
}

/// The constant schedule has no settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConstantConfig {}

/// Settings of the step schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StepConfig {
    /// Number of epochs between reductions.
    #[schemars(range(min = 1, max = 100_000))]
    pub every: usize,
    /// Factor by which each reduction multiplies the rate.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub gamma: f64,
}

impl Default for StepConfig {
    fn default() -> Self {
        Self {
            every: 30,
            gamma: 0.5,
        }
    }
}

/// Settings of the cosine schedule (Loshchilov and Hutter 2017, without restarts).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CosineConfig {
    /// Number of epochs over which the rate rises linearly from zero; less than `training.epochs`.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub warmup: f64,
    /// Final rate as a fraction of the optimizer's learning rate.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub final_factor: f64,
}

impl Default for CosineConfig {
    fn default() -> Self {
        Self {
            warmup: 0.0,
            final_factor: 0.0,
        }
    }
}
