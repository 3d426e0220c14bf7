//! From a list of layers in a config to one with names, shapes and sizes.

use std::collections::HashSet;

use super::limits::{MAX_DEPTH, MAX_NODES, refuse_large};
use super::node::{MapShape, Node, Operation};
use super::operations::operation;
use super::parameters::parameters;
use super::sizes;
use super::spec::{BranchesConfig, LayerConfig, RepeatConfig, ResidualConfig};
use crate::error::{Problem, counted};
use crate::shape::ImageShape;

/// The layers for images of `shape` and this many classes. The error is the first layer that does not fit; its path is a place
/// such as `layers[3].body[0]`.
///
/// Allocates in proportion to the number of layers, which is limited, never to their sizes.
pub fn infer(
    layers: &[LayerConfig],
    shape: ImageShape,
    classes: usize,
) -> Result<Vec<Node>, Problem> {
    let mut walk = Walk {
        classes,
        nodes: 0,
        depth: 0,
    };
    let input = MapShape::Maps {
        channels: shape.channels,
        height: shape.height,
        width: shape.width,
    };
    let at = At {
        place: "layers".into(),
        prefix: String::new(),
    };
    let nodes = walk.list(layers, input, &at, &|index| index.to_string())?;
    ends_with_classes(&nodes, layers.len(), classes)?;
    refuse_large(&nodes)?;
    refuse_duplicates(&nodes)?;
    Ok(nodes)
}

/// The last layer must give one value for each class.
fn ends_with_classes(nodes: &[Node], layers: usize, classes: usize) -> Result<(), Problem> {
    let Some(last) = nodes.last() else {
        return Err(Problem::new("layers", "has no layers"));
    };
    let place = format!("layers[{}]", layers.saturating_sub(1));
    match last.output {
        MapShape::Vector { features } if features == classes => Ok(()),
        MapShape::Vector { features } => {
            let advice = if has_sizes(nodes) {
                format!("set model.classes to {features}, or leave out the size of its last layer")
            } else {
                "add a \"linear\" layer".to_string()
            };
            let values = counted(features, "value", "values");
            let problem = format!(
                "the network ends with {values}, which must be the number of classes: {advice}"
            );
            Err(Problem::new(place, problem))
        }
        shape => {
            let vector = match shape {
                MapShape::Tokens { .. } => "\"first_token\" or \"flatten\"",
                MapShape::LastMaps { .. } => {
                    "\"channels_first\" and \"global_avg_pool\", or \"flatten\""
                }
                _ => "\"flatten\" or \"global_avg_pool\"",
            };
            Err(Problem::new(
                place,
                format!(
                    "the network ends with {}, not with one value for each class; add {vector}, and a \"linear\" layer",
                    shape.described()
                ),
            ))
        }
    }
}

/// Whether any layer has a size that a config sets.
fn has_sizes(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| {
        let is_sized = matches!(
            node.operation,
            Operation::Linear { .. } | Operation::Conv(_)
        );
        is_sized || node.operation.inner().into_iter().any(has_sizes)
    })
}

/// Names of parameters must differ.
fn refuse_duplicates(nodes: &[Node]) -> Result<(), Problem> {
    let mut seen = HashSet::new();
    for (place, name, _) in parameters(nodes) {
        if !seen.insert(name.clone()) {
            let problem =
                format!("duplicate parameter name {name:?}; give the layer another \"name\"");
            return Err(Problem::new(place, problem));
        }
    }
    Ok(())
}

/// Where a list is, in the config and in the names of parameters.
struct At {
    place: String,
    prefix: String,
}

impl At {
    fn name(&self, own: &str) -> String {
        if self.prefix.is_empty() || own.is_empty() {
            format!("{}{own}", self.prefix)
        } else {
            format!("{}.{own}", self.prefix)
        }
    }

    fn inside(&self, place: String, prefix: String) -> At {
        At { place, prefix }
    }
}

/// The default name of a layer by its index in the list.
type DefaultName<'a> = &'a dyn Fn(usize) -> String;

struct Walk {
    classes: usize,
    nodes: usize,
    depth: usize,
}

impl Walk {
    fn list(
        &mut self,
        layers: &[LayerConfig],
        input: MapShape,
        at: &At,
        default_name: DefaultName,
    ) -> Result<Vec<Node>, Problem> {
        let mut nodes: Vec<Node> = Vec::new();
        for (index, layer) in layers.iter().enumerate() {
            let shape = nodes.last().map_or(input, |node| node.output);
            let place = format!("{}[{index}]", at.place);
            let name = match layer.name() {
                Some(name) => at.name(name),
                None => at.name(&default_name(index)),
            };
            let node = self.layer(layer, shape, at.inside(place, name));
            nodes.push(node.map_err(|problem| behind(problem, at, index))?);
        }
        Ok(nodes)
    }

