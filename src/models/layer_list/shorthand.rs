//! Layers in code, with the defaults of a config.

use super::form::{Padding, Side};
use super::settings::{
    AvgPoolConfig, BatchNormConfig, ConvConfig, DropoutConfig, LayerNormConfig, LinearConfig,
    MaxPoolConfig, NamedConfig, ScaleConfig, SelfAttentionConfig, ZeroPadConfig,
};
use super::spec::{BranchesConfig, GroupConfig, LayerConfig, ResidualConfig};
use super::weight_init::WeightInit;

/// PyTorch's defaults of normalizations: added to the variance, and the weight of a batch in the running statistics.
const EPSILON: f64 = 1e-5;
const MOMENTUM: f64 = 0.1;

/// A layer that takes only a name: `plain(LayerConfig::Relu)`.
pub fn plain(kind: fn(NamedConfig) -> LayerConfig) -> LayerConfig {
    kind(NamedConfig { name: None })
}

/// max(0, x)
pub fn relu() -> LayerConfig {
    plain(LayerConfig::Relu)
}

/// Everything as one vector.
pub fn flatten() -> LayerConfig {
    plain(LayerConfig::Flatten)
}

/// Mean of each map.
pub fn global_avg_pool() -> LayerConfig {
    plain(LayerConfig::GlobalAvgPool)
}

/// A square convolution without padding, with a bias.
pub fn conv(channels: impl Into<Option<usize>>, kernel: usize) -> ConvConfig {
    ConvConfig {
        channels: channels.into(),
        kernel: kernel.into(),
        stride: 1.into(),
        padding: 0.into(),
        dilation: 1.into(),
        groups: 1,
        bias: true,
        init: WeightInit::Default,
        name: None,
    }
}

impl ConvConfig {
    /// With a step.
    pub fn stride(self, stride: usize) -> Self {
        Self {
            stride: stride.into(),
            ..self
        }
    }

    /// With zeros around the maps.
    pub fn padding(self, padding: impl Into<Padding>) -> Self {
        Self {
            padding: padding.into(),
            ..self
        }
    }

    /// In groups of channels.
    pub fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// Without a bias.
    pub fn without_bias(self) -> Self {
        Self {
            bias: false,
            ..self
        }
    }

    /// With these initial weights.
    pub fn init(self, init: WeightInit) -> Self {
        Self { init, ..self }
    }

    /// As a layer with a name.
    pub fn named(self, name: impl Into<String>) -> LayerConfig {
        LayerConfig::Conv(self).named(name)
    }
}

/// A fully connected layer with a bias; without a size, one value for each class.
pub fn linear(features: impl Into<Option<usize>>) -> LinearConfig {
    LinearConfig {
        features: features.into(),
        bias: true,
        init: WeightInit::Default,
        name: None,
    }
}

impl LinearConfig {
    /// With these initial weights.
    pub fn init(self, init: WeightInit) -> Self {
        Self { init, ..self }
    }

    /// As a layer with a name.
    pub fn named(self, name: impl Into<String>) -> LayerConfig {
        LayerConfig::Linear(self).named(name)
    }
}

/// Batch normalization with PyTorch's defaults.
pub fn batch_norm() -> LayerConfig {
    batch_norm_with(EPSILON, MOMENTUM)
}

/// Batch normalization.
pub fn batch_norm_with(epsilon: f64, momentum: f64) -> LayerConfig {
    LayerConfig::BatchNorm(BatchNormConfig {
        epsilon,
        momentum,
        name: None,
    })
}

/// Layer normalization.
pub fn layer_norm(epsilon: f64) -> LayerConfig {
    LayerConfig::LayerNorm(LayerNormConfig {
        epsilon,
        name: None,
    })
}

/// Max pool of square windows.
pub fn max_pool(kernel: usize, stride: usize, padding: usize, ceil_mode: bool) -> LayerConfig {
    LayerConfig::MaxPool(MaxPoolConfig {
        kernel: kernel.into(),
        stride: Some(Side::Square(stride)),
        padding: padding.into(),
        ceil_mode,
        name: None,
    })
}

/// Average pool of square windows without padding.
pub fn avg_pool(kernel: usize, stride: usize) -> LayerConfig {
    LayerConfig::AvgPool(AvgPoolConfig {
        kernel: kernel.into(),
        stride: Some(Side::Square(stride)),
        padding: 0.into(),
        ceil_mode: false,
        count_include_pad: true,
        name: None,
    })
}

/// Zeros around maps.
pub fn zero_pad([top, bottom]: [usize; 2], [left, right]: [usize; 2]) -> LayerConfig {
    LayerConfig::ZeroPad(ZeroPadConfig {
        top,
        bottom,
        left,
        right,
        name: None,
    })
}

/// A learned factor for each channel.
pub fn scale(initial: f64) -> LayerConfig {
    LayerConfig::Scale(ScaleConfig {
        initial,
        name: None,
    })
}

/// Multi-head self-attention.
pub fn self_attention(heads: usize, dropout: f64) -> LayerConfig {
    LayerConfig::SelfAttention(SelfAttentionConfig {
        heads,
        dropout,
        name: None,
    })
}

/// Dropout with probability `p`.
pub fn dropout(p: f64) -> LayerConfig {
    LayerConfig::Dropout(DropoutConfig { p, name: None })
}

/// `body` plus `shortcut`; an empty shortcut is the input itself.
pub fn residual(body: Vec<LayerConfig>, shortcut: Vec<LayerConfig>, drop_path: f64) -> LayerConfig {
    LayerConfig::Residual(ResidualConfig {
        body,
        shortcut,
        drop_path,
        name: None,
    })
}

/// Lists side by side.
pub fn branches(branches: Vec<Vec<LayerConfig>>) -> LayerConfig {
    LayerConfig::Branches(BranchesConfig {
        branches,
        name: None,
    })
}

/// Layers under one name.
pub fn group(layers: Vec<LayerConfig>) -> LayerConfig {
    LayerConfig::Group(GroupConfig { layers, name: None })
}
