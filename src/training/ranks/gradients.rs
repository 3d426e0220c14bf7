//! The gradient of a batch from those of its shares.

use std::sync::Arc;

use burn::module::{ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;

use crate::config::Reduction;
use crate::kernels::BatchPart;
use crate::models::Network;
use crate::parallel::{Group, Moment, OrderedSum};

/// What a rank adds to a step.
pub struct Contribution {
    /// The gradients of its share, if it has samples.
    pub gradients: GradientsParams,
    /// Number of its samples.
    pub samples: usize,
    /// What its mean loss counts: the number of samples, or the sum of the weights of their classes.
    pub weight: f64,
    /// Its mean loss.
    pub loss: f64,
    /// Whether the run is to stop after this step.
    pub ends: bool,
}

impl Contribution {
    /// That of a share without samples.
    pub fn none(ends: bool) -> Self {
        Self {
            gradients: GradientsParams::new(),
            samples: 0,
            weight: 0.0,
            loss: 0.0,
            ends,
        }
    }
}

/// What all ranks have added up.
pub struct Total {
    /// The gradients of the whole batch.
    pub gradients: GradientsParams,
    /// Its mean loss.
    pub loss: f64,
    /// Whether a rank wants the run to stop after this step.
    pub ends: bool,
}

/// Adds up the gradients of all ranks, in buffers that are used again.
pub struct SharedGradients {
    group: Arc<dyn Group>,
    reduction: Reduction,
    /// Where the gradients are, without their tape.
    device: Device,
    sum: OrderedSum,
    /// Of each parameter that trains, in the network's order: 0 if it has no gradient, and the values of its gradient.
    flat: Vec<f32>,
}

/// What ranks tell each other beside the gradients: weight, weight x loss, samples, whether to stop.
type Report = [f64; 4];

impl SharedGradients {
    /// For the steps of a group on a device of training, under a loss with this reduction.
    pub fn new(group: Arc<dyn Group>, reduction: Reduction, device: &Device) -> Self {
        Self {
            group,
            reduction,
            device: device.clone().inner(),
            sum: OrderedSum::default(),
            flat: Vec::new(),
        }
    }

    /// Where tensors without a tape are.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// For batch norms over the whole batch: this rank's share of it, of so many samples and such a weight.
    pub fn batch_part(&self, moment: Moment, samples: usize, weight: f64) -> BatchPart {
        let group = self.group.clone();
        let exchange = Arc::new(move |mine: &[f64]| group.gather_numbers(moment, mine));
        let weight = (samples > 0).then(|| self.scale(samples, weight));
        BatchPart::new(exchange, weight)
    }

    /// What the gradients of a share count.
    fn scale(&self, samples: usize, weight: f64) -> f64 {
        match self.reduction {
            Reduction::Mean => weight,
            Reduction::Sum => weight / samples.max(1) as f64,
        }
    }

    /// The gradients of a batch: the mean of those of its shares, each with its weight; or their sum if the loss is one.
    ///
    /// Each is scaled before it is sent, and the sum is divided by the sum of the weights. (With a loss that is a sum, a share's gradient is
    /// its mean's times its samples.)
    pub fn total(&mut self, network: &Network, mine: Contribution, moment: Moment) -> Total {
        let scale = self.scale(mine.samples, mine.weight);
        let ends = f64::from(u8::from(mine.ends));
        let (weight, samples) = (mine.weight, mine.samples as f64);
        self.flatten(network, mine.gradients, scale as f32);
        let report: Report = [weight, weight * mine.loss, samples, ends];
        let reports = self.sum.begin(&*self.group, moment, &self.flat, report);
        let [weight, loss, samples, ends] = reports.iter().fold([0.0; 4], added);
        let factor = match self.reduction {
            Reduction::Mean => 1.0 / weight,
            Reduction::Sum => samples / weight,
        };
        let flat = &mut self.flat;
        self.sum.finish(&*self.group, moment, flat, factor as f32);
        Total {
            gradients: self.unflatten(network),
            loss: loss / weight,
            ends: ends > 0.0,
        }
    }

    /// Writes scaled gradients into the buffer.
    fn flatten(&mut self, network: &Network, gradients: GradientsParams, scale: f32) {
        self.flat.clear();
        network.visit(&mut Flatten {
            gradients: &gradients,
            scale,
            flat: &mut self.flat,
        });
    }

    /// The gradients in the buffer, of the parameters that have one on any rank.
    fn unflatten(&self, network: &Network) -> GradientsParams {
        let mut unflatten = Unflatten {
            rest: &self.flat,
            device: &self.device,
            gradients: GradientsParams::new(),
        };
        network.visit(&mut unflatten);
        unflatten.gradients
    }
}

/// Adds a rank's report to those before it.
fn added(sum: Report, report: &Report) -> Report {
    std::array::from_fn(|at| sum[at] + report[at])
}

/// Number of values of a parameter that trains.
fn values_of<const D: usize>(param: &Param<Tensor<D>>) -> Option<usize> {
    let is_trained = param.is_require_grad();
    is_trained.then(|| param.lazy_shape().num_elements())
}

struct Flatten<'a> {
    gradients: &'a GradientsParams,
    scale: f32,
    flat: &'a mut Vec<f32>,
}

impl ModuleVisitor for Flatten<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(values) = values_of(param) else {
            return;
        };
        let end = self.flat.len() + 1 + values;
        let gradient = self.gradients.get::<D>(param.id);
        // A device that fails reports it at the next step.
        if let Some(data) = gradient.and_then(|gradient| gradient.try_into_data().ok()) {
            let scale = self.scale;
            self.flat.push(1.0);
            match data.as_slice::<f32>() {
                Ok(data) => self.flat.extend(data.iter().map(|value| value * scale)),
                Err(_) => self
                    .flat
                    .extend(data.iter::<f32>().map(|value| value * scale)),
            }
        }
        self.flat.resize(end, 0.0);
    }
}

struct Unflatten<'a> {
    rest: &'a [f32],
    device: &'a Device,
    gradients: GradientsParams,
}

impl ModuleVisitor for Unflatten<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(values) = values_of(param) else {
            return;
        };
        let Some((&[is_there], rest)) = self.rest.split_first_chunk() else {
            return;
        };
        let (gradient, rest) = rest.split_at(values.min(rest.len()));
        self.rest = rest;
        if is_there != 0.0 {
            let data = TensorData::new(gradient.to_vec(), param.lazy_shape());
            let gradient = Tensor::<D>::from_data(data, self.device);
            self.gradients.register(param.id, gradient);
        }
    }
}
