//! From layers to steps.

use super::folding::{Norm, Weights, channels_last};
use super::pools;
use super::rearranging;
use super::step::{Operand, Step, Work};
use crate::kernels::inference::{Affine, Channels, ConvSizes, PackedConv};
use crate::kernels::{Activation, ConvOptions};
use crate::models::Tensors;
use crate::models::layer_list::{ConvNode, MapShape, Node, Operation, PoolNode, SqueezeExciteNode};
use crate::models::sequential::activation;

/// The steps of a list of layers, its input and its output; `None` if there is a layer that steps don't know.
pub fn compile(nodes: &[Node], weights: &Tensors) -> Option<(Vec<Step>, Operand, Operand)> {
    let mut compiler = Compiler {
        weights: Weights(weights),
        steps: Vec::new(),
        values: 0,
    };
    let input = compiler.value(nodes.first()?.input.checked_values()?);
    let output = compiler.list(nodes, Value::new(input))?;
    let output = compiler.channels_first(output)?;
    Some((compiler.steps, input, output.operand))
}

/// What flows between steps.
#[derive(Clone, Copy)]
struct Value {
    operand: Operand,
    /// What was flattened to this vector, channels first; its values lie channels last.
    flattened: Option<MapShape>,
}

impl Value {
    fn new(operand: Operand) -> Self {
        Self {
            operand,
            flattened: None,
        }
    }
}

struct Compiler<'a> {
    weights: Weights<'a>,
    steps: Vec<Step>,
    /// Number of values so far.
    values: usize,
}

