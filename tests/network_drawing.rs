//! The layers of a network as a table and as a picture: `kiln model info` and `kiln model draw`.

mod common;

use burn::prelude::*;
use common::{Bench, assert_self_contained, assert_well_formed};
use kiln::models::layer_list::Node;
use kiln::models::{ModelConfig, Network, parameters};
use kiln::report::network::{drawing, drawing_file, layer_rows, layer_table};
use kiln::shape::ImageShape;
use roxmltree::Document;
use serde_json::json;

/// The size that torchvision's numbers are for.
const PHOTOGRAPH: ImageShape = ImageShape::new(3, 224, 224);

fn nodes(model: serde_json::Value, shape: ImageShape, classes: usize) -> Vec<Node> {
    let config: ModelConfig = serde_json::from_value(model).expect("a model");
    config.nodes(shape, classes).expect("layers")
}

/// Parameters and multiply-adds of a network.
fn sums(nodes: &[Node]) -> (usize, usize) {
    let rows = layer_rows(nodes);
    let parameters = rows.iter().map(|row| row.parameters).sum();
    (parameters, rows.iter().map(|row| row.multiply_adds).sum())
}

#[test]
fn the_sums_of_the_layers_are_torchvisions_numbers() {
    // torchvision 0.29: `meta["num_params"]`, and `meta["_ops"]` in units of 10^9 multiply-adds, to which it rounds.
    for (kind, parameters, billions) in [
        ("resnet18", 11_689_512, 1.814),
        ("resnet50", 25_557_032, 4.089),
        ("mobilenet_v2", 3_504_872, 0.301),
        ("squeezenet", 1_235_496, 0.349),
    ] {
        let (found, work) = sums(&nodes(json!({"kind": kind}), PHOTOGRAPH, 1000));
        assert_eq!(found, parameters, "{kind}");
        let work = work as f64 / 1e9;
        assert!((work - billions).abs() < 0.01 * billions, "{kind}: {work}");
    }
}

#[test]
fn the_sums_of_the_layers_are_those_of_the_network_that_is_built() {
    let device = Device::flex().autodiff();
    for config in ModelConfig::defaults() {
        let shapes = [
            ImageShape::new(1, 32, 32),
            ImageShape::new(3, 64, 64),
            PHOTOGRAPH,
        ];
        let takes = |shape: &&ImageShape| config.problems(**shape).is_empty();
        let shape = *shapes.iter().find(takes).expect("a shape that it takes");
        let network = Network::new(&config, shape, 7, &device);
        let expected = (parameters::trainable(&network), network.work(shape).forward);
        let nodes = config.nodes(shape, 7).expect("layers");
        assert_eq!(sums(&nodes), expected, "{}", config.kind());
    }
}

#[test]
fn the_table_has_a_line_for_each_layer_in_the_order_of_the_network() {
    let layers = json!({"kind": "layers", "layers": [
        {"kind": "conv", "channels": 4, "kernel": 3, "stride": 2, "name": "first"}, "batch_norm", "relu",
        {"kind": "residual", "body": [{"kind": "depthwise_conv", "kernel": 3, "padding": 1, "bias": false}]},
        "global_avg_pool", "linear"
    ]});
    let table = layer_table(&layer_rows(&nodes(layers, ImageShape::new(1, 9, 9), 3)));
    // 4 x 9 + 4 parameters, 36 x 16 multiply-adds; 2 x 4; 4 x 9 and 36 x 16; 4 x 3 + 3 and 12.
    let expected = "\
layer  kind             settings       output  parameters  multiply-adds
first  conv             3x3, stride 2  4x4x4           40            576
1      batch_norm                      4x4x4            8
2      relu                            4x4x4
3      residual                        4x4x4
  3.0  depthwise_conv   3x3            4x4x4           36            576
4      global_avg_pool                 4
5      linear                          3               15             12
sum                                                    99           1164
";
    assert_eq!(table.text(), expected);
}

/// Checks that a picture is XML and that everything is inside of it; returns its texts.
fn texts(picture: &str) -> Vec<String> {
    let document = Document::parse(picture).expect("XML");
    let root = document.root_element();
    let side = |name: &str| -> f64 {
        let text = root.attribute(name).expect("a size");
        text.parse().expect("a number")
    };
    let (width, height) = (side("width"), side("height"));
    let number = |node: &roxmltree::Node, name: &str| -> f64 {
        node.attribute(name)
            .map_or(0.0, |text| text.parse().expect("a number"))
    };
    for node in document
        .descendants()
        .filter(|node| node.has_tag_name("rect"))
    {
        let (x, y) = (number(&node, "x"), number(&node, "y"));
        assert!(x >= 0.0 && x + number(&node, "width") <= width, "{node:?}");
        assert!(
            y >= 0.0 && y + number(&node, "height") <= height,
            "{node:?}"
        );
    }
    let is_text = |node: &roxmltree::Node| node.has_tag_name("text");
    let texts = document.descendants().filter(is_text);
    texts
        .filter_map(|node| Some(node.text()?.to_string()))
        .collect()
}

