//! The layers of a network as Python code.

use super::text::{Arguments, pair, quoted, tuple};
use crate::models::layer_list::{
    ConvNode, DepthToSpaceMode, Function, MapShape, Node, Operation, PoolNode, SqueezeExciteNode,
    join, own_parameters,
};

/// PyTorch's defaults of normalizations.
const EPSILON: f64 = 1e-5;
const MOMENTUM: f64 = 0.1;

/// What makes a part of a network that is no layer but a parameter.
pub const PARAMETER: &str = "nn.Parameter";

/// The input and output of a layer in `forward`.
const X: &str = "x";

/// Of maps: channels as the last dimension, and back.
const TO_LAST: &str = "permute(0, 2, 3, 1)";
const TO_FIRST: &str = "permute(0, 3, 1, 2)";

/// A network as code.
#[derive(Debug, Default)]
pub struct Code {
    /// Names of layers and parameters with the expressions that make them, in the order of the layers.
    pub parts: Vec<(String, String)>,
    /// Lines of `forward`, which turn `x` into the output.
    pub forward: Vec<String>,
    /// Whether `depth_to_space` is called.
    pub uses_depth_to_space: bool,
    /// Whether `drop_path` is called.
    pub uses_drop_path: bool,
    /// How many residual connections and branches the next line is in.
    depth: usize,
}

impl Code {
    /// Adds layers, one after another.
    pub fn layers(&mut self, nodes: &[Node]) {
        nodes.iter().for_each(|node| self.layer(node));
    }

    fn layer(&mut self, node: &Node) {
        match &node.operation {
            Operation::Residual { .. } => self.residual(node),
            Operation::Branches(branches) => self.branches(node, branches),
            Operation::Group(nodes) => self.layers(nodes),
            Operation::SqueezeExcite(sizes) => self.squeeze_excite(node, sizes),
            _ => {
                self.part(node);
                let value = self.expression(node);
                self.assign(X, &value, Some(node));
            }
        }
    }

    /// A line, with the shape that it gives as a comment where it changes.
    fn assign(&mut self, to: &str, value: &str, node: Option<&Node>) {
        let shape = node
            .filter(|node| node.input != node.output)
            .map_or(String::new(), |node| format!("  # {}", node.output));
        self.forward.push(format!("{to} = {value}{shape}"));
    }

    /// Registers what has parameters.
    fn part(&mut self, node: &Node) {
        let layer = match &node.operation {
            Operation::Conv(sizes) => conv(sizes),
            Operation::BatchNorm {
                channels,
                epsilon,
                momentum,
            } => normalization([*channels].as_slice(), *epsilon)
                .named("momentum", *momentum, MOMENTUM, |value| {
                    format!("{value:?}")
                })
                .call("nn.BatchNorm2d"),
            Operation::GroupNorm {
                channels,
                groups,
                epsilon,
            } => normalization(&[*groups, *channels], *epsilon).call("nn.GroupNorm"),
            Operation::LayerNorm { features, epsilon } => {
                normalization(&[*features], *epsilon).call("nn.LayerNorm")
            }
            Operation::Linear {
                inputs,
                outputs,
                bias,
                ..
            } => Arguments::new([inputs, outputs])
                .flag("bias", *bias, true)
                .call("nn.Linear"),
            Operation::SelfAttention {
                features,
                heads,
                dropout,
            } => Arguments::new([features, heads])
                .named("dropout", *dropout, 0.0, |value| format!("{value:?}"))
                .flag("batch_first", true, false)
                .call("nn.MultiheadAttention"),
            operation => {
                for (name, shape) in own_parameters(operation) {
                    let value = format!("{PARAMETER}(torch.empty{})", tuple(&shape));
                    self.parts.push((join(&node.name, &name), value));
                }
                return;
            }
        };
        self.parts.push((node.name.clone(), layer));
    }

    /// What a layer makes of `x`.
    fn expression(&mut self, node: &Node) -> String {
        let layer = at(&node.name);
        match &node.operation {
            Operation::LayerNorm { .. } if matches!(node.input, MapShape::Maps { .. }) => {
                format!("{layer}({X}.{TO_LAST}).{TO_FIRST}")
            }
            Operation::SelfAttention { .. } => {
                format!("{layer}({X}, {X}, {X}, need_weights=False)[0]")
            }
            Operation::Conv(_)
            | Operation::BatchNorm { .. }
            | Operation::GroupNorm { .. }
            | Operation::LayerNorm { .. }
            | Operation::Linear { .. } => format!("{layer}({X})"),
            Operation::Activation(kind) => function(*kind, X),
            Operation::Dropout(p) => format!("F.dropout({X}, {p:?}, self.training)"),
            Operation::Scale { .. } => {
                format!("{X} * {}", at(&join(&node.name, "layer_scale")))
            }
            Operation::PositionEmbedding { .. } => {
                format!("{X} + {}", at(&join(&node.name, "pos_embedding")))
            }
            Operation::ClassToken { .. } => {
                let token = at(&join(&node.name, "class_token"));
                format!("torch.cat([{token}.expand(len({X}), -1, -1), {X}], 1)")
            }
            Operation::DepthToSpace {
                block,
                mode: DepthToSpaceMode::Crd,
            } => format!("F.pixel_shuffle({X}, {block})"),
            Operation::DepthToSpace {
                block,
                mode: DepthToSpaceMode::Dcr,
            } => {
                self.uses_depth_to_space = true;
                format!("depth_to_space({X}, {block})")
            }
            operation => rearrangement(operation, node.output),
        }
    }

