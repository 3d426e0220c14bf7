//! A list of layers as a Burn module, whose parameters have the names of the list.

use burn::module::{Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault};
use burn::module::{ModuleMapper, ModuleVisitor};
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Dropout, GroupNorm, LayerNorm, Linear};
use burn::prelude::*;

use super::parts::{ClassToken, PositionEmbedding, Scale, SelfAttention};
use crate::models::layer_list::{Function, Operation};

/// Layers one after another.
#[derive(Debug, Clone)]
pub struct Sequence {
    /// First layer first.
    pub layers: Vec<Layer>,
}

/// A layer with its full name, and the positions at which its weights are applied to one image.
#[derive(Debug, Clone)]
pub struct Layer {
    /// The levels of its name.
    pub path: Vec<String>,
    /// Rows times columns of its output, or tokens.
    pub positions: usize,
    /// The layer.
    pub operator: Operator,
}

/// A layer as a module.
#[derive(Debug, Clone)]
pub enum Operator {
    /// Convolution.
    Conv(Conv2d),
    /// Batch normalization.
    BatchNorm(BatchNorm),
    /// Group normalization.
    GroupNorm(GroupNorm),
    /// Layer normalization.
    LayerNorm(LayerNorm),
    /// Fully connected.
    Linear(Linear),
    /// Dropout.
    Dropout(Dropout),
    /// Sum of a body and a shortcut.
    Residual {
        /// Layers whose output is added.
        body: Sequence,
        /// Layers from the input to the sum; empty for the input itself.
        shortcut: Sequence,
        /// Leaves out the bodies of images in training.
        drop_path: Dropout,
    },
    /// Lists side by side.
    Branches(Vec<Sequence>),
    /// A list.
    Group(Sequence),
    /// Squeeze and excitation.
    SqueezeExcite {
        /// Two 1x1 convolutions: to the hidden channels, and back.
        convs: Sequence,
        /// Of the hidden channels.
        activation: Function,
        /// Turns the result into factors.
        gate: Function,
    },
    /// A factor for each channel.
    Scale(Scale),
    /// A learned token.
    ClassToken(ClassToken),
    /// A learned vector for each token.
    PositionEmbedding(PositionEmbedding),
    /// Self-attention.
    SelfAttention(SelfAttention),
    /// A layer without parameters.
    Plain(Operation),
}

/// Does the same with the part of an operator, whatever its type.
macro_rules! for_each_part {
    ($operator:expr, $part:ident => $work:expr, $none:expr) => {
        match $operator {
            Operator::Conv($part) => $work,
            Operator::BatchNorm($part) => $work,
            Operator::GroupNorm($part) => $work,
            Operator::LayerNorm($part) => $work,
            Operator::Linear($part) => $work,
            Operator::Dropout($part) => $work,
            Operator::Branches($part) => $work,
            Operator::Group($part) => $work,
            Operator::SqueezeExcite { convs: $part, .. } => $work,
            Operator::Scale($part) => $work,
            Operator::ClassToken($part) => $work,
            Operator::PositionEmbedding($part) => $work,
            Operator::SelfAttention($part) => $work,
            Operator::Residual { .. } | Operator::Plain(_) => $none,
        }
    };
}

/// The same operator with its part changed.
macro_rules! map_part {
    ($operator:expr, $part:ident => $work:expr) => {
        match $operator {
            Operator::Conv($part) => Operator::Conv($work),
            Operator::BatchNorm($part) => Operator::BatchNorm($work),
            Operator::GroupNorm($part) => Operator::GroupNorm($work),
            Operator::LayerNorm($part) => Operator::LayerNorm($work),
            Operator::Linear($part) => Operator::Linear($work),
            Operator::Dropout($part) => Operator::Dropout($work),
            Operator::Branches(parts) => {
                Operator::Branches(parts.into_iter().map(|$part| $work).collect())
            }
            Operator::Group($part) => Operator::Group($work),
            Operator::SqueezeExcite {
                convs: $part,
                activation,
                gate,
            } => Operator::SqueezeExcite {
                convs: $work,
                activation,
                gate,
            },
            Operator::Scale($part) => Operator::Scale($work),
            Operator::ClassToken($part) => Operator::ClassToken($work),
            Operator::PositionEmbedding($part) => Operator::PositionEmbedding($work),
            Operator::SelfAttention($part) => Operator::SelfAttention($work),
            Operator::Residual {
                body,
                shortcut,
                drop_path,
            } => Operator::Residual {
                body: {
                    let $part = body;
                    $work
                },
                shortcut: {
                    let $part = shortcut;
                    $work
                },
                drop_path: {
                    let $part = drop_path;
                    $work
                },
            },
            Operator::Plain(operation) => Operator::Plain(operation),
        }
    };
}

