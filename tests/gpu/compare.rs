//! A network under its loss, forward and backward, on two devices.

use std::fmt::{self, Display, Formatter};

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::store::ModuleRecord;
use kiln::config::LossConfig;
use kiln::diagnostics::doctor::TOLERANCE;
use kiln::kernels::Operators;
use kiln::models::{ModelConfig, Network, Task};
use kiln::shape::ImageShape;
use kiln::training::{Batch, TrainModel};

use crate::common::noise;

/// Gradients smaller than this fraction of the network's largest are compared with that fraction, as the doctor does it.
const FLOOR: f64 = 1e-2;

/// A network and what it is trained for.
pub struct Subject {
    pub name: String,
    pub model: ModelConfig,
    pub loss: LossConfig,
    pub class_weights: Option<Vec<f32>>,
    pub shape: ImageShape,
    pub samples: usize,
}

/// How many times the difference between Burn's operators and kiln's on flex is allowed on a device.
const TIMES: f64 = 3.0;

/// Draws of weights and images, of which one has to agree.
const DRAWS: u64 = 3;

/// Classes of every subject.
pub const CLASSES: usize = 5;

struct Measured {
    output: Vec<f32>,
    loss: f64,
    /// In the order of the parameters.
    gradients: Vec<Vec<f32>>,
}

/// Largest relative differences.
struct Difference {
    output: f64,
    loss: f64,
    gradients: f64,
}

impl Difference {
    /// Whether it is within the doctor's bounds, or some times what it is on the processor.
    fn is_within(&self, processor: &Difference) -> bool {
        let pairs = [
            (self.output, processor.output),
            (self.loss, processor.loss),
            (self.gradients, processor.gradients),
        ];
        let bound = |processor: f64| TOLERANCE.max(TIMES * processor);
        pairs
            .iter()
            .all(|&(found, processor)| found <= bound(processor))
    }
}

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            output,
            loss,
            gradients,
        } = self;
        write!(
            f,
            "output {output:.1e}, loss {loss:.1e}, gradients {gradients:.1e}"
        )
    }
}

impl Measured {
    fn apart_from(&self, expected: &Measured) -> Difference {
        let largest_of = |values: &Vec<f32>| largest(values);
        let largest = expected.gradients.iter().map(largest_of);
        let floor = FLOOR * largest.fold(0.0, f64::max);
        assert_eq!(self.gradients.len(), expected.gradients.len());
        let pairs = self.gradients.iter().zip(&expected.gradients);
        let gradients = pairs.map(|(found, expected)| apart(found, expected, floor));
        Difference {
            output: apart(&self.output, &expected.output, 0.0),
            loss: (self.loss - expected.loss).abs() / expected.loss.abs(),
            gradients: gradients.fold(0.0, f64::max),
        }
    }
}

impl Subject {
    /// Fails unless the network computes the same on both devices, within the doctor's bounds.
    ///
    /// Where a value is within rounding of a kink (of a rectifier, or two maxima of a pool), rounding decides where its gradient goes: one of
    /// some draws has to agree. A deep network with narrow batch norms multiplies rounding until every draw has such values; it has to agree
    /// as closely as Burn's operators on flex do with kiln's.
    pub fn check(&self, device: &Device) {
        let mut all = Vec::new();
        for draw in 0..DRAWS {
            let [found, processor] = self.differences(device, draw);
            eprintln!("{}, draw {draw}: {found}; on flex {processor}", self.name);
            if found.is_within(&processor) {
                return;
            }
            all.push(found.to_string());
        }
        panic!("{}: every draw differs: {}", self.name, all.join("; "));
    }

    /// How far from kiln's kernels on flex the device is, and Burn's operators on flex.
    fn differences(&self, device: &Device, draw: u64) -> [Difference; 2] {
        let flex = Device::flex();
        flex.seed(5 + draw);
        let start = self.network(&flex.clone().autodiff());
        let weights = start.into_record().into_bytes().expect("weights");
        let expected = self.measure(&weights, &flex, draw);
        let on_device = self.measure(&weights, device, draw);
        let burn = Operators::Burn.scoped();
        let on_flex = self.measure(&weights, &flex, draw);
        drop(burn);
        [on_device, on_flex].map(|found| found.apart_from(&expected))
    }

    fn network(&self, device: &Device) -> Network {
        Network::new(&self.model, self.shape, CLASSES, device)
    }

    fn measure(&self, weights: &burn::tensor::Bytes, device: &Device, draw: u64) -> Measured {
        let device = device.clone().autodiff();
        let record = ModuleRecord::from_bytes(weights.clone()).expect("weights");
        let network = self.network(&device).load_record(record);
        let model =
            TrainModel::new(network, &self.loss).with_class_weights(self.class_weights.clone());
        let (objective, output) = model.objective(self.batch(&device, draw));
        let gradients = GradientsParams::from_grads(objective.clone().backward(), &model);
        let mut read = Read {
            gradients: &gradients,
            values: Vec::new(),
        };
        model.visit(&mut read);
        Measured {
            output: output.output.into_data().iter().collect(),
            loss: objective.into_scalar::<f64>(),
            gradients: read.values,
        }
    }

    fn batch(&self, device: &Device, draw: u64) -> Batch {
        let (samples, shape) = (self.samples, self.shape);
        let values = noise(samples * shape.values(), 3 + draw as usize);
        let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
        let targets: Vec<i32> = (0..samples as i32).map(|i| i % CLASSES as i32).collect();
        let sides = [samples, shape.channels, shape.height, shape.width];
        let images = Tensor::<4>::from_data(TensorData::new(values, sides), device);
        let is_reconstructed = self.model.task() == Task::Reconstruct;
        Batch {
            originals: is_reconstructed.then(|| images.clone().flatten(1, 3)),
            // Around zero, as they are after normalising.
            images: images * 2.0 - 1.0,
            targets: Tensor::from_data(TensorData::new(targets, [samples]), device),
            indices: (0..samples).collect(),
            features: None,
        }
    }
}

struct Read<'a> {
    gradients: &'a GradientsParams,
    values: Vec<Vec<f32>>,
}

impl ModuleVisitor for Read<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.values.push(gradient.into_data().iter().collect());
        }
    }
}

fn largest(values: &[f32]) -> f64 {
    let values = values.iter().map(|value| f64::from(value.abs()));
    values.fold(0.0, f64::max)
}

/// The largest difference, relative to the largest expected value or `floor`; infinite if a value is no number.
fn apart(found: &[f32], expected: &[f32], floor: f64) -> f64 {
    assert_eq!(found.len(), expected.len());
    let scale = largest(expected).max(floor);
    let pairs = found.iter().zip(expected);
    let most = pairs.fold(0.0, |most: f64, (found, expected)| {
        let off = f64::from(found - expected).abs();
        most.max(if off.is_finite() { off } else { f64::INFINITY })
    });
    if most == 0.0 { 0.0 } else { most / scale }
}
