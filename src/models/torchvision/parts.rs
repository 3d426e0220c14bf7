//! What several of torchvision's networks are made of.

use crate::error::Problem;
use crate::models::layer_list::{
    ConvConfig, LayerConfig, NamedConfig, SqueezeExciteConfig, WeightInit, batch_norm_with, conv,
    group, plain, residual,
};
use crate::shape::ImageShape;

/// Numbers of channels are multiples of this, for the vector units of phones (`_make_divisible`).
const DIVISOR: usize = 8;

/// The least that rounding leaves of a number of channels.
const LEAST: f64 = 0.9;

/// A number of channels as the nearest multiple of 8, rounded up where rounding down would take more than a tenth; at least 8.
pub fn divisible(channels: f64) -> usize {
    let half = (DIVISOR / 2) as f64;
    let rounded = DIVISOR.max((channels + half) as usize / DIVISOR * DIVISOR);
    if (rounded as f64) < LEAST * channels {
        rounded + DIVISOR
    } else {
        rounded
    }
}

/// The problem of a network that can't be built for images of `shape`, because of one of its layers.
pub fn misfit(network: &str, problem: &Problem, shape: ImageShape) -> Problem {
    let (height, width) = (shape.height, shape.width);
    let message = format!(
        "{network} can't be built for images of {height}x{width}: {}: {}",
        problem.path, problem.message
    );
    Problem::new("kind", message)
}

/// Constants of batch norms: what is added to the variance, and the weight of a batch in the running statistics.
#[derive(Debug, Clone, Copy)]
pub struct Norm {
    /// Added to the variance.
    pub epsilon: f64,
    /// Weight of a batch.
    pub momentum: f64,
}

/// PyTorch's defaults.
pub const NORM: Norm = Norm {
    epsilon: 1e-5,
    momentum: 0.1,
};

impl Norm {
    /// The batch norm under a name.
    pub fn named(self, name: impl Into<String>) -> LayerConfig {
        batch_norm_with(self.epsilon, self.momentum).named(name)
    }
}

/// A convolution that keeps the size with stride 1, without a bias, as it stands in front of a batch norm.
pub fn bare_conv(channels: usize, kernel: usize, stride: usize) -> ConvConfig {
    conv(channels, kernel)
        .stride(stride)
        .padding(kernel / 2)
        .without_bias()
        .init(WeightInit::KaimingNormal)
}

/// A layer that applies a function to each value.
pub type Activation = fn(NamedConfig) -> LayerConfig;

/// torchvision's `Conv2dNormActivation`: `NAME.0` is the convolution, `NAME.1` the batch norm.
pub fn conv_norm(
    name: &str,
    conv: ConvConfig,
    norm: Norm,
    activation: Option<Activation>,
) -> Vec<LayerConfig> {
    let mut layers = vec![
        conv.named(format!("{name}.0")),
        norm.named(format!("{name}.1")),
    ];
    layers.extend(activation.map(plain));
    layers
}

/// Sizes of an inverted residual (Sandler et al. 2018) as in MobileNetV3 and EfficientNet.
#[derive(Debug, Clone)]
pub struct Inverted {
    /// Channels of its input.
    pub inputs: usize,
    /// Channels between its convolutions.
    pub expanded: usize,
    /// Channels of its output.
    pub outputs: usize,
    /// Side of the depthwise kernel.
    pub kernel: usize,
    /// Step of the depthwise kernel.
    pub stride: usize,
    /// Behind the first two convolutions.
    pub activation: Activation,
    /// Squeeze and excitation before the last convolution.
    pub excite: Option<SqueezeExciteConfig>,
    /// Constants of its batch norms.
    pub norm: Norm,
    /// Probability of leaving it out for an image in training.
    pub drop_path: f64,
}

impl Inverted {
    /// The layers below `NAME.block`, numbered; with its input added where the shape stays the same.
    pub fn named(self, name: String) -> LayerConfig {
        let mut parts: Vec<Vec<LayerConfig>> = Vec::new();
        let norm = self.norm;
        let activation = Some(self.activation);
        if self.expanded != self.inputs {
            let expand = bare_conv(self.expanded, 1, 1);
            parts.push(conv_norm("block.0", expand, norm, activation));
        }
        let depthwise = bare_conv(self.expanded, self.kernel, self.stride).groups(self.expanded);
        let place = format!("block.{}", parts.len());
        parts.push(conv_norm(&place, depthwise, norm, activation));
        if let Some(excite) = self.excite {
            let place = format!("block.{}", parts.len());
            parts.push(vec![LayerConfig::SqueezeExcite(excite).named(place)]);
        }
        let place = format!("block.{}", parts.len());
        let project = bare_conv(self.outputs, 1, 1);
        parts.push(conv_norm(&place, project, norm, None));
        let layers = parts.concat();
        let block = if self.stride == 1 && self.inputs == self.outputs {
            residual(layers, Vec::new(), self.drop_path)
        } else {
            group(layers)
        };
        block.named(name)
    }
}