impl Compiler<'_> {
    fn value(&mut self, values: usize) -> Operand {
        self.values += 1;
        Operand {
            buffer: self.values - 1,
            values,
        }
    }

    fn push(&mut self, work: Work, from: Value, other: Option<Value>, values: usize) -> Value {
        let to = self.value(values);
        self.steps.push(Step {
            work,
            from: from.operand,
            other: other.map(|other| other.operand),
            to,
        });
        Value::new(to)
    }

    /// A vector whose values are in the order in which they were flattened.
    fn channels_first(&mut self, value: Value) -> Option<Value> {
        let Some(maps) = value.flattened.filter(|maps| maps.positions() > 1) else {
            return Some(Value::new(value.operand));
        };
        match rearranging::flattened(maps) {
            Some(order) => {
                let values = order.len();
                Some(self.push(Work::Rearrange(order), value, None, values))
            }
            // Tokens and maps with channels last are in order.
            None => Some(Value::new(value.operand)),
        }
    }

    /// Layers one after another.
    fn list(&mut self, nodes: &[Node], value: Value) -> Option<Value> {
        self.all(&inlined(nodes), value)
    }

    fn all(&mut self, mut rest: &[&Node], mut value: Value) -> Option<Value> {
        while !rest.is_empty() {
            let (output, taken) = self.first(rest, value)?;
            value = output;
            rest = &rest[taken..];
        }
        Some(value)
    }

    /// The output of the first layers of a list, and how many these were.
    fn first(&mut self, nodes: &[&Node], value: Value) -> Option<(Value, usize)> {
        let node = nodes[0];
        let values = node.output.checked_values()?;
        match &node.operation {
            Operation::Conv(conv) => self.conv(nodes, conv, value, None),
            Operation::Linear { inputs, bias, .. } => {
                let (activation, taken) = activation_at(nodes, 1);
                let weight = self.weights.of(node, "weight")?;
                let weight = match value.flattened {
                    Some(shape) => channels_last(weight, shape),
                    None => weight,
                };
                let bias = self.weights.bias(node, *bias, weight.len() / inputs)?;
                let work = linear(&weight, *inputs, &bias, activation, node.output.positions());
                Some((self.push(work, value, None, values), taken))
            }
            operation if !is_by_value(operation) && value.flattened.is_some() => {
                let value = self.channels_first(value)?;
                self.first(nodes, value)
            }
            Operation::BatchNorm { .. } => {
                let (activation, taken) = activation_at(nodes, 1);
                let norm = self.weights.norm(node)?;
                let affine = Affine {
                    scale: norm.scale(),
                    shift: norm.shift(),
                    activation,
                };
                Some((self.push(Work::Affine(affine), value, None, values), taken))
            }
            Operation::Residual { body, shortcut, .. } => {
                let other = self.list(shortcut, value)?;
                let (activation, taken) = activation_at(nodes, 1);
                let output = self.residual(body, value, other, activation)?;
                Some((output, taken))
            }
            _ => Some((self.single(node, value, values)?, 1)),
        }
    }

    /// A layer that nothing is computed with.
    fn single(&mut self, node: &Node, value: Value, values: usize) -> Option<Value> {
        match &node.operation {
            Operation::Activation(function) => {
                let work = Work::Activation(activation(*function));
                Some(Value {
                    flattened: value.flattened,
                    ..self.push(work, value, None, values)
                })
            }
            Operation::Dropout(_) | Operation::ChannelsLast | Operation::ChannelsFirst => {
                Some(value)
            }
            Operation::Flatten => Some(Value {
                flattened: value.flattened.or(Some(node.input)),
                ..value
            }),
            Operation::LayerNorm { epsilon, .. } => {
                let work = Work::LayerNorm {
                    weight: self.weights.of(node, "weight")?,
                    bias: self.weights.of(node, "bias")?,
                    epsilon: *epsilon,
                };
                Some(self.push(work, value, None, values))
            }
            Operation::Scale { channels, .. } => {
                let affine = Affine {
                    scale: self.weights.of(node, "layer_scale")?,
                    shift: vec![0.0; *channels],
                    activation: Activation::Identity,
                };
                Some(self.push(Work::Affine(affine), value, None, values))
            }
            Operation::ZeroPad(edges) => {
                let MapShape::Maps {
                    channels,
                    height,
                    width,
                } = node.input
                else {
                    return None;
                };
                let work = Work::ZeroPad {
                    maps: [height, width, channels],
                    edges: *edges,
                };
                Some(self.push(work, value, None, values))
            }
            Operation::Unflatten(_) => {
                let order = rearranging::unflattened(node.output)?;
                Some(self.push(Work::Rearrange(order), value, None, values))
            }
            Operation::DepthToSpace { block, mode } => {
                let order = rearranging::depth_to_space(node.input, *block, *mode)?;
                Some(self.push(Work::Rearrange(order), value, None, values))
            }
            Operation::Branches(branches) => self.branches(node, branches, value, values),
            Operation::SqueezeExcite(sizes) => self.squeeze_excite(node, sizes, value),
            _ => {
                let windows = pools::windows(node)?;
                Some(self.push(Work::Windows(windows), value, None, values))
            }
        }
    }

    /// A convolution with the norm, the function and the pool that follow it, and a residual that is added before the function.
    fn conv(
        &mut self,
        nodes: &[&Node],
        conv: &ConvNode,
        value: Value,
        residual: Option<(Value, Activation)>,
    ) -> Option<(Value, usize)> {
        let node = nodes[0];
        let norm = nodes.get(1).and_then(|node| self.weights.norm(node));
        let before = if norm.is_some() { 2 } else { 1 };
        let (activation, mut taken) = match residual {
            Some((_, activation)) => (activation, before),
            None => activation_at(nodes, before),
        };
        let mut layer = self.packed(node, conv, norm, activation)?;
        let mut values = node.output.checked_values()?;
        if residual.is_none()
            && let Some(next) = nodes.get(taken)
            && is_halving(&next.operation)
            && activation == Activation::Relu
        {
            layer = layer.pooled()?;
            values = next.output.checked_values()?;
            taken += 1;
        }
        let channels = Channels {
            first: 0,
            step: conv.outputs,
        };
        let work = Work::Conv {
            layer,
            channels,
            positions: 1,
        };
        let other = residual.map(|(other, _)| other);
        Some((self.push(work, value, other, values), taken))
    }

    fn packed(
        &self,
        node: &Node,
        conv: &ConvNode,
        norm: Option<Norm>,
        activation: Activation,
    ) -> Option<PackedConv> {
        let MapShape::Maps { height, width, .. } = node.input else {
            return None;
        };
        let ConvNode {
            kernel: [kernel, columns],
            stride: [stride, across],
            padding: [padding, beside],
            ..
        } = *conv;
        let is_depthwise = conv.groups == conv.inputs && conv.groups == conv.outputs;
        let is_known = [kernel, stride, padding] == [columns, across, beside]
            && conv.dilation == [1, 1]
            && padding < kernel
            && (conv.groups == 1 || is_depthwise);
        if !is_known {
            return None;
        }
        let sizes = ConvSizes {
            inputs: conv.inputs,
            outputs: conv.outputs,
            height,
            width,
            kernel,
            options: ConvOptions {
                stride,
                padding,
                groups: conv.groups,
            },
        };
        let weight = self.weights.of(node, "weight")?;
        let bias = self.weights.bias(node, conv.bias, conv.outputs)?;
        Some(match norm {
            Some(norm) => PackedConv::new(
                sizes,
                &weight,
                Some(&norm.scale()),
                &norm.of_bias(&bias),
                activation,
            ),
            None => PackedConv::new(sizes, &weight, None, &bias, activation),
        })
    }

    /// A body plus another value, and the function of the sum.
    fn residual(
        &mut self,
        body: &[Node],
        value: Value,
        other: Value,
        activation: Activation,
    ) -> Option<Value> {
        let body = inlined(body);
        let is_norm = |node: &&Node| matches!(node.operation, Operation::BatchNorm { .. });
        let last = body.len() - usize::from(body.last().is_some_and(is_norm));
        if let Some(at) = last.checked_sub(1)
            && let Operation::Conv(conv) = &body[at].operation
        {
            let inner = self.all(&body[..at], value)?;
            let (output, _) = self.conv(&body[at..], conv, inner, Some((other, activation)))?;
            return Some(output);
        }
        let inner = self.all(&body, value)?;
        let values = inner.operand.values;
        Some(self.push(Work::Add(activation), inner, Some(other), values))
    }

    /// Lists side by side: the last convolution of each writes its channels of the output.
    fn branches(
        &mut self,
        node: &Node,
        branches: &[Vec<Node>],
        value: Value,
        values: usize,
    ) -> Option<Value> {
        let step = node.output.last_side();
        let to = self.value(values);
        let mut first = 0;
        for branch in branches {
            let before = self.steps.len();
            let output = self.list(branch, value)?.operand;
            let count = output.values / node.output.positions();
            let channels = Channels { first, step };
            let last = self.steps[before..].last_mut();
            match last.filter(|last| last.to == output) {
                Some(Step {
                    work:
                        Work::Conv {
                            layer,
                            channels: own,
                            ..
                        },
                    other: None,
                    to: own_output,
                    ..
                }) if !layer.is_pooled() => {
                    *own = channels;
                    *own_output = to;
                }
                _ => self.steps.push(Step {
                    work: Work::Copy(count, channels),
                    from: output,
                    other: None,
                    to,
                }),
            }
            first += count;
        }
        Some(Value::new(to))
    }

    /// Squeeze and excitation (Hu et al. 2018).
    fn squeeze_excite(
        &mut self,
        node: &Node,
        sizes: &SqueezeExciteNode,
        value: Value,
    ) -> Option<Value> {
        let MapShape::Maps {
            channels,
            height,
            width,
        } = node.input
        else {
            return None;
        };
        let means = Work::Windows(pools::means(channels, height, width));
        let mut factors = self.push(means, value, None, channels);
        let layers = [
            (sizes.activation, channels, sizes.hidden),
            (sizes.gate, sizes.hidden, channels),
        ];
        for (name, (function, inputs, outputs)) in sizes.names.iter().zip(layers) {
            let weight = self.weights.of(node, &format!("{name}.weight"))?;
            let bias = self.weights.of(node, &format!("{name}.bias"))?;
            let work = linear(&weight, inputs, &bias, activation(function), 1);
            factors = self.push(work, factors, None, outputs);
        }
        Some(self.push(
            Work::Scale(channels),
            value,
            Some(factors),
            value.operand.values,
        ))
    }
}

