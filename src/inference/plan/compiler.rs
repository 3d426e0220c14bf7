//! Steps that grow one by one.

use super::folding::Weights;
use super::step::{Operand, Step, Work};
use crate::kernels::Activation;
use crate::kernels::inference::ComputePrecision;
use crate::models::layer_list::{MapShape, Node, Operation};

/// What flows between steps.
#[derive(Clone, Copy)]
pub struct Value {
    pub operand: Operand,
    /// What was flattened to this vector, channels first; its values lie channels last.
    pub flattened: Option<MapShape>,
}

impl Value {
    pub fn new(operand: Operand) -> Self {
        Self {
            operand,
            flattened: None,
        }
    }
}

/// The steps so far.
pub struct Compiler<'a> {
    pub weights: Weights<'a>,
    /// Of products.
    pub precision: ComputePrecision,
    pub steps: Vec<Step>,
    /// Number of values so far.
    pub values: usize,
}

impl Compiler<'_> {
    /// A new value.
    pub fn value(&mut self, values: usize) -> Operand {
        self.values += 1;
        Operand {
            buffer: self.values - 1,
            values,
        }
    }

    /// Adds a step that writes a new value.
    pub fn push(&mut self, work: Work, from: Value, other: Option<Value>, values: usize) -> Value {
        let to = self.value(values);
        self.steps.push(Step {
            layer: String::new(),
            work,
            from: from.operand,
            other: other.map(|other| other.operand),
            to,
        });
        Value::new(to)
    }
}

/// The function at this place of a list, or the identity; and the number of layers up to it.
pub fn activation_at(nodes: &[&Node], index: usize) -> (Activation, usize) {
    match nodes.get(index).map(|node| &node.operation) {
        Some(Operation::Activation(function)) => (function.activation(), index + 1),
        _ => (Activation::Identity, index),
    }
}