    fn residual(&mut self, node: &Node) {
        let Operation::Residual {
            body,
            shortcut,
            drop_path,
        } = &node.operation
        else {
            return;
        };
        self.depth += 1;
        let [entry, sum] = ["entry", "body"].map(|name| format!("{name}{}", self.depth));
        self.assign(&entry, X, None);
        self.layers(body);
        let mut value = X.to_string();
        if *drop_path > 0.0 {
            self.uses_drop_path = true;
            value = format!("drop_path({X}, {drop_path:?}, self.training)");
        }
        if shortcut.is_empty() {
            self.assign(X, &format!("{value} + {entry}"), None);
        } else {
            self.assign(&sum, &value, None);
            self.assign(X, &entry, None);
            self.layers(shortcut);
            self.assign(X, &format!("{sum} + {X}"), Some(node));
        }
        self.depth -= 1;
    }

    fn branches(&mut self, node: &Node, branches: &[Vec<Node>]) {
        self.depth += 1;
        let entry = format!("entry{}", self.depth);
        self.assign(&entry, X, None);
        let mut parts = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            if index > 0 {
                self.assign(X, &entry, None);
            }
            self.layers(branch);
            let part = format!("branch{}_{index}", self.depth);
            self.assign(&part, X, None);
            parts.push(part);
        }
        let value = format!("torch.cat([{}], 1)", parts.join(", "));
        self.assign(X, &value, Some(node));
        self.depth -= 1;
    }

    fn squeeze_excite(&mut self, node: &Node, sizes: &SqueezeExciteNode) {
        let (channels, hidden) = (sizes.channels, sizes.hidden);
        self.assign("gate", &format!("{X}.mean((2, 3), keepdim=True)"), None);
        let convs = [(channels, hidden), (hidden, channels)];
        let functions = [sizes.activation, sizes.gate];
        for ((own, kind), (inputs, outputs)) in sizes.names.iter().zip(functions).zip(convs) {
            let name = join(&node.name, own);
            let value = function(kind, &format!("{}(gate)", at(&name)));
            let layer = Arguments::new([inputs, outputs, 1]).call("nn.Conv2d");
            self.parts.push((name, layer));
            self.assign("gate", &value, None);
        }
        self.assign(X, &format!("{X} * gate"), None);
    }
}

/// The layer or parameter of a name.
fn at(name: &str) -> String {
    format!("self.at({})", quoted(name))
}

fn conv(sizes: &ConvNode) -> String {
    let kernel = pair(sizes.kernel);
    Arguments::new([sizes.inputs.to_string(), sizes.outputs.to_string(), kernel])
        .named("stride", sizes.stride, [1, 1], pair)
        .named("padding", sizes.padding, [0, 0], pair)
        .named("dilation", sizes.dilation, [1, 1], pair)
        .named("groups", sizes.groups, 1, |groups| groups.to_string())
        .flag("bias", sizes.bias, true)
        .call("nn.Conv2d")
}

fn normalization(sizes: &[usize], epsilon: f64) -> Arguments {
    Arguments::new(sizes).named("eps", epsilon, EPSILON, |value| format!("{value:?}"))
}

fn function(function: Function, x: &str) -> String {
    match function {
        Function::Relu => format!("F.relu({x})"),
        Function::Relu6 => format!("F.relu6({x})"),
        Function::LeakyRelu { slope } => format!("F.leaky_relu({x}, {slope:?})"),
        Function::Gelu => format!("F.gelu({x})"),
        Function::Silu => format!("F.silu({x})"),
        Function::Hardswish => format!("F.hardswish({x})"),
        Function::Hardsigmoid => format!("F.hardsigmoid({x})"),
        Function::Sigmoid => format!("torch.sigmoid({x})"),
        Function::Tanh => format!("torch.tanh({x})"),
    }
}

/// Pools, and what only moves values.
fn rearrangement(operation: &Operation, output: MapShape) -> String {
    match operation {
        Operation::ZeroPad([top, bottom, left, right]) => {
            format!("F.pad({X}, {})", tuple(&[left, right, top, bottom]))
        }
        Operation::MaxPool(sizes) => pool(sizes).call("F.max_pool2d"),
        Operation::AvgPool {
            pool: sizes,
            count_include_pad,
        } => pool(sizes)
            .flag("count_include_pad", *count_include_pad, true)
            .call("F.avg_pool2d"),
        Operation::GlobalAvgPool => format!("{X}.mean((2, 3))"),
        Operation::GlobalMaxPool => format!("{X}.amax((2, 3))"),
        Operation::AdaptiveAvgPool(sides) => {
            format!("F.adaptive_avg_pool2d({X}, {})", tuple(sides))
        }
        Operation::Unflatten(_) => format!("{X}.unflatten(1, {})", tuple(&output.dims())),
        Operation::ChannelsLast => format!("{X}.{TO_LAST}"),
        Operation::ChannelsFirst => format!("{X}.{TO_FIRST}"),
        Operation::Tokens => format!("{X}.flatten(2).transpose(1, 2)"),
        Operation::FirstToken => format!("{X}[:, 0]"),
        _ => format!("{X}.flatten(1)"),
    }
}

fn pool(sizes: &PoolNode) -> Arguments {
    Arguments::new([X.to_string(), pair(sizes.kernel)])
        .named("stride", sizes.stride, sizes.kernel, pair)
        .named("padding", sizes.padding, [0, 0], pair)
        .flag("ceil_mode", sizes.ceil_mode, false)
}
