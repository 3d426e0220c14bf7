//! Initial weights of convolutions and fully connected layers.

use burn::module::Initializer;
use serde::{Deserialize, Serialize};

/// How weights are drawn at first; biases are drawn with the default and are zero with every other choice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum WeightInit {
    /// Uniform in +-1 / sqrt(fan_in), biases too, as PyTorch's layers are drawn.
    #[default]
    Default,
    /// Normal with variance 2 / fan_out (He et al. 2015).
    KaimingNormal,
    /// Uniform with variance 2 / fan_in (He et al. 2015).
    KaimingUniform,
    /// Uniform in +-1 / sqrt(fan_out), as EfficientNet's last layer.
    UniformFanOut,
    /// Uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010).
    XavierUniform,
    /// Normal around zero.
    Normal {
        /// Standard deviation.
        #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 10.0)))]
        std: f64,
    },
    /// Uniform around zero.
    Uniform {
        /// Largest absolute value.
        #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 10.0)))]
        bound: f64,
    },
    /// All zero.
    Zeros,
}

impl WeightInit {
    /// Burn's initializer of the weights.
    pub fn initializer(self) -> Initializer {
        match self {
            // Variance gain^2 / fan of a uniform distribution: +-sqrt(3) gain / sqrt(fan).
            WeightInit::Default => Initializer::KaimingUniform {
                gain: 1.0 / 3f64.sqrt(),
                fan_out_only: false,
            },
            WeightInit::UniformFanOut => Initializer::KaimingUniform {
                gain: 1.0 / 3f64.sqrt(),
                fan_out_only: true,
            },
            WeightInit::KaimingNormal => Initializer::KaimingNormal {
                gain: std::f64::consts::SQRT_2,
                fan_out_only: true,
            },
            WeightInit::KaimingUniform => Initializer::KaimingUniform {
                gain: std::f64::consts::SQRT_2,
                fan_out_only: false,
            },
            WeightInit::XavierUniform => Initializer::XavierUniform { gain: 1.0 },
            WeightInit::Normal { std } => Initializer::Normal { mean: 0.0, std },
            WeightInit::Uniform { bound } => Initializer::Uniform {
                min: -bound,
                max: bound,
            },
            WeightInit::Zeros => Initializer::Zeros,
        }
    }

    /// Whether biases are drawn as well.
    pub fn draws_bias(self) -> bool {
        self == WeightInit::Default
    }
}
