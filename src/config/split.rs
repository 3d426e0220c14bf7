//! The part of the `data` section that is about dividing a set without splits of its own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a set without splits of its own is divided into training, validation and test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum SplitRule {
    /// A fixed pseudo-random share, decided by the sample's name: the same on every machine.
    Share(ShareConfig),
    /// By the number in the sample's name, modulo `divisor`.
    Number(NumberConfig),
}

impl Default for SplitRule {
    fn default() -> Self {
        SplitRule::Share(ShareConfig::default())
    }
}

/// A division by shares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ShareConfig {
    /// Share of the samples used for validation.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub valid: f64,
    /// Share of the samples used for testing.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub test: f64,
}

impl Default for ShareConfig {
    fn default() -> Self {
        Self {
            valid: 0.1,
            test: 0.1,
        }
    }
}

/// A division by number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NumberConfig {
    /// The number is taken modulo this.
    #[schemars(range(min = 2, max = 1000))]
    pub divisor: u64,
    /// The remainder that goes to validation; null for none.
    pub valid: Option<u64>,
    /// The remainder that goes to testing.
    pub test: u64,
}

impl Default for NumberConfig {
    fn default() -> Self {
        Self {
            divisor: 5,
            valid: Some(1),
            test: 0,
        }
    }
}
