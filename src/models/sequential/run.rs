//! Runs a list of layers.

use std::slice::SliceIndex;

use burn::nn::conv::Conv2d;
use burn::nn::{Dropout, GroupNorm, LayerNorm, Linear};
use burn::prelude::*;

use super::fused::{batch_norm, conv_norm, convolution};
use super::module::{Layer, Operator, Sequence};
use super::parts::Scale;
use super::plain::plain;
use super::value::{Elementwise, Value, mismatch};
use crate::kernels::{self, Activation};
use crate::models::blocks::{Layout, dropout, is_active, linear};
use crate::models::layer_list::{Function, Operation};

impl Elementwise for Function {
    fn apply<const D: usize>(&self, values: Tensor<D>) -> Tensor<D> {
        kernels::activate(values, self.activation())
    }
}

impl Elementwise for &Dropout {
    fn apply<const D: usize>(&self, values: Tensor<D>) -> Tensor<D> {
        dropout(self, values)
    }
}

impl Sequence {
    /// The output of the last layer; the input, if there is none.
    pub fn forward(&self, value: Value, layout: Layout) -> Value {
        run(&self.layers, value, layout)
    }

    /// The output of some of the layers.
    pub fn forward_range(
        &self,
        range: impl SliceIndex<[Layer], Output = [Layer]>,
        value: Value,
        layout: Layout,
    ) -> Value {
        run(&self.layers[range], value, layout)
    }
}

/// Runs layers one after another. Where kernels compute several in one pass, they do.
fn run(layers: &[Layer], mut value: Value, layout: Layout) -> Value {
    let mut rest = layers;
    while !rest.is_empty() {
        let (output, taken) = first(rest, value, layout);
        value = output;
        rest = &rest[taken..];
    }
    value
}

/// The output of the first layers of a list, and how many these were.
fn first(layers: &[Layer], value: Value, layout: Layout) -> (Value, usize) {
    let activation_at = |index: usize| layers.get(index).and_then(activation_of);
    match (
        &layers[0].operator,
        layers.get(1).map(|layer| &layer.operator),
        value,
    ) {
        (Operator::Conv(conv), Some(Operator::BatchNorm(norm)), Value::Maps(maps)) => {
            let (activation, taken) = or_identity(activation_at(2), 2);
            let output = conv_norm(conv, norm, maps, None, activation, layout);
            (Value::Maps(output), taken)
        }
        (Operator::Conv(conv), _, Value::Maps(maps)) => {
            let (activation, taken) = or_identity(activation_at(1), 1);
            (
                Value::Maps(convolution(conv, maps, activation, layout)),
                taken,
            )
        }
        (Operator::BatchNorm(norm), _, Value::Maps(maps)) => {
            let (activation, taken) = or_identity(activation_at(1), 1);
            (
                Value::Maps(batch_norm(norm, maps, activation, layout)),
                taken,
            )
        }
        (Operator::Linear(linear), _, value) => {
            let (activation, taken) = or_identity(activation_at(1), 1);
            (dense(linear, value, activation), taken)
        }
        (
            Operator::Residual {
                body,
                shortcut,
                drop_path,
            },
            _,
            Value::Maps(maps),
        ) if ends_with_norm(body) && !is_active(drop_path, &maps.device()) => {
            let (activation, taken) = or_identity(activation_at(1), 1);
            (residual(body, shortcut, maps, activation, layout), taken)
        }
        (operator, _, value) => (step(operator, value, layout), 1),
    }
}

/// The activation, or the identity if there is none, and the number of layers taken: an activation counts as one more.
fn or_identity(activation: Option<Activation>, layers: usize) -> (Activation, usize) {
    match activation {
        Some(activation) => (activation, layers + 1),
        None => (Activation::Identity, layers),
    }
}

/// The function that a layer applies to each value.
fn activation_of(layer: &Layer) -> Option<Activation> {
    match layer.operator {
        Operator::Plain(Operation::Activation(function)) => Some(function.activation()),
        _ => None,
    }
}

