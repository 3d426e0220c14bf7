//! What a user may rely on when a network learns: the course's identities and toy problem, the loss, the optimizers and
//! the schedules, each against a hand calculation or PyTorch.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::module::{Module, Param};
use burn::optim::ModuleOptimizer;
use burn::prelude::*;
use burn::tensor::activation::{sigmoid, softmax, tanh};
use burn::train::{InferenceStep, TrainStep};
use kiln::config::{
    AdamConfig, CosineConfig, LossConfig, OptimizerConfig, Reduction, ScheduleConfig, SgdConfig,
    StepConfig,
};
use kiln::models::Network;
use kiln::models::{MlpConfig, ModelConfig, mlp::Activation, mlp::Init};
use kiln::rng;
use kiln::shape::ImageShape;
use kiln::training::optimizer;
use kiln::training::schedule::learning_rate;
use kiln::training::{Batch, TrainModel};
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
    let mut trainee = TrainModel::new(
        Network::new(&config, ImageShape::new(1, 1, 2), 4, &device),
        &loss,
    );
    let mut optimizer = optimizer::build(&OptimizerConfig::Sgd(SgdConfig::default()));
    // Every fourth label in turn, so that no batch holds one class only.
    let order: Vec<usize> = (0..40).map(|i| (i % 4) * 10 + i / 4).collect();
    for _ in 0..500 {
        for indices in order.chunks(5) {
            let output = TrainStep::step(&trainee, batch(indices, &device));
            trainee = optimizer.step(1e-3, trainee, output.grads);
        }
    }
    let output = InferenceStep::step(&trainee.valid(), batch(&order, &Device::flex()));
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
    (trainee, 40.0 * mean, accuracy)
}

/// The hidden layer's weights, one row per unit, from the network's parameters in their order.
fn hidden_units(trainee: &TrainModel) -> Vec<Vec<f32>> {
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
    trainee.visit(&mut first);
    let (weights, units) = (first.0.unwrap(), first.1);
    (0..units)
        .map(|unit| weights.iter().skip(unit).step_by(units).copied().collect())
        .collect()
}

#[test]
fn the_toy_problem_reaches_the_loss_and_accuracy_that_the_course_asks_for() {
    let _turn = alone();
    let (trainee, loss, accuracy) = train_on_blobs(Init::XavierUniform);
    assert!(loss < 35.0, "summed loss {loss}");
    assert!(accuracy > 0.75, "accuracy {accuracy}");
    let units = hidden_units(&trainee);
    assert_ne!(units[0], units[1], "units of a working network differ");
}

#[test]
fn with_all_weights_zero_every_hidden_unit_learns_the_same_and_little_is_learnt() {
    let _turn = alone();
    let (trainee, loss, accuracy) = train_on_blobs(Init::Zeros);
    let units = hidden_units(&trainee);
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

// ---- The loss ----

fn loss_of(loss: LossConfig) -> (f32, Vec<f32>) {
    weighted_loss_of(loss, None)
}

fn weighted_loss_of(loss: LossConfig, weights: Option<Vec<f32>>) -> (f32, Vec<f32>) {
    // A "network" whose logits are its weights: one linear layer on a one-hot input.
    let _turn = alone();
    let device = device();
    device.seed(9);
    let config = ModelConfig::Mlp(MlpConfig {
        hidden: vec![],
        ..MlpConfig::default()
    });
    let network = Network::new(&config, ImageShape::new(1, 1, 2), 3, &device);
    let logits = [[2.0f32, -1.0, 0.5], [0.0, 0.3, -0.2]];
    struct Fill([[f32; 3]; 2]);
    impl burn::module::ModuleMapper for Fill {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let flat: Vec<f32> = self.0.iter().flatten().copied().collect();
            param.map(|tensor| match D {
                2 => Tensor::from_data(TensorData::new(flat, tensor.shape()), &tensor.device())
                    .require_grad(),
                _ => tensor,
            })
        }
    }
    let trainee =
        TrainModel::new(network.map(&mut Fill(logits)), &loss).with_class_weights(weights);
    let batch = Batch {
        images: Tensor::from_data([[[[1.0, 0.0]]], [[[0.0, 1.0]]]], &device),
        targets: Tensor::from_data([0, 2], &device),
        originals: None,
        indices: vec![0, 1],
        features: None,
    };
    let output = TrainStep::step(&trainee, batch);
    let mut optimizer: ModuleOptimizer =
        optimizer::build(&OptimizerConfig::Sgd(SgdConfig::default()));
    let moved = optimizer.step(1.0, trainee, output.grads);
    let after: Vec<f32> = hidden_units(&moved).concat();
    let before: Vec<f32> = (0..3).flat_map(|c| [logits[0][c], logits[1][c]]).collect();
    let gradient = before.iter().zip(&after).map(|(b, a)| b - a).collect();
    (values(output.item.loss)[0], gradient)
}