#[test]
fn every_network_has_a_picture_in_which_nothing_is_outside() {
    for config in ModelConfig::defaults() {
        let nodes = config.nodes(PHOTOGRAPH, 9).expect("layers");
        let picture = drawing_file(config.kind(), &nodes, PHOTOGRAPH, "9 classes");
        let texts = texts(&picture);
        assert_eq!(texts[0], config.kind());
        assert!(texts.contains(&"images".to_string()));
        assert!(texts.contains(&"9 classes".to_string()));
    }
}

#[test]
fn what_repeats_is_drawn_once() {
    let nodes = nodes(json!({"kind": "resnet50"}), PHOTOGRAPH, 1000);
    let texts = texts(&drawing_file(
        "resnet50",
        &nodes,
        PHOTOGRAPH,
        "1000 classes",
    ));
    // Stages of 3, 4, 6 and 3 blocks, of which the first ones have a shortcut of their own.
    let times: Vec<&str> = texts
        .iter()
        .filter_map(|text| text.strip_prefix('×'))
        .map(str::trim)
        .collect();
    assert_eq!(times, ["2", "3", "5", "2"]);
    let count = |name: &str| texts.iter().filter(|text| *text == name).count();
    assert_eq!(count("layer3.0.conv2"), 1);
    assert_eq!(count("layer3.1.conv2"), 1);
    assert_eq!(count("layer3.2.conv2"), 0);
}

#[test]
fn names_and_texts_are_escaped_and_long_ones_cut() {
    let name = "a".repeat(90);
    let layers = json!({"kind": "layers", "layers": ["flatten", {"kind": "linear", "name": name}]});
    let shape = ImageShape::new(1, 2, 2);
    let nodes = nodes(layers, shape, 2);
    let picture = drawing_file("<b> & \"c\"", &nodes, shape, "]]>");
    let texts = texts(&picture);
    assert_eq!(texts[0], "<b> & \"c\"");
    let shown = texts
        .iter()
        .find(|text| text.contains("aaa"))
        .expect("a name");
    assert!(
        shown.starts_with('…') && shown.chars().count() <= 40,
        "{shown}"
    );
    // The tooltip has it in full.
    assert!(picture.contains(&name));
    let page = format!(
        "<!DOCTYPE html><html>{}</html>",
        drawing(&nodes, shape, "2").into_string()
    );
    assert_well_formed(&page);
    assert_self_contained(&page);
}

#[test]
fn model_draw_writes_a_picture_and_the_report_of_a_run_has_it() {
    let bench = Bench::new();
    bench.write("small.json", common::SMALL);
    assert_eq!(bench.output("model draw small.json net.svg"), "net.svg\n");
    let of_config = bench.read("net.svg");
    texts(&String::from_utf8(of_config.clone()).expect("text"));
    bench.output("train small.json --run-dir run");
    bench.output("model draw run run.svg");
    assert_eq!(bench.read("run.svg"), of_config);
    let report = String::from_utf8(bench.read("run/report.html")).expect("text");
    assert_well_formed(&report);
    assert_self_contained(&report);
    assert!(report.contains("Layers of the network"));
    for (arguments, part) in [
        ("small.json net.png", "must end in .svg"),
        ("absent.json net2.svg", "absent.json"),
        (
            "run net2.svg --set model.hidden=[8]",
            "a trained model can't change",
        ),
    ] {
        let assert = bench.kiln(&format!("model draw {arguments}")).assert();
        let output = assert.code(2).get_output().clone();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains(part), "{text}");
    }
    assert!(!bench.path("net2.svg").exists());
}

#[test]
fn model_info_lists_the_layers_beside_the_tensors() {
    let bench = Bench::new();
    bench.write("small.json", common::SMALL);
    let info = bench.json("model info small.json --json");
    assert_eq!(
        info["layers"],
        json!([
            {"name": "0", "kind": "flatten", "depth": 0, "output": [1024], "parameters": 0, "multiply_adds": 0},
            {"name": "layers.0", "kind": "linear", "depth": 0, "output": [32], "parameters": 32_800, "multiply_adds": 32_768},
            {"name": "2", "kind": "relu", "depth": 0, "output": [32], "parameters": 0, "multiply_adds": 0},
            {"name": "layers.1", "kind": "linear", "depth": 0, "output": [36], "parameters": 1188, "multiply_adds": 1152}
        ])
    );
    assert_eq!(info["multiply_adds"], 33_920);
    assert_eq!(info["parameters"], 33_988);
    let text = bench.output("model info small.json");
    assert!(text.starts_with(
        "mlp: 1x32x32 -> 36 classes\n33988 parameters, 33920 multiply-adds\n\nlayer "
    ));
    assert!(text.contains("\ntensor "), "{text}");
}
