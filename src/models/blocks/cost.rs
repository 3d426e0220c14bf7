//! What a network costs: multiply-adds for one image.

use burn::module::Param;
use burn::prelude::*;

/// What a layer's forward pass costs, and whether its weights train.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerCost {
    /// Multiply-adds of the forward pass.
    pub forward: usize,
    /// Whether the weights train.
    pub trains: bool,
}

impl LayerCost {
    /// Of a layer whose weights are applied at each of `positions`: 1 for fully connected layers, the pixels of the output for
    /// convolutions.
    pub fn new<const D: usize>(weight: &Param<Tensor<D>>, positions: usize) -> Self {
        Self {
            forward: weight.shape().num_elements() * positions,
            trains: weight.is_require_grad(),
        }
    }
}

/// Multiply-adds of a network's linear operations (matrix products and convolutions) for one image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Forward.
    pub forward: usize,
    /// Backward: for every layer that trains once for the weights, and once for the input of every layer after one that
    /// trains.
    pub backward: usize,
}

impl Work {
    /// Of the layers, first layer first.
    pub fn of(layers: &[LayerCost]) -> Self {
        let mut work = Self::default();
        let mut needs_input_gradient = false;
        for layer in layers {
            let gradients = usize::from(layer.trains) + usize::from(needs_input_gradient);
            work.forward += layer.forward;
            work.backward += layer.forward * gradients;
            needs_input_gradient |= layer.trains;
        }
        work
    }
}
