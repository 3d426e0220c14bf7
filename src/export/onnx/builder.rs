//! An ONNX graph that grows operator by operator, with unique names for everything.

use std::collections::HashMap;

use crate::models::layer_list::{Node, join, own_parameters};
use crate::onnx::{Attribute, Elements, Operator, Tensor};

/// Maximum number of values of all constants that are not weights: 256 MiB. Only adaptive pools need large ones.
const MAX_CONSTANT_VALUES: usize = 1 << 26;

/// The name of what flows between operators, or of a tensor.
pub type Name = String;

/// Settings of an operator.
pub type Attributes = Vec<(&'static str, Attribute)>;

/// A graph that is being built.
#[derive(Debug, Default)]
pub struct Builder {
    operators: Vec<Operator>,
    constants: Vec<Tensor>,
    parameters: Vec<Tensor>,
    /// How often a name was wanted.
    names: HashMap<String, usize>,
    /// Number of values of all constants.
    constant_values: usize,
}

/// Operators and tensors of a graph.
#[derive(Debug)]
pub struct Parts {
    /// In the order of their execution.
    pub operators: Vec<Operator>,
    /// Weights first, without their bytes; then the other constants.
    pub tensors: Vec<Tensor>,
}

impl Builder {
    /// Adds an operator with one output, and returns the output's name. `layer` is the name of the layer that it belongs to.
    pub fn add(
        &mut self,
        layer: &str,
        kind: &'static str,
        inputs: &[&str],
        attributes: Attributes,
    ) -> Name {
        let [output] = self.add_split(layer, kind, inputs, attributes);
        output
    }

    /// Adds an operator with several outputs.
    pub fn add_split<const OUTPUTS: usize>(
        &mut self,
        layer: &str,
        kind: &'static str,
        inputs: &[&str],
        attributes: Attributes,
    ) -> [Name; OUTPUTS] {
        let name = self.unique(format!("{layer}/{kind}"));
        let outputs: [Name; OUTPUTS] = if OUTPUTS == 1 {
            std::array::from_fn(|_| name.clone())
        } else {
            std::array::from_fn(|index| format!("{name}:{index}"))
        };
        self.operators.push(Operator {
            name,
            kind,
            inputs: inputs.iter().map(|input| input.to_string()).collect(),
            outputs: outputs.to_vec(),
            attributes,
        });
        outputs
    }

    /// The name, with a number where it is taken. Names of layers have no slash, those of operators do: a weight's name is
    /// never taken.
    fn unique(&mut self, name: String) -> Name {
        let uses = self.names.entry(name.clone()).or_default();
        *uses += 1;
        match *uses {
            1 => name,
            uses => format!("{name}_{}", uses - 1),
        }
    }

    /// Names of a layer's parameters, in the order of [`own_parameters`].
    pub fn parameters(&mut self, node: &Node) -> Vec<Name> {
        let own = own_parameters(&node.operation).into_iter();
        let tensors = own.map(|(name, shape)| Tensor {
            name: join(&node.name, &name),
            dimensions: shape,
            elements: Elements::Float32,
            bytes: None,
        });
        let start = self.parameters.len();
        self.parameters.extend(tensors);
        let added = self.parameters[start..].iter();
        added.map(|tensor| tensor.name.clone()).collect()
    }

    /// The same for a layer with so many parameters; the name of one that it does not have is empty, as ONNX writes inputs that
    /// are left out.
    pub fn parameter_array<const COUNT: usize>(&mut self, node: &Node) -> [Name; COUNT] {
        let mut names = self.parameters(node).into_iter();
        std::array::from_fn(|_| names.next().unwrap_or_default())
    }

    /// A constant of floats.
    pub fn floats(&mut self, dimensions: &[usize], values: &[f32]) -> Name {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        self.constant(dimensions, Elements::Float32, bytes.collect())
    }

    /// A list of integers.
    pub fn integers(&mut self, values: &[i64]) -> Name {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        self.constant(&[values.len()], Elements::Int64, bytes.collect())
    }

    /// Whether there is room for so many more values of constants; without, their graph must not be built.
    pub fn has_room_for(&self, values: Option<usize>) -> bool {
        values
            .and_then(|values| values.checked_add(self.constant_values))
            .is_some_and(|values| values <= MAX_CONSTANT_VALUES)
    }

    /// The name of a constant; equal ones are one.
    fn constant(&mut self, dimensions: &[usize], elements: Elements, bytes: Vec<u8>) -> Name {
        let is_same = |known: &&Tensor| {
            known.dimensions == dimensions
                && known.elements == elements
                && known.bytes.as_ref() == Some(&bytes)
        };
        if let Some(known) = self.constants.iter().find(is_same) {
            return known.name.clone();
        }
        self.constant_values += bytes.len() / elements.size();
        let name = format!("constant/{}", self.constants.len());
        self.constants.push(Tensor {
            name: name.clone(),
            dimensions: dimensions.to_vec(),
            elements,
            bytes: Some(bytes),
        });
        name
    }

    /// The graph, whose result is `value` under another name.
    pub fn finish(mut self, value: &str, output: &str) -> Parts {
        let is_made = |operator: &Operator| operator.outputs.iter().any(|made| made == value);
        if self.operators.iter().any(is_made) {
            let names = self
                .operators
                .iter_mut()
                .flat_map(|operator| operator.inputs.iter_mut().chain(&mut operator.outputs));
            names
                .filter(|name| *name == value)
                .for_each(|name| *name = output.into());
        } else {
            self.operators.push(Operator {
                name: format!("{output}/Identity"),
                kind: "Identity",
                inputs: vec![value.into()],
                outputs: vec![output.into()],
                attributes: Vec::new(),
            });
        }
        let mut tensors = self.parameters;
        tensors.extend(self.constants);
        Parts {
            operators: self.operators,
            tensors,
        }
    }
}
