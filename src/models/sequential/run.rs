//! Runs a list of layers.

use std::slice::SliceIndex;

use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Dropout, GroupNorm, LayerNorm, Linear, PaddingConfig2d};
use burn::prelude::*;

use super::function::apply;
use super::module::{Layer, Operator, Sequence};
use super::parts::Scale;
use super::plain::plain;
use super::value::{Elementwise, Value, mismatch};
use crate::kernels;
use crate::models::blocks::{Layout, convolve, linear};
use crate::models::layer_list::{Function, Operation};

impl Elementwise for Function {
    fn apply<const D: usize>(&self, values: Tensor<D>) -> Tensor<D> {
        apply(*self, values)
    }
}

impl Elementwise for &Dropout {
    fn apply<const D: usize>(&self, values: Tensor<D>) -> Tensor<D> {
        self.forward(values)
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

/// Runs layers one after another. Where kernels compute a layer and the function behind it in one pass, they do.
fn run(layers: &[Layer], mut value: Value, layout: Layout) -> Value {
    let mut rest = layers;
    while let Some((layer, behind)) = rest.split_first() {
        let next = behind.first().and_then(function_of);
        let (output, taken) = match (&layer.operator, value, next) {
            (Operator::Conv(conv), Value::Maps(maps), Some(Function::Relu))
                if is_fast(conv, layout) =>
            {
                (Value::Maps(convolve(conv, maps, true, layout)), 2)
            }
            (Operator::Linear(layer), Value::Vector(vector), Some(function)) => {
                match fused(function) {
                    Some(fused) => (Value::Vector(linear(layer, vector, fused)), 2),
                    None => (dense(layer, Value::Vector(vector)), 1),
                }
            }
            (operator, value, _) => (step(operator, value, layout), 1),
        };
        value = output;
        rest = &rest[taken..];
    }
    value
}

/// The function that a layer applies to each value.
fn function_of(layer: &Layer) -> Option<Function> {
    match layer.operator {
        Operator::Plain(Operation::Activation(function)) => Some(function),
        _ => None,
    }
}

/// The functions that kernels apply with a fully connected layer.
fn fused(function: Function) -> Option<kernels::Activation> {
    match function {
        Function::Relu => Some(kernels::Activation::Relu),
        Function::Sigmoid => Some(kernels::Activation::Sigmoid),
        _ => None,
    }
}

fn step(operator: &Operator, value: Value, layout: Layout) -> Value {
    match operator {
        Operator::Conv(conv) => on_maps("conv", value, |maps| convolution(conv, maps, layout)),
        Operator::BatchNorm(norm) => {
            on_maps("batch_norm", value, |maps| batch_norm(norm, maps, layout))
        }
        Operator::GroupNorm(norm) => {
            on_maps("group_norm", value, |maps| group_norm(norm, maps, layout))
        }
        Operator::LayerNorm(norm) => layer_norm(norm, value, layout),
        Operator::Linear(layer) => dense(layer, value),
        Operator::Dropout(dropout) => value.map(dropout),
        Operator::Residual {
            body,
            shortcut,
            drop_path,
        } => {
            let other = shortcut.forward(value.clone(), layout);
            drop_images(drop_path, body.forward(value, layout)).add(other)
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
            let means = layout.global_average(maps.clone());
            let factors = factors(convs, means, [*activation, *gate]);
            maps * layout.per_channel(factors)
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

/// Whether kernels compute the convolution.
fn is_fast(conv: &Conv2d, layout: Layout) -> bool {
    let [rows, columns] = conv.kernel_size;
    let is_square = rows == columns
        && conv.stride[0] == conv.stride[1]
        && matches!(conv.padding, PaddingConfig2d::Explicit(top, left, ..) if top == left && top < rows);
    layout == Layout::ChannelsLast
        && conv.bias.is_some()
        && is_square
        && conv.groups == 1
        && conv.dilation == [1, 1]
}

fn convolution(conv: &Conv2d, maps: Tensor<4>, layout: Layout) -> Tensor<4> {
    if is_fast(conv, layout) {
        return convolve(conv, maps, false, layout);
    }
    layout.arrange(conv.forward(layout.to_channels_first(maps)))
}

fn batch_norm(norm: &BatchNorm, maps: Tensor<4>, layout: Layout) -> Tensor<4> {
    layout.arrange(norm.forward(layout.to_channels_first(maps)))
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

/// A fully connected layer on the last dimension.
fn dense(layer: &Linear, value: Value) -> Value {
    let identity = kernels::Activation::Identity;
    match value {
        Value::LastMaps(maps) => {
            let [batch, height, width, inputs] = maps.dims();
            let rows = maps.reshape([batch * height * width, inputs]);
            let output = linear(layer, rows, identity);
            let outputs = output.dims()[1];
            Value::LastMaps(output.reshape([batch, height, width, outputs]))
        }
        Value::Tokens(tokens) => {
            let [batch, count, inputs] = tokens.dims();
            let output = linear(layer, tokens.reshape([batch * count, inputs]), identity);
            let outputs = output.dims()[1];
            Value::Tokens(output.reshape([batch, count, outputs]))
        }
        Value::Vector(vector) => Value::Vector(linear(layer, vector, identity)),
        other => mismatch("linear", &other),
    }
}

/// Squeeze and excitation (Hu et al. 2018): a factor for each channel, from the means `[batch, channels]`.
fn factors(convs: &Sequence, means: Tensor<2>, functions: [Function; 2]) -> Tensor<2> {
    let mut values = means;
    for (layer, function) in convs.layers.iter().zip(functions) {
        if let Operator::Conv(conv) = &layer.operator {
            values = apply(function, on_one_position(conv, values));
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
    let is_idle = dropout.prob == 0.0 || !dropout.training.is_enabled();
    if is_idle || !value.device().is_autodiff() {
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
