//! A list of layers with everything inferred: names, shapes and sizes. What a network is built from, drawn as and exported as.

use super::settings::DepthToSpaceMode;
use super::weight_init::WeightInit;
use crate::error::counted;
use crate::kernels::Activation;

/// A function of each value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// max(0, x)
    Relu,
    /// min(max(0, x), 6)
    Relu6,
    /// max(0, x) + slope min(0, x)
    LeakyRelu {
        /// Factor of negative values.
        slope: f64,
    },
    /// x times the normal distribution function of x, exact.
    Gelu,
    /// x sigmoid(x)
    Silu,
    /// x relu6(x + 3) / 6
    Hardswish,
    /// relu6(x + 3) / 6
    Hardsigmoid,
    /// 1 / (1 + e^-x)
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
}

impl Function {
    /// The kernels' name of it.
    pub fn activation(self) -> Activation {
        match self {
            Function::Relu => Activation::Relu,
            Function::Relu6 => Activation::Relu6,
            Function::LeakyRelu { slope } => Activation::LeakyRelu { slope },
            Function::Gelu => Activation::Gelu,
            Function::Silu => Activation::Silu,
            Function::Hardswish => Activation::Hardswish,
            Function::Hardsigmoid => Activation::Hardsigmoid,
            Function::Sigmoid => Activation::Sigmoid,
            Function::Tanh => Activation::Tanh,
        }
    }
}

/// The shape of what flows between two layers, for one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapShape {
    /// `[channels, height, width]`
    Maps {
        /// Channels.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// `[height, width, channels]`
    LastMaps {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Channels.
        channels: usize,
    },
    /// `[tokens, features]`
    Tokens {
        /// Length of the sequence.
        tokens: usize,
        /// Values of a token.
        features: usize,
    },
    /// `[features]`
    Vector {
        /// Values.
        features: usize,
    },
}

impl MapShape {
    /// The dimensions, without the batch.
    pub fn dims(self) -> Vec<usize> {
        match self {
            MapShape::Maps {
                channels,
                height,
                width,
            } => vec![channels, height, width],
            MapShape::LastMaps {
                height,
                width,
                channels,
            } => vec![height, width, channels],
            MapShape::Tokens { tokens, features } => vec![tokens, features],
            MapShape::Vector { features } => vec![features],
        }
    }

    /// In words: `feature maps of 64x56x56`, `a vector of 84 values`.
    pub fn described(self) -> String {
        match self {
            MapShape::Maps { .. } => format!("feature maps of {self}"),
            MapShape::LastMaps { .. } => format!("feature maps of {self} with channels last"),
            MapShape::Tokens { tokens, features } => {
                let [tokens, features] = [(tokens, "token"), (features, "value")]
                    .map(|(count, what)| counted(count, what, &format!("{what}s")));
                format!("{tokens} of {features}")
            }
            MapShape::Vector { features } => {
                format!("a vector of {}", counted(features, "value", "values"))
            }
        }
    }

    /// Channels, rows and columns of maps with channels first; `None` of anything else.
    pub fn maps(self) -> Option<[usize; 3]> {
        match self {
            MapShape::Maps {
                channels,
                height,
                width,
            } => Some([channels, height, width]),
            _ => None,
        }
    }

    /// Length of the last dimension; of maps, the channels.
    pub fn last_side(self) -> usize {
        match self {
            MapShape::Maps { channels, .. } | MapShape::LastMaps { channels, .. } => channels,
            MapShape::Tokens { features, .. } | MapShape::Vector { features } => features,
        }
    }

    /// How often the weights of a layer with this output are applied to an image: pixels of maps, tokens of a sequence.
    pub fn positions(self) -> usize {
        match self {
            MapShape::Maps { height, width, .. } | MapShape::LastMaps { height, width, .. } => {
                height * width
            }
            MapShape::Tokens { tokens, .. } => tokens,
            MapShape::Vector { .. } => 1,
        }
    }

    /// Number of values, or `None` if `usize` does not hold it.
    pub fn checked_values(self) -> Option<usize> {
        self.dims().into_iter().try_fold(1, usize::checked_mul)
    }
}

impl std::fmt::Display for MapShape {
    /// `64x56x56`, channels first; the dimensions with `x` between them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dims: Vec<String> = self.dims().iter().map(usize::to_string).collect();
        f.write_str(&dims.join("x"))
    }
}

/// One layer with what goes in and comes out.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Full name, levels separated by dots: what the names of its parameters begin with. Empty for parameters of the network
    /// itself.
    pub name: String,
    /// Where the config has it: `layers[3].body[0]`.
    pub place: String,
    /// Shape of its input.
    pub input: MapShape,
    /// Shape of its output.
    pub output: MapShape,
    /// What it does.
    pub operation: Operation,
}

/// Sizes of a convolution, both ways.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConvNode {
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Rows and columns.
    pub kernel: [usize; 2],
    /// Down and right.
    pub stride: [usize; 2],
    /// Above and below, left and right.
    pub padding: [usize; 2],
    /// Down and right.
    pub dilation: [usize; 2],
    /// Groups of channels; divides both.
    pub groups: usize,
    /// Whether it has a bias.
    pub bias: bool,
    /// Initial weights.
    pub init: WeightInit,
}

/// Sizes of a pool, both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolNode {
    /// Rows and columns of the window.
    pub kernel: [usize; 2],
    /// Down and right.
    pub stride: [usize; 2],
    /// Above and below, left and right.
    pub padding: [usize; 2],
    /// Windows may extend over the edge, as long as they begin inside or in the padding before it.
    pub ceil_mode: bool,
}

