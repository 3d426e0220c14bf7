//! What every network keeps to.

use burn::prelude::*;
use burn::train::TrainStep;
use kiln::config::{LossConfig, OptimizerConfig, SgdConfig};
use kiln::models::cnn::Gather;
use kiln::models::{
    AutoencoderConfig, CnnConfig, ConvAutoencoderConfig, MlpConfig, ModelConfig, Network,
    SqueezenetConfig, Task, parameters,
};
use kiln::shape::ImageShape;
use kiln::training::{Batch, TrainModel, optimizer};
use proptest::prelude::*;

use crate::common::noisy;
use crate::images;

/// A network of every kind, with images that it takes.
fn one_of_each() -> Vec<(ModelConfig, [usize; 3])> {
    let deeper = CnnConfig {
        stem: 3,
        channels: vec![4, 6],
        more: vec![1],
        residual: true,
        gather: Gather::Average,
        hidden: 0,
        dropout: 0.0,
        ..CnnConfig::default()
    };
    let squeezenet = SqueezenetConfig {
        dropout: 0.0,
        ..SqueezenetConfig::default()
    };
    let conv_autoencoder = ConvAutoencoderConfig {
        channels: vec![4, 6],
        code: 5,
    };
    vec![
        (ModelConfig::Mlp(MlpConfig::default()), [1, 8, 8]),
        (
            ModelConfig::Cnn(CnnConfig {
                dropout: 0.0,
                ..CnnConfig::default()
            }),
            [1, 17, 16],
        ),
        (ModelConfig::Cnn(deeper), [3, 20, 16]),
        (ModelConfig::Squeezenet(squeezenet), [3, 33, 40]),
        (
            ModelConfig::Autoencoder(AutoencoderConfig::default()),
            [1, 12, 8],
        ),
        (ModelConfig::ConvAutoencoder(conv_autoencoder), [3, 12, 16]),
    ]
}

#[test]
fn a_step_of_every_network_has_the_same_bits_on_any_number_of_threads() {
    let device = Device::flex().autodiff();
    for (config, shape) in one_of_each() {
        let step = || {
            let network = noisy(Network::new(&config, shape.into(), 5, &device), 1);
            let images = images(33, shape, &device);
            let reconstructs = config.task() == Task::Reconstruct;
            let batch = Batch {
                originals: reconstructs.then(|| images.clone().flatten(1, 3)),
                images,
                targets: Tensor::from_data(
                    TensorData::new((0..33).map(|i| i % 5).collect::<Vec<i32>>(), [33]),
                    &device,
                ),
                indices: (0..33).collect(),
                features: None,
            };
            let trainee = TrainModel::new(network, &LossConfig::default());
            let output = TrainStep::step(&trainee, batch);
            let mut optimizer = optimizer::build(&OptimizerConfig::Sgd(SgdConfig::default()));
            let moved: TrainModel = optimizer.step(1e-3, trainee, output.grads);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("moved.safetensors");
            kiln::weights::save(&moved.network, &path).unwrap();
            std::fs::read(path).unwrap()
        };
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(step)
        };
        assert!(on(1) == on(3), "{config:?}");
    }
}

fn any_model() -> impl Strategy<Value = ModelConfig> {
    let widths = |most| proptest::collection::vec(1usize..9, most);
    let gather = prop_oneof![
        Just(Gather::Flatten),
        Just(Gather::Average),
        Just(Gather::Max)
    ];
    let cnn = (
        (
            0usize..4,
            widths(1..4),
            proptest::collection::vec(0usize..3, 0..4),
        ),
        (any::<bool>(), gather, 0usize..6),
    );
    prop_oneof![
        widths(0..4).prop_map(|hidden| ModelConfig::Mlp(MlpConfig {
            hidden,
            ..MlpConfig::default()
        })),
        cnn.prop_map(|((stem, channels, more), (residual, gather, hidden))| {
            ModelConfig::Cnn(CnnConfig {
                stem,
                channels,
                more,
                residual,
                gather,
                hidden,
                ..CnnConfig::default()
            })
        }),
        Just(ModelConfig::Squeezenet(SqueezenetConfig::default())),
        widths(1..4).prop_map(|hidden| ModelConfig::Autoencoder(AutoencoderConfig { hidden })),
        (widths(1..4), 1usize..9).prop_map(|(channels, code)| {
            ModelConfig::ConvAutoencoder(ConvAutoencoderConfig { channels, code })
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_networks_values_are_counted_before_it_is_built(
        model in any_model(), colour: bool, height in 2usize..48, width in 2usize..48, classes in 2usize..20,
    ) {
        let channels = if colour { 3 } else { 1 };
        let shape = ImageShape::new(channels, height, width);
        prop_assume!(model.problems(shape).is_empty());
        let network = Network::new(&model, shape, classes, &Device::flex());
        let found: usize = parameters::list(&network).iter().map(|p| p.values()).sum();
        prop_assert_eq!(model.values(shape, classes), Some(found));
        // And what it gives back is as wide as it should be.
        let images = Tensor::<4>::zeros([2, channels, height, width], &Device::flex());
        let wide = match model.task() {
            Task::Classify => classes,
            Task::Reconstruct => channels * height * width,
        };
        prop_assert_eq!(network.forward(images).dims(), [2, wide]);
    }
}

#[test]
fn every_network_of_the_list_keeps_to_what_the_trait_promises() {
    let shape = ImageShape::new(1, 32, 32);
    let device = Device::flex();
    for config in ModelConfig::defaults() {
        let kind = config.kind();
        let written = serde_json::to_value(&config).unwrap();
        assert_eq!(written["kind"], kind);
        let parsed: ModelConfig = serde_json::from_value(written).unwrap();
        assert_eq!(parsed, config);
        assert!(config.problems(shape).is_empty(), "{kind}");
        // A size that may be refused, but must not panic.
        config.problems(ImageShape::new(1, 1, 1));
        let config = config.without_dropout();
        assert_eq!(config.dropout(), 0.0, "{kind}");
        let network = Network::new(&config, shape, 7, &device);
        let parameters = parameters::list(&network);
        let count = parameters.iter().map(|parameter| parameter.values()).sum();
        assert_eq!(config.values(shape, 7), Some(count), "{kind}");
        assert!(network.work(shape).forward > 0, "{kind}");
        let images = images(3, shape.dims(), &device);
        let output = network.forward(images.clone());
        let width = match config.task() {
            Task::Classify => 7,
            Task::Reconstruct => shape.values(),
        };
        assert_eq!(output.dims(), [3, width], "{kind}");
        if let Some(weights) = network.first_weights(shape) {
            assert_eq!(weights.dims()[1], shape.channels, "{kind}");
        }
        let Some(backbone) = network.backbone() else {
            continue;
        };
        let again = backbone.classify(backbone.features(images));
        assert_eq!(output.into_data(), again.into_data(), "{kind}");
        let (inside, outside): (Vec<_>, Vec<_>) = parameters.iter().partition(|parameter| {
            let mut patterns = backbone.parameters().into_iter();
            patterns.any(|pattern| parameters::matches(&pattern, &parameter.name))
        });
        assert!(!inside.is_empty() && !outside.is_empty(), "{kind}");
    }
}
