//! The networks of the course and their lists of layers are the same: with the same weights, they give the same output.

use burn::prelude::*;
use kiln::models::{LayersConfig, ModelConfig, Network, Task, parameters};
use kiln::shape::ImageShape;
use kiln::weights;

use super::common::{noise, noisy};
use super::model;

/// Relative to the largest output.
const TOLERANCE: f32 = 1e-5;

fn images(count: usize, shape: ImageShape) -> Tensor<4> {
    let [channels, height, width] = shape.dims();
    let values = noise(count * shape.values(), 3);
    let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
    let data = TensorData::new(values, [count, channels, height, width]);
    Tensor::from_data(data, &Device::flex())
}

fn is_its_list_of_layers(config: ModelConfig, shape: ImageShape) {
    let classes = 7;
    let outputs = match config.task() {
        Task::Classify => classes,
        Task::Reconstruct => shape.values(),
    };
    let device = Device::flex();
    let list = ModelConfig::Layers(LayersConfig {
        layers: config.layers(shape),
        classes: None,
    });
    let native = noisy(Network::new(&config, shape, classes, &device), 1);
    let described = Network::new(&list, shape, outputs, &device);
    let names = |network: &Network| -> Vec<(String, Vec<usize>)> {
        let list = parameters::list(network).into_iter();
        let mut names: Vec<_> = list
            .map(|parameter| (parameter.name, parameter.shape))
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&native), names(&described), "{}", config.kind());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weights.safetensors");
    weights::save(&native, &file).unwrap();
    let (described, _) = weights::load(described, &file, &[]).unwrap();
    let output = |network: &Network| -> Vec<f32> {
        let output = network.forward(images(3, shape));
        output.into_data().try_to_vec().unwrap()
    };
    let (expected, found) = (output(&native), output(&described));
    let largest = expected
        .iter()
        .fold(0f32, |most, value| most.max(value.abs()));
    assert_eq!(expected.len(), found.len());
    for (expected, found) in expected.iter().zip(found) {
        let difference = (expected - found).abs();
        assert!(
            difference <= TOLERANCE * largest,
            "{}: {expected} and {found}",
            config.kind()
        );
    }
    let costs = |network: &Network| network.work(shape).forward;
    assert_eq!(costs(&native), costs(&described), "{}", config.kind());
}

#[test]
fn each_network_that_has_its_own_code_is_its_list_of_layers() {
    // The others are built from their lists.
    for kind in [
        "mlp",
        "cnn",
        "squeezenet",
        "autoencoder",
        "conv_autoencoder",
    ] {
        let config = model(&format!(r#"{{"kind": "{kind}"}}"#));
        is_its_list_of_layers(config.without_dropout(), ImageShape::new(1, 32, 32));
    }
}

#[test]
fn so_are_the_variants_of_the_convolutional_network() {
    for json in [
        r#"{"kind": "cnn", "stem": 8, "channels": [8, 16], "more": [2, 1], "residual": true, "gather": "average", "hidden": 0}"#,
        r#"{"kind": "cnn", "channels": [8, 16], "more": [0, 1], "gather": "max", "hidden": 9}"#,
        r#"{"kind": "mlp", "hidden": [9, 8], "activation": "tanh"}"#,
        r#"{"kind": "mlp", "hidden": [], "init": "zeros"}"#,
    ] {
        is_its_list_of_layers(model(json), ImageShape::new(3, 20, 28));
    }
}

/// `depth_to_space` of the numbers from 0 as 8 maps of 2x3, the first of two maps: the other has the rest.
const SHUFFLED: [(&str, f32, [f32; 24]); 2] = [
    (
        // torch.nn.PixelShuffle(2)(torch.arange(48.).reshape(1, 8, 2, 3)), the second map 24 further.
        r#"{"kind": "depth_to_space", "block": 2}"#,
        24.0,
        [
            0., 6., 1., 7., 2., 8., 12., 18., 13., 19., 14., 20., //
            3., 9., 4., 10., 5., 11., 15., 21., 16., 22., 17., 23.,
        ],
    ),
    (
        // ONNX's DepthToSpace of mode DCR, which is tf.nn.depth_to_space: the second map 6 further.
        r#"{"kind": "depth_to_space", "block": 2, "mode": "dcr"}"#,
        6.0,
        [
            0., 12., 1., 13., 2., 14., 24., 36., 25., 37., 26., 38., //
            3., 15., 4., 16., 5., 17., 27., 39., 28., 40., 29., 41.,
        ],
    ),
];

#[test]
fn pixels_are_shuffled_as_pytorch_does_or_as_tensorflow_where_a_config_says_so() {
    use kiln::kernels::Operators;

    let shape = ImageShape::new(8, 2, 3);
    let values: Vec<f32> = (0..48).map(|value| value as f32).collect();
    let images = Tensor::<4>::from_data(TensorData::new(values, [1, 8, 2, 3]), &Device::flex());
    for (layer, further, first) in SHUFFLED {
        let json =
            format!(r#"{{"kind": "layers", "layers": [{layer}, "flatten"], "classes": 48}}"#);
        let network = super::network(&json, shape, 48);
        let expected: Vec<f32> = first
            .into_iter()
            .chain(first.map(|value| value + further))
            .collect();
        let shuffled = || -> Vec<f32> {
            let output = network.forward(images.clone());
            output.into_data().try_to_vec().unwrap()
        };
        assert_eq!(shuffled(), expected, "{layer}");
        let _guard = Operators::Burn.scoped();
        assert_eq!(shuffled(), expected, "{layer} without kernels");
    }
}