/// Sizes of a squeeze-and-excitation block.
#[derive(Debug, Clone, PartialEq)]
pub struct SqueezeExciteNode {
    /// Channels of the maps.
    pub channels: usize,
    /// Channels of the hidden layer.
    pub hidden: usize,
    /// Of the hidden layer.
    pub activation: Function,
    /// Of the factors.
    pub gate: Function,
    /// Initial weights.
    pub init: WeightInit,
    /// Names of the two 1x1 convolutions, which have biases.
    pub names: [String; 2],
}

/// What a layer does, with its sizes.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// `weight` `[outputs, inputs / groups, rows, columns]`, `bias` `[outputs]`.
    Conv(ConvNode),
    /// `weight`, `bias`, `running_mean`, `running_var` `[channels]`.
    BatchNorm {
        /// Channels.
        channels: usize,
        /// Added to the variance.
        epsilon: f64,
        /// Weight of a batch in the running statistics.
        momentum: f64,
    },
    /// `weight`, `bias` `[channels]`.
    GroupNorm {
        /// Channels.
        channels: usize,
        /// Groups; divides the channels.
        groups: usize,
        /// Added to the variance.
        epsilon: f64,
    },
    /// `weight`, `bias` `[features]`; over the last dimension, or over the channels of maps.
    LayerNorm {
        /// Features.
        features: usize,
        /// Added to the variance.
        epsilon: f64,
    },
    /// `weight` `[outputs, inputs]` in files, `bias` `[outputs]`; applied to the last dimension.
    Linear {
        /// Input features.
        inputs: usize,
        /// Output features.
        outputs: usize,
        /// Whether it has a bias.
        bias: bool,
        /// Initial weights.
        init: WeightInit,
    },
    /// A function of each value.
    Activation(Function),
    /// Zeros around maps: above, below, left, right.
    ZeroPad([usize; 4]),
    /// Largest value of each window.
    MaxPool(PoolNode),
    /// Mean of each window.
    AvgPool {
        /// Windows.
        pool: PoolNode,
        /// Whether zeros of the padding count.
        count_include_pad: bool,
    },
    /// Mean of each map.
    GlobalAvgPool,
    /// Largest value of each map.
    GlobalMaxPool,
    /// Means of windows, as many as rows and columns: position `i` of `n` over a side `s` is the mean from `floor(i s / n)` to
    /// `ceil((i + 1) s / n)`, as in PyTorch.
    AdaptiveAvgPool([usize; 2]),
    /// Everything as one vector, channels first.
    Flatten,
    /// A vector as maps of these rows and columns.
    Unflatten([usize; 2]),
    /// Probability of a zero in training.
    Dropout(f64),
    /// Body plus shortcut.
    Residual {
        /// Layers whose output is added to the shortcut's.
        body: Vec<Node>,
        /// Layers of the shortcut; empty for the input itself.
        shortcut: Vec<Node>,
        /// Probability of leaving out the body of an image in training.
        drop_path: f64,
    },
    /// Lists side by side; channels are concatenated.
    Branches(Vec<Vec<Node>>),
    /// Channels weighted by a small network of their means.
    SqueezeExcite(SqueezeExciteNode),
    /// Layers one after another.
    Group(Vec<Node>),
    /// `layer_scale` `[channels, 1, 1]`.
    Scale {
        /// Channels.
        channels: usize,
        /// Initial factor.
        initial: f64,
    },
    /// Groups of channels as neighbouring pixels.
    DepthToSpace {
        /// Rows and columns of a group.
        block: usize,
        /// Order of the channels.
        mode: DepthToSpaceMode,
    },
    /// Channels as the last dimension.
    ChannelsLast,
    /// Channels as the first dimension.
    ChannelsFirst,
    /// Positions as a sequence.
    Tokens,
    /// `class_token` `[1, 1, features]`, in front.
    ClassToken {
        /// Values of a token.
        features: usize,
    },
    /// `pos_embedding` `[1, tokens, features]`, added.
    PositionEmbedding {
        /// Length of the sequence.
        tokens: usize,
        /// Values of a token.
        features: usize,
    },
    /// `in_proj_weight` `[3 features, features]`, `in_proj_bias` `[3 features]`, `out_proj.weight` `[features, features]`,
    /// `out_proj.bias` `[features]`: PyTorch's `MultiheadAttention`.
    SelfAttention {
        /// Values of a token.
        features: usize,
        /// Heads; divides the features.
        heads: usize,
        /// Probability of a zero among the attention weights in training.
        dropout: f64,
    },
    /// The first token.
    FirstToken,
}

impl Operation {
    /// Whether it draws random numbers in training.
    pub fn is_random(&self) -> bool {
        let draws = match self {
            Operation::Dropout(probability) => *probability > 0.0,
            Operation::Residual { drop_path, .. } => *drop_path > 0.0,
            Operation::SelfAttention { dropout, .. } => *dropout > 0.0,
            _ => false,
        };
        let inner = self.inner().into_iter().flatten();
        draws || inner.map(|node| &node.operation).any(Operation::is_random)
    }

    /// Lists of layers inside of it, in the order of their parameters.
    pub fn inner(&self) -> Vec<&[Node]> {
        match self {
            Operation::Residual { body, shortcut, .. } => vec![body, shortcut],
            Operation::Branches(branches) => branches.iter().map(Vec::as_slice).collect(),
            Operation::Group(layers) => vec![layers],
            _ => Vec::new(),
        }
    }
}
