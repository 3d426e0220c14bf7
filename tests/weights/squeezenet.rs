//! SqueezeNet, next to torchvision's.

use std::path::Path;

use burn::prelude::*;
use kiln::inference::{Classifier, to_input};
use kiln::models::{ModelConfig, Network, SqueezenetConfig, parameters};
use kiln::shape::ImageShape;
use kiln::weights;
use serde_json::Value;

use super::common::{Bench, real_data, repository, tensors};

/// `torchvision.models.squeezenet1_1().state_dict()` (torchvision 0.29): squeezed and expanded channels of the fire modules.
const FIRES: [(usize, [usize; 3]); 8] = [
    (3, [64, 16, 64]),
    (4, [128, 16, 64]),
    (6, [128, 32, 128]),
    (7, [256, 32, 128]),
    (9, [256, 48, 192]),
    (10, [384, 48, 192]),
    (11, [384, 64, 256]),
    (12, [512, 64, 256]),
];

/// Torchvision's names and shapes.
fn of_torchvision(classes: usize) -> Vec<(String, Vec<usize>)> {
    let mut list = vec![
        ("features.0.weight".to_string(), vec![64, 3, 3, 3]),
        ("features.0.bias".to_string(), vec![64]),
    ];
    for (index, [inputs, squeezed, expanded]) in FIRES {
        for (name, shape) in [
            ("squeeze", vec![squeezed, inputs, 1, 1]),
            ("expand1x1", vec![expanded, squeezed, 1, 1]),
            ("expand3x3", vec![expanded, squeezed, 3, 3]),
        ] {
            let bias = vec![shape[0]];
            list.push((format!("features.{index}.{name}.weight"), shape));
            list.push((format!("features.{index}.{name}.bias"), bias));
        }
    }
    list.push(("classifier.1.weight".into(), vec![classes, 512, 1, 1]));
    list.push(("classifier.1.bias".into(), vec![classes]));
    list
}

fn squeezenet(classes: usize) -> Network {
    let config = ModelConfig::Squeezenet(SqueezenetConfig::default());
    Network::new(
        &config,
        ImageShape::new(3, 32, 32),
        classes,
        &Device::flex(),
    )
}

#[test]
fn squeezenet_has_the_names_shapes_and_parameters_of_torchvision() {
    let found = parameters::list(&squeezenet(1000)).into_iter();
    let found: Vec<_> = found.map(|p| (p.name, p.shape)).collect();
    assert_eq!(found, of_torchvision(1000));
    let network = Network::new(
        &ModelConfig::Squeezenet(SqueezenetConfig::default()),
        ImageShape::new(3, 32, 32),
        1000,
        &Device::flex().autodiff(),
    );
    // From torchvision's page about the model.
    assert_eq!(parameters::trainable(&network), 1_235_496);
}

#[test]
fn an_export_is_a_file_for_pytorch_and_can_be_imported_again() {
    let bench = Bench::new();
    bench.write(
        "squeezenet.json",
        r#"{"data": {"kind": "glyphs", "size": 32}, "model": {"kind": "squeezenet"}}"#,
    );
    let grey = ModelConfig::Squeezenet(SqueezenetConfig::default());
    let network = Network::new(&grey, ImageShape::new(1, 32, 32), 36, &Device::flex());
    weights::save(&network, &bench.path("first.safetensors")).unwrap();
    bench.output("model import first.safetensors squeezenet.json --to run");
    bench.output("model export run out.safetensors");
    let out = bench.read("out.safetensors");
    assert_eq!(tensors(&out), tensors(&bench.read("first.safetensors")));
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&out).unwrap();
    let entries = metadata.metadata().clone().unwrap();
    assert_eq!(entries["format"], "pt");
    assert_eq!(entries["input"], "[1,32,32]");
    assert!(entries["classes"].starts_with("[\"A\",\"B\""));
    assert_eq!(entries["normalize"], "null");
    let mut wanted = of_torchvision(36);
    wanted[0].1[1] = 1;
    wanted.sort();
    let found = tensors(&out);
    let shapes: Vec<(String, Vec<usize>)> = found
        .iter()
        .map(|(name, (shape, _))| (name.clone(), shape.clone()))
        .collect();
    assert_eq!(shapes, wanted);
    assert_eq!(tensors(&bench.read("run/model.safetensors")), found);
    // Other names than the data's.
    let names: Vec<String> = (0..36).map(|i| format!("class {i}")).collect();
    bench.write("names.txt", names.join("\n") + "\n");
    bench.output("model import out.safetensors squeezenet.json --to named --classes names.txt");
    let model = Classifier::load(&bench.path("named/model.safetensors"), &Device::flex()).unwrap();
    assert_eq!(model.card().classes, names);
}

