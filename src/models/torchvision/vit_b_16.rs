//! The vision transformer ViT-B/16 (Dosovitskiy et al. 2021); its relatives have other sizes.

use serde::{Deserialize, Serialize};

use super::parts::misfit;
use crate::error::Problem;
use crate::models::described::{Described, LayerList};
use crate::models::layer_list::{
    LayerConfig, WeightInit, conv, dropout, layer_norm, linear, plain, residual, self_attention,
};
use crate::shape::ImageShape;

/// Width of a block's hidden layer per value of a token.
const HIDDEN: usize = 4;

/// Added to the variance in layer norms.
const EPSILON: f64 = 1e-6;

/// ViT-B/16.
pub type VitB16 = Described<VitB16Config>;

/// Settings of ViT-B/16. ViT-B/32 has a `patch` of 32.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "app", schemars(extend("examples" = [{"patch": 4, "width": 192, "depth": 6, "heads": 3}])))]
pub struct VitB16Config {
    /// Rows and columns of a patch; divides the height and width of the images.
    #[cfg_attr(feature = "app", schemars(range(min = 1, max = 256)))]
    pub patch: usize,
    /// Values of a token.
    #[cfg_attr(feature = "app", schemars(range(min = 1, max = 4096)))]
    pub width: usize,
    /// Number of blocks.
    #[cfg_attr(feature = "app", schemars(range(min = 1, max = 128)))]
    pub depth: usize,
    /// Heads of the attention; divides the width.
    #[cfg_attr(feature = "app", schemars(range(min = 1, max = 256)))]
    pub heads: usize,
    /// Dropout probability after each part of a block.
    #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 0.95)))]
    pub dropout: f64,
    /// Dropout probability on the attention weights.
    #[cfg_attr(feature = "app", schemars(range(min = 0.0, max = 0.95)))]
    pub attention_dropout: f64,
    /// Number of classes; null takes it from the data.
    #[cfg_attr(feature = "app", schemars(range(min = 2, max = 65536)))]
    pub classes: Option<usize>,
}

impl Default for VitB16Config {
    fn default() -> Self {
        Self {
            patch: 16,
            width: 768,
            depth: 12,
            heads: 12,
            dropout: 0.0,
            attention_dropout: 0.0,
            classes: None,
        }
    }
}

impl VitB16Config {
    /// Attention between the tokens, then two fully connected layers at each; both are added to their input. torchvision draws
    /// the biases of the latter with a standard deviation of 1e-6; here they are zero.
    fn block(&self, index: usize) -> [LayerConfig; 2] {
        let dense = |features: usize| linear(features).init(WeightInit::XavierUniform);
        let attention = vec![
            layer_norm(EPSILON).named("ln_1"),
            self_attention(self.heads, self.attention_dropout).named("self_attention"),
            dropout(self.dropout),
        ];
        let perceptron = vec![
            layer_norm(EPSILON).named("ln_2"),
            dense(HIDDEN * self.width).named("mlp.0"),
            plain(LayerConfig::Gelu),
            dropout(self.dropout),
            dense(self.width).named("mlp.3"),
            dropout(self.dropout),
        ];
        let name = format!("encoder.layers.encoder_layer_{index}");
        [attention, perceptron].map(|body| residual(body, Vec::new(), 0.0).named(name.as_str()))
    }
}

impl LayerList for VitB16Config {
    fn layers(&self, shape: ImageShape) -> Vec<LayerConfig> {
        let fan_in = shape.channels * self.patch * self.patch;
        let init = WeightInit::Normal {
            std: (fan_in as f64).sqrt().recip(),
        };
        let patches = conv(self.width, self.patch)
            .stride(self.patch)
            .init(init)
            .named("conv_proj");
        let mut layers = vec![
            patches,
            plain(LayerConfig::Tokens),
            plain(LayerConfig::ClassToken).named(""),
            plain(LayerConfig::PositionEmbedding).named("encoder"),
            dropout(self.dropout),
        ];
        layers.extend((0..self.depth).flat_map(|index| self.block(index)));
        layers.extend([
            layer_norm(EPSILON).named("encoder.ln"),
            plain(LayerConfig::FirstToken),
            linear(None).init(WeightInit::Zeros).named("heads.head"),
        ]);
        layers
    }

    fn classes(&self) -> Option<usize> {
        self.classes
    }

    fn dropout(&self) -> f64 {
        self.dropout.max(self.attention_dropout)
    }

    fn without_dropout(self) -> Self {
        Self {
            dropout: 0.0,
            attention_dropout: 0.0,
            ..self
        }
    }

    fn problems(&self, shape: ImageShape) -> Vec<Problem> {
        let (width, heads, patch) = (self.width, self.heads, self.patch);
        let mut problems = Vec::new();
        if !width.is_multiple_of(heads) {
            let problem = format!("`width` {width} is not divisible by {heads} heads");
            problems.push(Problem::new("heads", problem));
        }
        let sides = [shape.height, shape.width];
        if sides
            .iter()
            .any(|side| !side.is_multiple_of(patch) || *side == 0)
        {
            let problem = format!(
                "the sides of the images must be multiples of {patch}, not {}x{}",
                sides[0], sides[1]
            );
            problems.push(Problem::new("patch", problem));
        }
        problems
    }

    fn misfit(&self, problem: Problem, shape: ImageShape) -> Problem {
        misfit("ViT", &problem, shape)
    }
}