/// The container type that Burn's visitors get for a level of a name.
const LEVEL: &str = "Vec";

impl Layer {
    /// Whether its parts have full names of their own.
    fn holds_layers(&self) -> bool {
        matches!(
            self.operator,
            Operator::Residual { .. }
                | Operator::Branches(_)
                | Operator::Group(_)
                | Operator::SqueezeExcite { .. }
        )
    }

    /// The levels to enter before the parts.
    fn levels(&self) -> Vec<String> {
        if self.holds_layers() {
            Vec::new()
        } else {
            self.path.clone()
        }
    }

    /// The layer with its operator changed.
    fn change(self, change: impl FnOnce(Operator) -> Operator) -> Self {
        Self {
            operator: change(self.operator),
            ..self
        }
    }
}

impl Sequence {
    fn change(self, change: impl Fn(Operator) -> Operator) -> Self {
        let layers = self.layers.into_iter();
        Self {
            layers: layers.map(|layer| layer.change(&change)).collect(),
        }
    }
}

impl Module for Sequence {
    fn collect_devices(&self, devices: Devices) -> Devices {
        let layers = self.layers.iter();
        layers.fold(devices, |devices, layer| match &layer.operator {
            Operator::Residual { body, shortcut, .. } => {
                shortcut.collect_devices(body.collect_devices(devices))
            }
            operator => for_each_part!(operator, part => part.collect_devices(devices), devices),
        })
    }

    fn fork(self, device: &Device) -> Self {
        self.change(|operator| map_part!(operator, part => part.fork(device)))
    }

    fn to_device(self, device: &Device) -> Self {
        self.change(|operator| map_part!(operator, part => part.to_device(device)))
    }

    fn train(self) -> Self {
        self.change(|operator| map_part!(operator, part => part.train()))
    }

    fn valid(&self) -> Self {
        let this = self.clone();
        this.change(|operator| map_part!(operator, part => part.valid()))
    }

    fn materialize(self) -> Self {
        self.change(|operator| map_part!(operator, part => part.materialize()))
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        for layer in &self.layers {
            let levels = layer.levels();
            for level in &levels {
                visitor.enter_module(level, LEVEL);
            }
            match &layer.operator {
                Operator::Residual {
                    body,
                    shortcut,
                    drop_path,
                } => {
                    body.visit(visitor);
                    shortcut.visit(visitor);
                    drop_path.visit(visitor);
                }
                Operator::Branches(parts) => parts.iter().for_each(|part| part.visit(visitor)),
                operator => for_each_part!(operator, part => part.visit(visitor), ()),
            }
            for level in levels.iter().rev() {
                visitor.exit_module(level, LEVEL);
            }
        }
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        let mut layers = Vec::with_capacity(self.layers.len());
        for layer in self.layers {
            let levels = layer.levels();
            for level in &levels {
                mapper.enter_module(level, LEVEL);
            }
            layers.push(layer.change(|operator| map_part!(operator, part => part.map(mapper))));
            for level in levels.iter().rev() {
                mapper.exit_module(level, LEVEL);
            }
        }
        Self { layers }
    }
}

impl ModuleDisplayDefault for Sequence {
    fn content(&self, content: Content) -> Option<Content> {
        Some(content)
    }
}

impl ModuleDisplay for Sequence {}
