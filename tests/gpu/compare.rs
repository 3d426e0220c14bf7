//! A network under its loss, forward and backward, on two devices.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::store::ModuleRecord;
use kiln::config::LossConfig;
use kiln::diagnostics::doctor::TOLERANCE;
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

impl Subject {
    /// Fails unless the network computes the same on both devices, within the doctor's bounds. Where a value is within rounding of a
    /// kink (of a rectifier, or two maxima of a pool), rounding decides where its gradient goes: one of some draws has to agree.
    pub fn check(&self, device: &Device) {
        let mut worst = Vec::new();
        for draw in 0..DRAWS {
            let differences = self.differences(device, draw);
            eprintln!("{}, draw {draw}: {differences:?}", self.name);
            if differences
                .iter()
                .all(|(_, difference)| *difference <= TOLERANCE)
            {
                return;
            }
            worst.push(differences);
        }
        panic!("{}: every draw differs: {worst:?}", self.name);
    }

    /// The largest relative differences, in output, loss and gradients.
    fn differences(&self, device: &Device, draw: u64) -> [(&'static str, f64); 3] {
        let flex = Device::flex();
        flex.seed(5 + draw);
        let start = self.network(&flex.clone().autodiff());
        let weights = start.into_record().into_bytes().expect("weights");
        let expected = self.measure(&weights, &flex, draw);
        let found = self.measure(&weights, device, draw);
        let forward = apart(&found.output, &expected.output, 0.0);
        let loss = (found.loss - expected.loss).abs() / expected.loss.abs();
        let largest_of = |values: &Vec<f32>| largest(values);
        let largest = expected.gradients.iter().map(largest_of);
        let floor = FLOOR * largest.fold(0.0, f64::max);
        assert_eq!(found.gradients.len(), expected.gradients.len());
        let pairs = found.gradients.iter().zip(&expected.gradients);
        let backward = pairs.map(|(found, expected)| apart(found, expected, floor));
        let backward = backward.fold(0.0, f64::max);
        [("output", forward), ("loss", loss), ("gradients", backward)]
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
