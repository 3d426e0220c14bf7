//! Dropout and stochastic depth in a list of layers.

use super::spec::{BranchesConfig, GroupConfig, LayerConfig, RepeatConfig, ResidualConfig};

/// The largest probability of setting something to zero in training; 0 if there is none.
pub fn dropout_of(layers: &[LayerConfig]) -> f64 {
    let of_layer = |layer: &LayerConfig| match layer {
        LayerConfig::Dropout(config) => config.p,
        LayerConfig::SelfAttention(config) => config.dropout,
        LayerConfig::Residual(config) => {
            let inner = dropout_of(&config.body).max(dropout_of(&config.shortcut));
            inner.max(config.drop_path)
        }
        LayerConfig::Branches(config) => {
            let branches = config.branches.iter();
            branches
                .map(|layers| dropout_of(layers))
                .fold(0.0, f64::max)
        }
        LayerConfig::Repeat(config) => dropout_of(&config.layers),
        LayerConfig::Group(config) => dropout_of(&config.layers),
        _ => 0.0,
    };
    layers.iter().map(of_layer).fold(0.0, f64::max)
}

/// The same layers with these probabilities at zero; names stay as they are.
pub fn without_dropout(layers: Vec<LayerConfig>) -> Vec<LayerConfig> {
    layers.into_iter().map(layer_without_dropout).collect()
}

fn layer_without_dropout(layer: LayerConfig) -> LayerConfig {
    match layer {
        LayerConfig::Dropout(mut config) => {
            config.p = 0.0;
            LayerConfig::Dropout(config)
        }
        LayerConfig::SelfAttention(mut config) => {
            config.dropout = 0.0;
            LayerConfig::SelfAttention(config)
        }
        LayerConfig::Residual(config) => LayerConfig::Residual(ResidualConfig {
            body: without_dropout(config.body),
            shortcut: without_dropout(config.shortcut),
            drop_path: 0.0,
            name: config.name,
        }),
        LayerConfig::Branches(config) => LayerConfig::Branches(BranchesConfig {
            branches: config.branches.into_iter().map(without_dropout).collect(),
            name: config.name,
        }),
        LayerConfig::Repeat(config) => LayerConfig::Repeat(RepeatConfig {
            layers: without_dropout(config.layers),
            ..config
        }),
        LayerConfig::Group(config) => LayerConfig::Group(GroupConfig {
            layers: without_dropout(config.layers),
            ..config
        }),
        other => other,
    }
}
