//! The gradient of a batch from those of its shares.

use std::sync::Arc;

use burn::module::{ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;

use crate::config::Reduction;
use crate::kernels::BatchPart;
use crate::models::Network;
use crate::parallel::{Group, Moment, OrderedSum};

/// What a rank adds to a step: a part of its share.
pub struct Contribution {
    /// The gradients of its mean loss.
    pub gradients: GradientsParams,
    /// Number of its samples.
    pub samples: usize,
    /// What its mean loss counts: the number of samples, or the sum of the weights of their classes.
    pub weight: f64,
    /// Its mean loss.
    pub loss: f64,
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
    /// Of what was added since the last total.
    report: Option<Report>,
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
            report: None,
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

    /// Adds a part of this rank's share to the batch.
    pub fn add(&mut self, network: &Network, mine: Contribution) {
        let scale = self.scale(mine.samples, mine.weight);
        self.flatten(network, &mine.gradients, scale as f32);
        let (weight, samples) = (mine.weight, mine.samples as f64);
        let report = [weight, weight * mine.loss, samples, 0.0];
        let before = self.report.unwrap_or_default();
        self.report = Some(added(before, &report));
    }

    /// The gradients of a batch of which every rank has added its share: the mean of those of the parts, each with its weight; or their
    /// sum if the loss is one. `ends` is whether the run is to stop after this step.
    ///
    /// Each is scaled before it is sent, and the sum is divided by the sum of the weights. (With a loss that is a sum, a part's gradient is
    /// its mean's times its samples.)
    pub fn total(&mut self, network: &Network, ends: bool, moment: Moment) -> Total {
        if self.report.is_none() {
            self.flatten(network, &GradientsParams::new(), 0.0);
        }
        let mut report = self.report.take().unwrap_or_default();
        report[3] = f64::from(u8::from(ends));
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

    /// Writes scaled gradients into the buffer, or adds them to what was added since the last total.
    fn flatten(&mut self, network: &Network, gradients: &GradientsParams, scale: f32) {
        if self.report.is_none() {
            self.flat.clear();
        }
        network.visit(&mut Flatten {
            gradients,
            scale,
            at: 0,
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
    /// Where the next parameter's gradient begins.
    at: usize,
    flat: &'a mut Vec<f32>,
}

impl Flatten<'_> {
    /// Writes the scaled values after those that are there, or adds them where they are.
    fn put(&mut self, values: impl Iterator<Item = f32>) {
        let scale = self.scale;
        let scaled = values.map(move |value| value * scale);
        if self.at == self.flat.len() {
            self.flat.push(1.0);
            self.flat.extend(scaled);
        } else {
            self.flat[self.at] = 1.0;
            let sums = self.flat[self.at + 1..].iter_mut();
            sums.zip(scaled).for_each(|(sum, value)| *sum += value);
        }
    }
}

impl ModuleVisitor for Flatten<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(values) = values_of(param) else {
            return;
        };
        let gradient = self.gradients.get::<D>(param.id);
        // A device that fails reports it at the next step.
        if let Some(data) = gradient.and_then(|gradient| gradient.try_into_data().ok()) {
            match data.as_slice::<f32>() {
                Ok(data) => self.put(data.iter().copied()),
                Err(_) => self.put(data.iter::<f32>()),
            }
        }
        self.at += 1 + values;
        if self.flat.len() < self.at {
            self.flat.resize(self.at, 0.0);
        }
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
