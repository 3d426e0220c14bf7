//! Configuration: a JSON file and `--set` overrides become a checked [`Experiment`] in which every setting has a value.
//!
//! A config is refused before any data or device is opened, with all its problems at once: each names the dotted path of the
//! key, what was found, what is allowed and the nearest known name. Each section has a file with its types and their defaults;
//! [`schema`] generates the JSON Schema from the types and checks JSON against it, and `checks` holds the rules between keys.

mod as_layers;
mod checks;
pub mod difference;
mod error;
mod experiment;
mod load;
mod overrides;
pub mod schema;
mod sections;
mod starter;

pub use as_layers::model_as_layers;
pub use checks::{class_limit, class_problem};
pub use error::ConfigError;
pub use experiment::{Backend, Experiment, ParameterConfig};
pub use load::{load, parse, read, resolve};
pub use sections::{
    AdamConfig, Auto, BatchNormScope, ClassWeights, ConstantConfig, CosineConfig,
    EarlyStoppingConfig, EventFiles, InitConfig, Keep, LogServer, LogTarget, LossConfig, LrScaling,
    OptimizerConfig, ParallelConfig, Precision, Reduction, Rename, RenamePattern, ScheduleConfig,
    SgdConfig, StepConfig, TrainingConfig,
};
pub use starter::{data_kinds, model_kinds, starter};
