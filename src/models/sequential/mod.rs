//! A list of layers as a Burn module: built and run.

mod build;
mod construct;
mod costs;
mod fused;
mod module;
mod parts;
mod plain;
mod run;
mod value;

pub use build::build;
pub use costs::{costs, first_weights};
pub use module::{Layer, Operator, Sequence};
pub use value::Value;