/// Whether a body ends with a convolution and a batch normalization.
fn ends_with_norm(body: &Sequence) -> bool {
    matches!(
        body.layers.as_slice(),
        [
            ..,
            Layer {
                operator: Operator::Conv(_),
                ..
            },
            Layer {
                operator: Operator::BatchNorm(_),
                ..
            }
        ]
    )
}

/// A residual connection whose sum is computed with the last normalization, and the function after it.
fn residual(
    body: &Sequence,
    shortcut: &Sequence,
    maps: Tensor<4>,
    activation: Activation,
    layout: Layout,
) -> Value {
    let other = shortcut
        .forward(Value::Maps(maps.clone()), layout)
        .into_maps();
    let last = body.layers.len() - 2;
    let inner = run(&body.layers[..last], Value::Maps(maps), layout).into_maps();
    match (&body.layers[last].operator, &body.layers[last + 1].operator) {
        (Operator::Conv(conv), Operator::BatchNorm(norm)) => Value::Maps(conv_norm(
            conv,
            norm,
            inner,
            Some(other),
            activation,
            layout,
        )),
        (operator, _) => step(operator, Value::Maps(inner), layout),
    }
}

fn step(operator: &Operator, value: Value, layout: Layout) -> Value {
    match operator {
        Operator::Conv(conv) => on_maps("conv", value, |maps| {
            convolution(conv, maps, Activation::Identity, layout)
        }),
        Operator::BatchNorm(norm) => on_maps("batch_norm", value, |maps| {
            batch_norm(norm, maps, Activation::Identity, layout)
        }),
        Operator::GroupNorm(norm) => {
            on_maps("group_norm", value, |maps| group_norm(norm, maps, layout))
        }
        Operator::LayerNorm(norm) => layer_norm(norm, value, layout),
        Operator::Linear(layer) => dense(layer, value, Activation::Identity),
        Operator::Dropout(dropout) => value.map(dropout),
        Operator::Residual {
            body,
            shortcut,
            drop_path,
        } => {
            let other = shortcut.forward(value.clone(), layout);
            drop_images(drop_path, body.forward(value, layout)).plus(other)
        }
        Operator::Branches(branches) => {
            let maps = branches
                .iter()
                .map(|branch| match branch.forward(value.clone(), layout) {
                    Value::Maps(maps) => maps,
                    other => mismatch("branches", &other),
                });
            Value::Maps(Tensor::cat(maps.collect(), layout.channel_dim()))
        }
        Operator::Group(layers) => layers.forward(value, layout),
        Operator::SqueezeExcite {
            convs,
            activation,
            gate,
        } => on_maps("squeeze_excite", value, |maps| {
            let means = layout.channel_means(maps.clone());
            let factors = factors(convs, means, [*activation, *gate]);
            layout.scale_channels(maps, factors)
        }),
        Operator::Scale(scale) => on_maps("scale", value, |maps| scaled(scale, maps, layout)),
        Operator::ClassToken(token) => match value {
            Value::Tokens(tokens) => Value::Tokens(token.forward(tokens)),
            other => mismatch("class_token", &other),
        },
        Operator::PositionEmbedding(positions) => match value {
            Value::Tokens(tokens) => Value::Tokens(tokens + positions.pos_embedding.val()),
            other => mismatch("position_embedding", &other),
        },
        Operator::SelfAttention(attention) => match value {
            Value::Tokens(tokens) => Value::Tokens(attention.forward(tokens)),
            other => mismatch("self_attention", &other),
        },
        Operator::Plain(operation) => plain(operation, value, layout),
    }
}

fn on_maps(layer: &str, value: Value, work: impl FnOnce(Tensor<4>) -> Tensor<4>) -> Value {
    match value {
        Value::Maps(maps) => Value::Maps(work(maps)),
        other => mismatch(layer, &other),
    }
}