#[test]
fn the_loss_and_its_gradient_are_those_of_pytorch() {
    // torch.nn.functional.cross_entropy(tensor([[2, -1, .5], [0, .3, -.2]]), tensor([0, 2])), torch 2.x, float64,
    // gradient with respect to the logits, class by class.
    let (loss, gradient) = loss_of(LossConfig::default());
    close(&[loss], &[MEAN_LOSS], 1e-6);
    close(&gradient, &MEAN_GRADIENT, 1e-6);
}

#[test]
fn reduction_sum_multiplies_the_gradient_by_the_batch_and_reports_the_mean() {
    let (loss, gradient) = loss_of(LossConfig {
        reduction: Reduction::Sum,
        ..LossConfig::default()
    });
    close(&[loss], &[MEAN_LOSS], 1e-6);
    let doubled: Vec<f32> = MEAN_GRADIENT.iter().map(|g| 2.0 * g).collect();
    close(&gradient, &doubled, 1e-6);
}

#[test]
fn label_smoothing_is_that_of_pytorch() {
    let (loss, gradient) = loss_of(LossConfig {
        label_smoothing: 0.1,
        ..LossConfig::default()
    });
    close(&[loss], &[SMOOTH_LOSS], 1e-6);
    close(&gradient, &SMOOTH_GRADIENT, 1e-6);
}

#[test]
fn class_weights_with_label_smoothing_are_those_of_pytorch() {
    // As above with weight=tensor([.5, 2, 3]) and label_smoothing=0.1.
    let loss = LossConfig {
        label_smoothing: 0.1,
        ..LossConfig::default()
    };
    let (loss, gradient) = weighted_loss_of(loss, Some(vec![0.5, 2.0, 3.0]));
    close(&[loss], &[1.248_04], 1e-6);
    let expected = [
        0.008_822_32,
        0.255_230_6,
        -0.011_970_106,
        0.331_905_55,
        0.003_147_785,
        -0.587_136_15,
    ];
    close(&gradient, &expected, 1e-6);
}

const MEAN_LOSS: f32 = 0.797_298_9;
const MEAN_GRADIENT: [f32; 6] = [
    -0.107_201_48,
    0.157_798_92,
    0.019_556_287,
    0.213_006_26,
    0.087_645_196,
    -0.370_805_17,
];
const SMOOTH_LOSS: f32 = 0.860_632_26;
const SMOOTH_GRADIENT: [f32; 6] = [
    -0.073_868_15,
    0.141_132_25,
    0.002_889_62,
    0.196_339_59,
    0.070_978_53,
    -0.337_471_84,
];

// ---- Optimizers ----

/// Five steps on `sum(w^2 * [1, 3])` from `[1, -2]`.
fn five_steps(config: OptimizerConfig) -> Vec<f32> {
    let _turn = alone();
    let device = device();
    #[derive(Module, Debug)]
    struct Weights {
        w: Param<Tensor<1>>,
    }
    let mut weights = Weights {
        w: Param::from_tensor(Tensor::from_floats([1.0, -2.0], &device)),
    };
    let mut optimizer = optimizer::build(&config);
    for _ in 0..5 {
        let w = weights.w.val();
        let loss = (w.clone() * w * Tensor::from_floats([1.0, 3.0], &device)).sum();
        let grads = burn::optim::GradientsParams::from_grads(loss.backward(), &weights);
        weights = optimizer.step(config.lr(), weights, grads);
    }
    values(weights.w.val())
}

