//! What a user may rely on when a network learns: the course's identities and toy problem, the loss, the optimizers and
//! the schedules, each against a hand calculation or PyTorch.

mod loss;
mod optimizers;

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::module::{Module, Param};
use burn::prelude::*;
use burn::tensor::activation::{sigmoid, softmax, tanh};
use burn::train::{InferenceStep, TrainStep};
use kiln::config::{LossConfig, OptimizerConfig, Reduction, SgdConfig};
use kiln::models::mlp::{Activation, Init};
use kiln::models::{MlpConfig, ModelConfig, Network};
use kiln::rng;
use kiln::shape::ImageShape;
use kiln::training::{Batch, TrainModel, optimizer};
use proptest::prelude::*;

/// The engine's random generator belongs to the whole process: tests that draw from it take turns.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn device() -> Device {
    Device::flex().autodiff()
}

fn vector(values: &[f32]) -> Tensor<1> {
    Tensor::from_floats(values, &Device::flex())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!(
            (f - e).abs() <= tolerance * e.abs().max(1.0),
            "{found:?} is not {expected:?}"
        );
    }
}

// ---- The identities of Q1 ----

proptest! {
    #[test]
    fn softmax_does_not_change_when_a_constant_is_added(
        x in proptest::collection::vec(-20f32..20.0, 2..40), c in -50f32..50.0
    ) {
        let rows = |x: Tensor<1>| softmax(x.unsqueeze::<2>(), 1);
        let (plain, shifted) = (values(rows(vector(&x))), values(rows(vector(&x) + c)));
        close(&shifted, &plain, 1e-5);
        prop_assert!((plain.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }

    #[test]
    fn the_slope_of_the_sigmoid_is_s_times_one_minus_s_and_at_most_a_quarter(
        x in proptest::collection::vec(-15f32..15.0, 1..20)
    ) {
        let input = Tensor::<1>::from_floats(x.as_slice(), &device()).require_grad();
        let output = sigmoid(input.clone());
        let slope = values(input.grad(&output.clone().sum().backward()).unwrap());
        let expected: Vec<f32> = values(output).iter().map(|s| s * (1.0 - s)).collect();
        close(&slope, &expected, 1e-6);
        prop_assert!(slope.iter().all(|&s| (0.0..=0.25 + 1e-7).contains(&s)));
    }

    #[test]
    fn tanh_is_two_sigmoids_of_twice_the_argument_less_one(
        x in proptest::collection::vec(-15f32..15.0, 1..20)
    ) {
        let both = values(sigmoid(vector(&x) * 2.0) * 2.0 - 1.0);
        close(&values(tanh(vector(&x))), &both, 1e-6);
    }
}

#[test]
fn layers_without_activation_are_one_linear_map() {
    let _turn = alone();
    let device = Device::flex();
    device.seed(5);
    let layer = |inputs, outputs| burn::nn::LinearConfig::new(inputs, outputs).init(&device);
    let (first, second) = (layer(6, 9), layer(9, 4));
    let x = Tensor::<2>::random([7, 6], burn::tensor::Distribution::Default, &device);
    let stacked = second.forward(first.forward(x.clone()));
    let weight = first.weight.val().matmul(second.weight.val());
    let bias = first.bias.clone().unwrap().val().unsqueeze::<2>();
    let bias = bias.matmul(second.weight.val()) + second.bias.clone().unwrap().val().unsqueeze();
    close(&values(x.matmul(weight) + bias), &values(stacked), 1e-5);
}

// ---- The toy problem of Q2 ----

/// Forty points in four Gaussian blobs (means and variances of the course's hand-out).
fn blobs() -> (Vec<f32>, Vec<i32>) {
    const BLOBS: [([f32; 2], [f32; 2]); 4] = [
        ([3.6, 40.0], [0.05, 10.0]),
        ([3.9, 10.0], [0.01, 5.0]),
        ([3.4, 30.0], [0.25, 5.0]),
        ([2.0, 10.0], [0.5, 10.0]),
    ];
    let mut rng = rng::seeded(&[24]);
    let mut points = Vec::new();
    let mut labels = Vec::new();
    for (label, (mean, variance)) in BLOBS.iter().enumerate() {
        for _ in 0..10 {
            for axis in 0..2 {
                points.push(mean[axis] + variance[axis].sqrt() * rng::normal(&mut rng));
            }
            labels.push(label as i32);
        }
    }
    (points, labels)
}

/// Trains a 25-unit perceptron on the blobs as Q2.4 says: batches of 5, learning rate 1e-3 on the summed loss, 500
/// passes. Returns the network with its summed loss and accuracy over all points.
fn train_on_blobs(init: Init) -> (TrainModel, f64, f64) {
    let device = device();
    device.seed(1);
    let (points, labels) = blobs();
    let config = ModelConfig::Mlp(MlpConfig {
        hidden: vec![25],
        activation: Activation::Sigmoid,
        init,
        classes: None,
    });
    let loss = LossConfig {
        reduction: Reduction::Sum,
        ..LossConfig::default()
    };
    let batch = |indices: &[usize], device: &Device| {
        let pixels: Vec<f32> = indices
            .iter()
            .flat_map(|&i| points[2 * i..2 * i + 2].to_vec())
            .collect();
        let targets: Vec<i32> = indices.iter().map(|&i| labels[i]).collect();
        Batch {
            images: Tensor::from_data(TensorData::new(pixels, [indices.len(), 1, 1, 2]), device),
            targets: Tensor::from_data(TensorData::new(targets, [indices.len()]), device),
            originals: None,
            indices: indices.to_vec(),
            features: None,
        }
    };
    let mut model = TrainModel::new(
        Network::new(&config, ImageShape::new(1, 1, 2), 4, &device),
        &loss,
    );
    let mut optimizer = optimizer::build(&OptimizerConfig::Sgd(SgdConfig::default()));
    // Every fourth label in turn, so that no batch holds one class only.
    let order: Vec<usize> = (0..40).map(|i| (i % 4) * 10 + i / 4).collect();
    for _ in 0..500 {
        for indices in order.chunks(5) {
            let output = TrainStep::step(&model, batch(indices, &device));
            model = optimizer.step(1e-3, model, output.grads);
        }
    }
    let output = InferenceStep::step(&model.valid(), batch(&order, &Device::flex()));
    let mean = f64::from(values(output.loss)[0]);
    let right = values(
        output
            .output
            .argmax(1)
            .reshape([40])
            .equal(output.targets)
            .float(),
    );
    let accuracy = f64::from(right.iter().sum::<f32>()) / 40.0;
    (model, 40.0 * mean, accuracy)
}

/// The hidden layer's weights, one row per unit, from the network's parameters in their order.
fn hidden_units(model: &TrainModel) -> Vec<Vec<f32>> {
    struct First(Option<Vec<f32>>, usize);
    impl burn::module::ModuleVisitor for First {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.0.is_none() && D == 2 {
                self.1 = param.val().dims()[1];
                self.0 = Some(values(param.val()));
            }
        }
    }
    let mut first = First(None, 0);
    model.visit(&mut first);
    let (weights, units) = (first.0.unwrap(), first.1);
    (0..units)
        .map(|unit| weights.iter().skip(unit).step_by(units).copied().collect())
        .collect()
}

#[test]
fn the_toy_problem_reaches_the_loss_and_accuracy_that_the_course_asks_for() {
    let _turn = alone();
    let (model, loss, accuracy) = train_on_blobs(Init::XavierUniform);
    assert!(loss < 35.0, "summed loss {loss}");
    assert!(accuracy > 0.75, "accuracy {accuracy}");
    let units = hidden_units(&model);
    assert_ne!(units[0], units[1], "units of a working network differ");
}

#[test]
fn with_all_weights_zero_every_hidden_unit_learns_the_same_and_little_is_learnt() {
    let _turn = alone();
    let (model, loss, accuracy) = train_on_blobs(Init::Zeros);
    let units = hidden_units(&model);
    assert_eq!(units.len(), 25);
    assert!(units.iter().all(|unit| unit == &units[0]));
    let (_, trained_loss, _) = train_on_blobs(Init::XavierUniform);
    assert!(loss > 1.2 * trained_loss, "{loss} against {trained_loss}");
    assert!(accuracy <= 0.75, "accuracy {accuracy}");
}

#[test]
fn xavier_weights_stay_within_their_bound_and_biases_start_at_zero() {
    let _turn = alone();
    let device = Device::flex();
    device.seed(3);
    let config = ModelConfig::Mlp(MlpConfig::default());
    let network = Network::new(&config, ImageShape::new(1, 32, 32), 36, &device);
    struct Look(Vec<(Vec<usize>, Vec<f32>)>);
    impl burn::module::ModuleVisitor for Look {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0
                .push((param.val().dims().to_vec(), values(param.val())));
        }
    }
    let mut look = Look(Vec::new());
    network.visit(&mut look);
    let [(shape, weights), (_, bias), ..] = look.0.as_slice() else {
        panic!("a layer has weights and biases")
    };
    assert_eq!(shape, &[1024, 64]);
    let bound = (6.0f32 / (1024.0 + 64.0)).sqrt();
    let largest = weights.iter().fold(0f32, |most, w| most.max(w.abs()));
    assert!(
        largest <= bound && largest > 0.99 * bound,
        "{largest} of {bound}"
    );
    assert!(bias.iter().all(|&b| b == 0.0));
}
