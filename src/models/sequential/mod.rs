//! Networks as lists of layers: described in a config or by a file of this room, inferred, built and run.

mod form;
mod infer;
mod limits;
mod node;
mod operations;
mod parameters;
mod settings;
mod sizes;
mod spec;
mod weight_init;

pub use form::{NamedPadding, Padding, Side};
pub use infer::infer;
pub use node::{ConvNode, Function, MapShape, Node, Operation, PoolNode, SqueezeExciteNode};
pub use parameters::{join, own_parameters, parameters};
pub use settings::{
    AdaptiveAvgPoolConfig, AvgPoolConfig, BatchNormConfig, ConvConfig, DepthToSpaceConfig,
    DepthwiseConvConfig, DropoutConfig, Gate, GateActivation, GroupNormConfig, LayerNormConfig,
    LeakyReluConfig, LinearConfig, MaxPoolConfig, NamedConfig, ScaleConfig, SelfAttentionConfig,
    SqueezeExciteConfig, UnflattenConfig, ZeroPadConfig,
};
pub use spec::{BranchesConfig, GroupConfig, LayerConfig, RepeatConfig, ResidualConfig};
pub use weight_init::WeightInit;
