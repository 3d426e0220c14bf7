//! Layers that Burn does not have, with PyTorch's names of their parameters.

use burn::module::{Initializer, Param};
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::prelude::*;
use burn::tensor::activation::softmax;

use super::construct::dense;
use crate::models::blocks::dropout;
use crate::models::layer_list::WeightInit;

/// A factor for each channel, drawn as a constant.
#[derive(Module, Debug)]
pub struct Scale {
    /// `[channels, 1, 1]`
    pub layer_scale: Param<Tensor<3>>,
}

impl Scale {
    /// Undrawn.
    pub fn new(channels: usize, initial: f64, device: &Device) -> Self {
        Self {
            layer_scale: Initializer::Constant { value: initial }.init([channels, 1, 1], device),
        }
    }
}

/// A learned token in front of a sequence.
#[derive(Module, Debug)]
pub struct ClassToken {
    /// `[1, 1, features]`
    pub class_token: Param<Tensor<3>>,
}

impl ClassToken {
    /// Zeros, as in torchvision.
    pub fn new(features: usize, device: &Device) -> Self {
        Self {
            class_token: Initializer::Zeros.init([1, 1, features], device),
        }
    }

    /// `[batch, tokens, features]` to `[batch, tokens + 1, features]`.
    pub fn forward(&self, tokens: Tensor<3>) -> Tensor<3> {
        let [batch, _, features] = tokens.dims();
        let token = self.class_token.val().expand([batch, 1, features]);
        Tensor::cat(vec![token, tokens], 1)
    }
}

/// A learned vector for each token.
#[derive(Module, Debug)]
pub struct PositionEmbedding {
    /// `[1, tokens, features]`
    pub pos_embedding: Param<Tensor<3>>,
}

impl PositionEmbedding {
    /// Standard deviation of the initial values, as in torchvision.
    const STD: f64 = 0.02;

    /// Undrawn.
    pub fn new(tokens: usize, features: usize, device: &Device) -> Self {
        let initializer = Initializer::Normal {
            mean: 0.0,
            std: Self::STD,
        };
        Self {
            pos_embedding: initializer.init([1, tokens, features], device),
        }
    }
}

/// Multi-head self-attention (Vaswani et al. 2017), with the parameters of PyTorch's `MultiheadAttention`.
#[derive(Module, Debug)]
pub struct SelfAttention {
    /// Queries, keys and values one below the other: `[3 features, features]`.
    pub in_proj_weight: Param<Tensor<2>>,
    /// `[3 features]`
    pub in_proj_bias: Param<Tensor<1>>,
    /// Of the heads' results.
    pub out_proj: Linear,
    dropout: Dropout,
    #[module(skip)]
    heads: usize,
}

impl SelfAttention {
    /// Undrawn: Glorot uniform, biases zero.
    pub fn new(features: usize, heads: usize, dropout: f64, device: &Device) -> Self {
        let (inputs, outputs) = (Some(features), Some(3 * features));
        let initializer = Initializer::XavierUniform { gain: 1.0 };
        let mut out_proj = dense(features, features, true, WeightInit::Default, device);
        out_proj.bias = Some(Initializer::Zeros.init([features], device));
        Self {
            in_proj_weight: initializer.init_with(
                [3 * features, features],
                inputs,
                outputs,
                device,
            ),
            in_proj_bias: Initializer::Zeros.init([3 * features], device),
            out_proj,
            dropout: DropoutConfig::new(dropout).init(),
            heads,
        }
    }

    /// `[batch, tokens, features]`, same shape.
    pub fn forward(&self, tokens: Tensor<3>) -> Tensor<3> {
        let [batch, count, features] = tokens.dims();
        let width = features / self.heads;
        let weight = self.in_proj_weight.val().transpose();
        let projected = tokens.reshape([batch * count, features]).matmul(weight)
            + self.in_proj_bias.val().unsqueeze();
        let parts: Vec<Tensor<4>> = projected
            .chunk(3, 1)
            .into_iter()
            .map(|part| {
                part.reshape([batch, count, self.heads, width])
                    .swap_dims(1, 2)
            })
            .collect();
        let [queries, keys, values] = [0, 1, 2].map(|part| parts[part].clone());
        let scores = queries.matmul(keys.transpose()) * (1.0 / (width as f64).sqrt());
        let weights = dropout(&self.dropout, softmax(scores, 3));
        let mixed = weights.matmul(values).swap_dims(1, 2);
        self.out_proj
            .forward(mixed.reshape([batch, count, features]))
    }
}
