//! The loss and its gradient, against PyTorch.

use burn::module::{Module, Param};
use burn::optim::ModuleOptimizer;
use burn::prelude::*;
use burn::train::TrainStep;
use kiln::config::{LossConfig, OptimizerConfig, Reduction, SgdConfig};
use kiln::models::{MlpConfig, ModelConfig, Network};
use kiln::shape::ImageShape;
use kiln::training::{Batch, TrainModel, optimizer};

use super::{alone, close, device, hidden_units, values};

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
    let model = TrainModel::new(network.map(&mut Fill(logits)), &loss).with_class_weights(weights);
    let batch = Batch {
        images: Tensor::from_data([[[[1.0, 0.0]]], [[[0.0, 1.0]]]], &device),
        targets: Tensor::from_data([0, 2], &device),
        originals: None,
        indices: vec![0, 1],
        features: None,
    };
    let output = TrainStep::step(&model, batch);
    let mut optimizer: ModuleOptimizer =
        optimizer::build(&OptimizerConfig::Sgd(SgdConfig::default()));
    let moved = optimizer.step(1.0, model, output.grads);
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