fn group_norm(norm: &GroupNorm, maps: Tensor<4>, layout: Layout) -> Tensor<4> {
    layout.arrange(norm.forward(layout.to_channels_first(maps)))
}

/// Over the last dimension; of maps, over the channels.
fn layer_norm(norm: &LayerNorm, value: Value, layout: Layout) -> Value {
    match value {
        Value::Maps(maps) => {
            let last = match layout {
                Layout::ChannelsLast => maps,
                Layout::ChannelsFirst => maps.permute([0, 2, 3, 1]),
            };
            let output = norm.forward(last);
            Value::Maps(match layout {
                Layout::ChannelsLast => output,
                Layout::ChannelsFirst => output.permute([0, 3, 1, 2]),
            })
        }
        Value::LastMaps(maps) => Value::LastMaps(norm.forward(maps)),
        Value::Tokens(tokens) => Value::Tokens(norm.forward(tokens)),
        Value::Vector(vector) => Value::Vector(norm.forward(vector)),
    }
}

/// A fully connected layer on the last dimension, followed by its activation.
fn dense(layer: &Linear, value: Value, activation: Activation) -> Value {
    match value {
        Value::LastMaps(maps) => {
            let [batch, height, width, inputs] = maps.dims();
            let rows = maps.reshape([batch * height * width, inputs]);
            let output = linear(layer, rows, activation);
            let outputs = output.dims()[1];
            Value::LastMaps(output.reshape([batch, height, width, outputs]))
        }
        Value::Tokens(tokens) => {
            let [batch, count, inputs] = tokens.dims();
            let output = linear(layer, tokens.reshape([batch * count, inputs]), activation);
            let outputs = output.dims()[1];
            Value::Tokens(output.reshape([batch, count, outputs]))
        }
        Value::Vector(vector) => Value::Vector(linear(layer, vector, activation)),
        other => mismatch("linear", &other),
    }
}

/// Squeeze and excitation (Hu et al. 2018): a factor for each channel, from the means `[batch, channels]`.
fn factors(convs: &Sequence, means: Tensor<2>, functions: [Function; 2]) -> Tensor<2> {
    let mut values = means;
    for (layer, function) in convs.layers.iter().zip(functions) {
        if let Operator::Conv(conv) = &layer.operator {
            values = kernels::activate(on_one_position(conv, values), function.activation());
        }
    }
    values
}

/// A 1x1 convolution of maps of one position: `[batch, in]` to `[batch, out]`.
fn on_one_position(conv: &Conv2d, values: Tensor<2>) -> Tensor<2> {
    let [outputs, inputs, ..] = conv.weight.val().dims();
    let weight = conv.weight.val().reshape([outputs, inputs]).transpose();
    let product = values.matmul(weight);
    match &conv.bias {
        Some(bias) => product + bias.val().unsqueeze(),
        None => product,
    }
}

fn scaled(scale: &Scale, maps: Tensor<4>, layout: Layout) -> Tensor<4> {
    let factors = scale.layer_scale.val();
    let channels = factors.dims()[0];
    maps * layout.per_channel(factors.reshape([1, channels]))
}

/// Stochastic depth (Huang et al. 2016): in training, the bodies of some images become zero, and the others' are scaled so that
/// the mean stays.
fn drop_images(dropout: &Dropout, value: Value) -> Value {
    if !is_active(dropout, &value.device()) {
        return value;
    }
    let (batch, device) = (value.batch(), value.device());
    let factors: Tensor<1> = dropout.forward(Tensor::ones([batch], &device));
    value.map(PerImage(factors))
}

/// Multiplies each image by a factor of its own.
struct PerImage(Tensor<1>);

impl Elementwise for PerImage {
    fn apply<const D: usize>(&self, values: Tensor<D>) -> Tensor<D> {
        let mut shape = [1; D];
        shape[0] = self.0.dims()[0];
        values * self.0.clone().reshape(shape)
    }
}
