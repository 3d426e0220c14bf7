//! The sections of a config that belong to no other module, one file each: their keys and defaults.

mod init;
mod log;
mod loss;
mod optimizer;
mod parallel;
mod schedule;
mod training;

pub use init::{Auto, InitConfig, Rename, RenamePattern};
pub use log::{EventFiles, LogServer, LogTarget};
pub use loss::{ClassWeights, LossConfig, Reduction};
pub use optimizer::{AdamConfig, OptimizerConfig, SgdConfig};
pub use parallel::{BatchNormScope, LrScaling, ParallelConfig};
pub use schedule::{ConstantConfig, CosineConfig, ScheduleConfig, StepConfig};
pub use training::{EarlyStoppingConfig, Keep, Precision, TrainingConfig};
