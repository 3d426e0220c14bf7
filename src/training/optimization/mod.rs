//! Optimizers, precision, learning-rate schedules and the running average of the weights.

pub mod average;
pub mod optimizer;
pub mod precision;
pub mod schedule;