/// A fully connected layer at each position.
fn linear(
    weight: &[f32],
    inputs: usize,
    bias: &[f32],
    activation: Activation,
    positions: usize,
) -> Work {
    Work::Conv {
        layer: PackedConv::linear(inputs, weight, bias, activation),
        channels: Channels {
            first: 0,
            step: bias.len(),
        },
        positions,
    }
}

/// The layers with those of groups in place of the groups.
fn inlined(nodes: &[Node]) -> Vec<&Node> {
    let mut found = Vec::new();
    for node in nodes {
        match &node.operation {
            Operation::Group(layers) => found.extend(inlined(layers)),
            _ => found.push(node),
        }
    }
    found
}

/// The function at this place of a list, or the identity; and the number of layers up to it.
fn activation_at(nodes: &[&Node], index: usize) -> (Activation, usize) {
    match nodes.get(index).map(|node| &node.operation) {
        Some(Operation::Activation(function)) => (activation(*function), index + 1),
        _ => (Activation::Identity, index),
    }
}

/// Whether a layer treats every value alike, wherever it lies.
fn is_by_value(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::Activation(_) | Operation::Dropout(_) | Operation::Flatten
    )
}

/// Whether a layer is a 2x2 max pool that leaves out an odd last row or column.
fn is_halving(operation: &Operation) -> bool {
    let halving = PoolNode {
        kernel: [2, 2],
        stride: [2, 2],
        padding: [0, 0],
        ceil_mode: false,
    };
    matches!(operation, Operation::MaxPool(pool) if *pool == halving)
}
