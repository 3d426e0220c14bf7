//! Optimizers, learning-rate schedules and the running average of the weights.

pub mod average;
pub mod optimizer;
pub mod schedule;
