//! Networks as lists of layers: described in a config or by a file of this room, inferred, built and run.

mod build;
mod construct;
mod form;
mod function;
mod infer;
mod limits;
mod module;
mod node;
mod operations;
mod parameters;
mod parts;
mod plain;
mod run;
mod settings;
mod sizes;
mod spec;
mod value;
mod weight_init;

pub use build::build;
pub use form::{NamedPadding, Padding, Side};
pub use infer::infer;
pub use module::{Layer, Operator, Sequence};
pub use node::{ConvNode, Function, MapShape, Node, Operation, PoolNode, SqueezeExciteNode};
pub use parameters::{join, own_parameters, parameters};
pub use settings::{
    AdaptiveAvgPoolConfig, AvgPoolConfig, BatchNormConfig, ConvConfig, DepthToSpaceConfig,
    DepthwiseConvConfig, DropoutConfig, Gate, GateActivation, GroupNormConfig, LayerNormConfig,
    LeakyReluConfig, LinearConfig, MaxPoolConfig, NamedConfig, ScaleConfig, SelfAttentionConfig,
    SqueezeExciteConfig, UnflattenConfig, ZeroPadConfig,
};
pub use spec::{BranchesConfig, GroupConfig, LayerConfig, RepeatConfig, ResidualConfig};
pub use value::Value;
pub use weight_init::WeightInit;