/// Values in [0, 1], `[3, height, width]`.
fn planes(path: &Path) -> Vec<f32> {
    let image = image::open(path).unwrap().into_rgb8();
    (0..3)
        .flat_map(|channel| {
            let pixels = image.pixels();
            pixels.map(move |pixel| f32::from(pixel.0[channel]) / 255.0)
        })
        .collect()
}

/// Fails unless `found` is `expected`, within the tolerance.
fn assert_close(found: f64, expected: &Value, tolerance: f64) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (found - expected).abs() < tolerance,
        "{found} is not {expected}"
    );
}

/// Compares features, logits and the best five classes of an image with torchvision's.
fn assert_matches(model: &Classifier, root: &Path, image: &Value) {
    let pixels = planes(&root.join(image["crop_png"].as_str().unwrap()));
    let input = to_input(
        pixels.clone(),
        1,
        model.card().input,
        model.card().normalize.as_ref(),
        &Device::flex(),
    );
    let features = model
        .network()
        .backbone()
        .unwrap()
        .features(input)
        .into_data();
    let sum: f64 = features.iter::<f32>().map(f64::from).sum();
    // 86528 values.
    assert_close(sum, &image["features_sum"], 1.0);
    let logits = model.outputs(pixels, 1).unwrap().remove(0);
    let first = image["logits_first8"].as_array().unwrap();
    for (&found, expected) in logits.iter().zip(first) {
        assert_close(found.into(), expected, 1e-3);
    }
    assert_close(
        logits.iter().map(|&l| f64::from(l)).sum(),
        &image["logits_sum"],
        0.1,
    );
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    for (&class, expected) in order.iter().zip(image["top5"].as_array().unwrap()) {
        assert_eq!(class as u64, expected["class_id"].as_u64().unwrap());
        assert_close(logits[class].into(), &expected["logit"], 1e-3);
    }
}

#[test]
#[cfg_attr(
    not(kiln_data = "squeezenet1_1"),
    ignore = "needs squeezenet1_1 in KILN_DATA"
)]
fn squeezenet_gives_the_logits_of_torchvision_with_weights_of_imagenet() {
    let root = real_data().join("squeezenet1_1");
    let bench = Bench::new();
    let config = repository().join("configs/squeezenet_imagenet.json");
    let import = |file: &str, run: &str| {
        bench.output(&format!(
            "model import {} {} --to {run}",
            root.join(file).display(),
            config.display()
        ));
        bench.read(&format!("{run}/model.safetensors"))
    };
    let pickled = import("squeezenet1_1.pth", "pth");
    assert!(pickled == import("squeezenet1_1_imagenet.safetensors", "safetensors"));
    let model = Classifier::load(&bench.path("pth/model.safetensors"), &Device::flex()).unwrap();
    let reference = std::fs::read(root.join("reference_logits.json")).unwrap();
    let reference: Value = serde_json::from_slice(&reference).unwrap();
    let images = reference["images"].as_array().unwrap();
    assert_eq!(images.len(), 4);
    for image in images {
        assert_matches(&model, &root, image);
    }
}
