//! The running average of the weights over the steps (Polyak and Juditsky 1992; with exponential weights as in Tarvainen and
//! Valpola 2017).

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::prelude::*;

use crate::models::Network;

/// A running average that takes in a fraction of the weights at every step.
#[derive(Clone)]
pub struct Average {
    network: Network,
    /// Fraction of the average that a step keeps.
    decay: f64,
    steps: usize,
}

impl Average {
    /// Starts with the weights of a network in training.
    pub fn new(network: &Network, decay: f64) -> Self {
        Self {
            network: network.valid(),
            decay,
            steps: 0,
        }
    }

    /// The average of a resumed run, after `steps` steps.
    pub fn resumed(network: Network, decay: f64, steps: usize) -> Self {
        Self {
            network,
            decay,
            steps,
        }
    }

    /// Steps so far.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// A copy of the average, ready for inference.
    pub fn network(&self) -> Network {
        // A clone would share the statistics of batch norm, which `map` changes in place.
        self.network.valid()
    }

    /// Changes the network of the average.
    pub fn change(&mut self, change: impl FnOnce(Network) -> Network) {
        self.network = change(self.network.clone());
    }

    /// Takes in the weights of a step. The first steps count for more, so that the random initial weights are soon forgotten: the
    /// fraction that is kept is at most `(1 + steps) / (10 + steps)`, as in TensorFlow's `ExponentialMovingAverage`.
    pub fn update(&mut self, network: &Network) {
        let early = (1.0 + self.steps as f64) / (10.0 + self.steps as f64);
        self.steps += 1;
        let mut values = Values::default();
        network.visit(&mut values);
        let mut mix = Mix {
            values: values.flat.into_iter(),
            decay: self.decay.min(early),
        };
        self.network = self.network.clone().map(&mut mix);
    }
}

/// All tensors in order, flattened and off the tape.
#[derive(Default)]
struct Values {
    flat: Vec<Tensor<1>>,
}

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val().without_autodiff();
        let count = value.shape().num_elements();
        self.flat.push(value.reshape([count]));
    }
}

struct Mix {
    values: std::vec::IntoIter<Tensor<1>>,
    decay: f64,
}

impl ModuleMapper for Mix {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(value) = self.values.next() else {
            return param;
        };
        let decay = self.decay;
        param.map(|average| {
            let value = value.reshape(average.dims());
            // In this form weights that do not change keep every bit.
            average.clone() + (value - average).mul_scalar(1.0 - decay)
        })
    }
}
