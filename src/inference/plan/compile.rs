//! From layers to steps.

use super::compiler::{Compiler, Value, activation_at};
use super::folding::{Weights, channels_last};
use super::step::{Operand, Step, Work};
use super::{pools, rearranging};
use crate::kernels::Activation;
use crate::kernels::inference::{Affine, Channels, ComputePrecision, PackedConv};
use crate::models::layer_list::{Node, Operation, SqueezeExciteNode};
use crate::models::parameters::Tensors;

/// The steps of a list of layers, its input and its output; `None` if there is a layer that steps don't know.
pub fn compile(
    nodes: &[Node],
    weights: &Tensors,
    precision: ComputePrecision,
) -> Option<(Vec<Step>, Operand, Operand)> {
    let mut compiler = Compiler {
        weights: Weights(weights),
        precision,
        steps: Vec::new(),
        values: 0,
    };
    let input = compiler.value(nodes.first()?.input.checked_values()?);
    let output = compiler.list(nodes, Value::new(input))?;
    let output = compiler.channels_first(output)?;
    Some((compiler.steps, input, output.operand))
}

impl Compiler<'_> {
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
            let before = self.steps.len();
            let (output, taken) = self.first(rest, value)?;
            // Those of layers inside have names already.
            for step in &mut self.steps[before..] {
                if step.layer.is_empty() {
                    step.layer.clone_from(&rest[0].name);
                }
            }
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
                let work =
                    self.linear(&weight, *inputs, &bias, activation, node.output.positions());
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
                let other = self.channels_first(other)?;
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
                let work = Work::Activation(function.activation());
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
            Operation::ZeroPad(_) | Operation::Unflatten(_) | Operation::DepthToSpace { .. } => {
                let work = rearrangement(node)?;
                Some(self.push(work, value, None, values))
            }
            Operation::GlobalAvgPool => Some(self.push(Work::Means(values), value, None, values)),
            Operation::Branches(branches) => self.branches(node, branches, value, values),
            Operation::SqueezeExcite(sizes) => self.squeeze_excite(node, sizes, value),
            _ => {
                let windows = pools::windows(node)?;
                Some(self.push(Work::Windows(windows), value, None, values))
            }
        }
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
        let inner = self.channels_first(inner)?;
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
                }) if !layer.is_pooled() && *own == Channels::all(layer.outputs()) => {
                    *own = channels;
                    *own_output = to;
                }
                _ => self.steps.push(Step {
                    layer: String::new(),
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

    /// A fully connected layer at each position.
    fn linear(
        &self,
        weight: &[f32],
        inputs: usize,
        bias: &[f32],
        activation: Activation,
        positions: usize,
    ) -> Work {
        Work::Conv {
            layer: PackedConv::linear(inputs, weight, bias, activation, self.precision),
            channels: Channels::all(bias.len()),
            positions,
        }
    }

    /// Squeeze and excitation (Hu et al. 2018).
    fn squeeze_excite(
        &mut self,
        node: &Node,
        sizes: &SqueezeExciteNode,
        value: Value,
    ) -> Option<Value> {
        let [channels, ..] = node.input.maps()?;
        let mut factors = self.push(Work::Means(channels), value, None, channels);
        let layers = [
            (sizes.activation, channels, sizes.hidden),
            (sizes.gate, sizes.hidden, channels),
        ];
        for (name, (function, inputs, outputs)) in sizes.names.iter().zip(layers) {
            let weight = self.weights.of(node, &format!("{name}.weight"))?;
            let bias = self.weights.of(node, &format!("{name}.bias"))?;
            let work = self.linear(&weight, inputs, &bias, function.activation(), 1);
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

/// Whether a layer treats every value alike, wherever it lies.
fn is_by_value(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::Activation(_) | Operation::Dropout(_) | Operation::Flatten
    )
}

/// The step of a layer that puts values elsewhere.
fn rearrangement(node: &Node) -> Option<Work> {
    match (&node.operation, node.input) {
        (Operation::ZeroPad(edges), maps) => {
            let [channels, height, width] = maps.maps()?;
            Some(Work::ZeroPad {
                maps: [height, width, channels],
                edges: *edges,
            })
        }
        (Operation::Unflatten(_), _) => rearranging::unflattened(node.output).map(Work::Rearrange),
        (Operation::DepthToSpace { block, mode }, maps) => {
            rearranging::depth_to_space(maps, *block, *mode).map(Work::Rearrange)
        }
        _ => None,
    }
}
