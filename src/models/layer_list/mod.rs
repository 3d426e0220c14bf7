//! A network as a list of layers: what a config says, and what follows from it: names, shapes, sizes and parameters.

mod form;
mod infer;
mod limits;
mod node;
mod operations;
mod outputs;
mod parameters;
mod regularization;
mod settings;
mod shorthand;
mod sizes;
mod spec;
mod weight_init;

pub use form::{NamedPadding, Padding, Side};
pub use infer::infer;
pub use node::{ConvNode, Function, MapShape, Node, Operation, PoolNode, SqueezeExciteNode};
pub use outputs::fixed_outputs;
pub use parameters::{join, multiply_adds, own_parameters, parameters, trainable_values};
pub use regularization::{dropout_of, without_dropout};
pub use settings::{
    AdaptiveAvgPoolConfig, AvgPoolConfig, BatchNormConfig, ConvConfig, DepthToSpaceConfig,
    DepthToSpaceMode, DepthwiseConvConfig, DropoutConfig, Gate, GateActivation, GroupNormConfig,
    LayerNormConfig, LeakyReluConfig, LinearConfig, MaxPoolConfig, NamedConfig, ScaleConfig,
    SelfAttentionConfig, SqueezeExciteConfig, UnflattenConfig, ZeroPadConfig,
};
pub use shorthand::{
    avg_pool, batch_norm, batch_norm_with, branches, conv, dropout, flatten, global_avg_pool,
    group, layer_norm, linear, max_pool, plain, relu, residual, scale, self_attention, zero_pad,
};
pub use spec::{
    BranchesConfig, GroupConfig, KINDS, LayerConfig, LayerForm, RepeatConfig, ResidualConfig,
    expand_names, kinds_without_settings,
};
pub use weight_init::WeightInit;
