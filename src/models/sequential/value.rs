//! What flows between layers.

use burn::prelude::*;

use crate::models::blocks::Layout;

/// A batch of what a layer takes or gives.
#[derive(Debug, Clone)]
pub enum Value {
    /// Maps, in the layout of the device.
    Maps(Tensor<4>),
    /// `[batch, height, width, channels]`, whatever the device.
    LastMaps(Tensor<4>),
    /// `[batch, tokens, features]`
    Tokens(Tensor<3>),
    /// `[batch, features]`
    Vector(Tensor<2>),
}

/// The kind of layer does not take this kind of value. Shapes are checked before a network is built, so this is a defect of
/// the program.
#[track_caller]
pub fn mismatch<T>(layer: &str, value: &Value) -> T {
    let kind = match value {
        Value::Maps(_) => "feature maps",
        Value::LastMaps(_) => "feature maps with channels last",
        Value::Tokens(_) => "tokens",
        Value::Vector(_) => "a vector",
    };
    panic!("{layer} does not take {kind}; the layers were not inferred from the same list")
}

impl Value {
    /// Applies the same to the tensor, whatever its rank, keeping the kind of value.
    pub fn map(self, change: impl Elementwise) -> Self {
        match self {
            Value::Maps(maps) => Value::Maps(change.apply(maps)),
            Value::LastMaps(maps) => Value::LastMaps(change.apply(maps)),
            Value::Tokens(tokens) => Value::Tokens(change.apply(tokens)),
            Value::Vector(vector) => Value::Vector(change.apply(vector)),
        }
    }

    /// The sum of two values of one kind.
    pub fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Value::Maps(a), Value::Maps(b)) => Value::Maps(a + b),
            (Value::LastMaps(a), Value::LastMaps(b)) => Value::LastMaps(a + b),
            (Value::Tokens(a), Value::Tokens(b)) => Value::Tokens(a + b),
            (Value::Vector(a), Value::Vector(b)) => Value::Vector(a + b),
            (_, other) => mismatch("a residual connection", &other),
        }
    }

    /// Number of images.
    pub fn batch(&self) -> usize {
        match self {
            Value::Maps(maps) | Value::LastMaps(maps) => maps.dims()[0],
            Value::Tokens(tokens) => tokens.dims()[0],
            Value::Vector(vector) => vector.dims()[0],
        }
    }

    /// The device of the tensor.
    pub fn device(&self) -> Device {
        match self {
            Value::Maps(maps) | Value::LastMaps(maps) => maps.device(),
            Value::Tokens(tokens) => tokens.device(),
            Value::Vector(vector) => vector.device(),
        }
    }

    /// The maps.
    pub fn into_maps(self) -> Tensor<4> {
        match self {
            Value::Maps(maps) => maps,
            other => mismatch("the head", &other),
        }
    }

    /// Everything as one vector, channels first.
    pub fn flatten(self, layout: Layout) -> Tensor<2> {
        match self {
            Value::Maps(maps) => layout.to_channels_first(maps).flatten(1, 3),
            Value::LastMaps(maps) => maps.flatten(1, 3),
            Value::Tokens(tokens) => tokens.flatten(1, 2),
            Value::Vector(vector) => vector,
        }
    }
}

/// A function of tensors of every rank.
pub trait Elementwise {
    /// The result, of the same shape.
    fn apply<const D: usize>(&self, values: Tensor<D>) -> Tensor<D>;
}