    fn layer(&mut self, layer: &LayerConfig, input: MapShape, at: At) -> Result<Node, Problem> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let problem = format!("more than {MAX_NODES} layers, repetitions included");
            return Err(Problem::new(at.place, problem));
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let problem = format!("layers are nested more than {MAX_DEPTH} levels deep");
            return Err(Problem::new(at.place, problem));
        }
        let (operation, output) = match layer {
            LayerConfig::Residual(config) => self.residual(config, input, &at),
            LayerConfig::Branches(config) => self.branches(config, input, &at),
            LayerConfig::Repeat(config) => self.repeat(config, input, &at),
            LayerConfig::Group(config) => {
                let inside = at.inside(format!("{}.layers", at.place), at.prefix.clone());
                let layers = self.list(&config.layers, input, &inside, &|i| i.to_string())?;
                let output = output_of(&layers, input);
                Ok((Operation::Group(layers), output))
            }
            _ => operation(layer, input, self.classes)
                .map_err(|problem| Problem::new(at.place.as_str(), problem)),
        }?;
        self.depth -= 1;
        Ok(Node {
            name: at.prefix,
            place: at.place,
            input,
            output,
            operation,
        })
    }

    fn residual(
        &mut self,
        config: &ResidualConfig,
        input: MapShape,
        at: &At,
    ) -> Result<(Operation, MapShape), Problem> {
        let inside = |list: &str| at.inside(format!("{}.{list}", at.place), at.prefix.clone());
        let body = self.list(&config.body, input, &inside("body"), &|i| i.to_string())?;
        let shortcut = self.list(&config.shortcut, input, &inside("shortcut"), &|i| {
            format!("shortcut.{i}")
        })?;
        let (output, other) = (output_of(&body, input), output_of(&shortcut, input));
        if output != other {
            let way = if config.shortcut.is_empty() {
                "add a \"shortcut\" that changes the shape as well"
            } else {
                "both must have the same shape"
            };
            let (output, other) = (output.described(), other.described());
            let problem = format!("the body gives {output} and the shortcut {other}; {way}");
            return Err(Problem::new(at.place.as_str(), problem));
        }
        let operation = Operation::Residual {
            body,
            shortcut,
            drop_path: config.drop_path,
        };
        Ok((operation, output))
    }

    fn branches(
        &mut self,
        config: &BranchesConfig,
        input: MapShape,
        at: &At,
    ) -> Result<(Operation, MapShape), Problem> {
        let mut branches = Vec::new();
        for (index, layers) in config.branches.iter().enumerate() {
            let place = format!("{}.branches[{index}]", at.place);
            let inside = at.inside(place, at.prefix.clone());
            branches.push(self.list(layers, input, &inside, &|i| format!("{index}.{i}"))?);
        }
        let outputs: Vec<MapShape> = branches.iter().map(|b| output_of(b, input)).collect();
        let output =
            concatenated(&outputs).map_err(|problem| Problem::new(at.place.as_str(), problem))?;
        Ok((Operation::Branches(branches), output))
    }

    fn repeat(
        &mut self,
        config: &RepeatConfig,
        input: MapShape,
        at: &At,
    ) -> Result<(Operation, MapShape), Problem> {
        let mut all: Vec<Node> = Vec::new();
        let place = format!("{}.layers", at.place);
        for time in 0..config.times {
            let shape = output_of(&all, input);
            let inside = at.inside(place.clone(), at.name(&time.to_string()));
            all.extend(self.list(&config.layers, shape, &inside, &|i| i.to_string())?);
        }
        let output = output_of(&all, input);
        Ok((Operation::Group(all), output))
    }
}

/// The shape that a list outputs.
fn output_of(nodes: &[Node], input: MapShape) -> MapShape {
    nodes.last().map_or(input, |node| node.output)
}

/// Maps side by side.
fn concatenated(shapes: &[MapShape]) -> Result<MapShape, String> {
    let mut channels = 0usize;
    let mut sides = None;
    for (index, shape) in shapes.iter().enumerate() {
        let MapShape::Maps {
            channels: own,
            height,
            width,
        } = *shape
        else {
            return Err(format!(
                "branch {index} gives {}; branches must give feature maps",
                shape.described()
            ));
        };
        if *sides.get_or_insert([height, width]) != [height, width] {
            return Err(format!(
                "branch {index} gives {shape} and branch 0 {}; height and width must be the same",
                shapes[0]
            ));
        }
        channels = channels.saturating_add(own);
    }
    sizes::maps(channels, sides.unwrap_or([0, 0]))
}

/// Adds where the shape of a layer's input comes from.
fn behind(problem: Problem, at: &At, index: usize) -> Problem {
    let own = format!("{}[{index}]", at.place);
    if problem.path != own || index == 0 || problem.message.contains("(from ") {
        return problem;
    }
    let message = format!("{} (from {}[{}])", problem.message, at.place, index - 1);
    Problem::new(problem.path, message)
}