#[test]
fn sgd_with_momentum_and_weight_decay_is_that_of_pytorch() {
    let found = five_steps(OptimizerConfig::Sgd(SgdConfig {
        lr: 0.02,
        momentum: 0.9,
        weight_decay: 0.1,
        clip_norm: None,
    }));
    close(&found, &SGD, 1e-5);
}

#[test]
fn adam_with_weight_decay_is_that_of_pytorch() {
    let found = five_steps(OptimizerConfig::Adam(AdamConfig {
        lr: 0.1,
        weight_decay: 0.1,
        ..AdamConfig::default()
    }));
    close(&found, &ADAM, 1e-5);
}

#[test]
fn adam_w_is_that_of_pytorch() {
    let found = five_steps(OptimizerConfig::AdamW(AdamConfig {
        lr: 0.1,
        weight_decay: 0.1,
        ..AdamConfig::default()
    }));
    close(&found, &ADAM_W, 1e-5);
}

#[test]
fn clipping_bounds_the_norm_of_a_step() {
    let found = five_steps(OptimizerConfig::Sgd(SgdConfig {
        lr: 0.1,
        clip_norm: Some(1.0),
        ..SgdConfig::default()
    }));
    // Each step has length at most 0.1, and the first gradients are longer than 1.
    let moved = ((found[0] - 1.0).powi(2) + (found[1] + 2.0).powi(2)).sqrt();
    assert!(moved <= 0.5 + 1e-6 && moved > 0.49, "moved {moved}");
}

// torch.optim in float64 on the same function (torch 2.15).
const SGD: [f32; 2] = [0.500_767_9, 0.373_606_8];
const ADAM: [f32; 2] = [0.507_963_66, -1.502_955_8];
const ADAM_W: [f32; 2] = [0.469_952_64, -1.415_566_4];

// ---- Schedules ----

fn rates(schedule: &ScheduleConfig, epochs: usize, steps: usize, at: &[usize]) -> Vec<f32> {
    at.iter()
        .map(|&step| learning_rate(schedule, 0.8, epochs, steps, step) as f32)
        .collect()
}

#[test]
fn a_constant_rate_stays() {
    assert_eq!(
        rates(&ScheduleConfig::default(), 5, 10, &[0, 7, 49]),
        [0.8; 3]
    );
}

#[test]
fn a_step_schedule_halves_after_every_so_many_epochs() {
    let schedule = ScheduleConfig::Step(StepConfig {
        every: 2,
        gamma: 0.5,
    });
    // Ten steps an epoch: epochs 1 and 2 at 0.8, 3 and 4 at 0.4, 5 at 0.2.
    close(
        &rates(&schedule, 5, 10, &[0, 19, 20, 39, 40]),
        &[0.8, 0.8, 0.4, 0.4, 0.2],
        1e-7,
    );
}

#[test]
fn a_cosine_schedule_warms_up_falls_to_its_half_in_the_middle_and_ends_at_its_factor() {
    let schedule = ScheduleConfig::Cosine(CosineConfig {
        warmup: 1.0,
        final_factor: 0.1,
    });
    // Five epochs of ten steps: the warm-up has steps 0 to 9, the middle of the rest is step 30.
    let middle = 0.8 * (0.1 + 0.9 * 0.5);
    close(
        &rates(&schedule, 5, 10, &[0, 4, 9, 10, 30, 50, 99]),
        &[0.08, 0.4, 0.8, 0.8, middle, 0.08, 0.08],
        1e-6,
    );
}

proptest! {
    #[test]
    fn a_rate_is_never_above_the_base_nor_negative(
        warmup in 0f64..3.0, factor in 0f64..1.0, step in 0usize..200
    ) {
        let schedule = ScheduleConfig::Cosine(CosineConfig { warmup, final_factor: factor });
        let rate = learning_rate(&schedule, 1.0, 5, 20, step);
        prop_assert!((0.0..=1.0 + 1e-12).contains(&rate), "{rate}");
    }
}
