//! The gradients of every kind of network.

use serde_json::Value;

use crate::common::Bench;
use crate::image_config;

/// A small one of every kind: name, side of the images, model, loss.
const MODELS: [(&str, usize, &str, &str); 12] = [
    (
        "mlp_sigmoid",
        8,
        r#"{"kind": "mlp", "hidden": [20, 7], "activation": "sigmoid", "classes": 5}"#,
        r#"{"reduction": "sum"}"#,
    ),
    (
        "mlp_tanh",
        8,
        r#"{"kind": "mlp", "hidden": [20], "activation": "tanh", "classes": 5}"#,
        r#"{"label_smoothing": 0.1}"#,
    ),
    (
        "mlp_relu_from_zeros",
        8,
        r#"{"kind": "mlp", "hidden": [20, 7], "activation": "relu", "init": "zeros", "classes": 5}"#,
        r#"{"reduction": "sum", "label_smoothing": 0.1}"#,
    ),
    (
        "cnn",
        11,
        r#"{"kind": "cnn", "channels": [6, 17], "hidden": 9, "classes": 5}"#,
        r#"{"label_smoothing": 0.1}"#,
    ),
    (
        "deep_cnn_average",
        12,
        r#"{"kind": "cnn", "stem": 5, "channels": [6, 7], "more": [2, 1], "residual": true, "gather": "average",
            "hidden": 0, "classes": 5}"#,
        r#"{"reduction": "sum"}"#,
    ),
    (
        "deep_cnn_max",
        12,
        r#"{"kind": "cnn", "stem": 5, "channels": [6, 7], "more": [0, 2], "gather": "max", "hidden": 8, "classes": 5}"#,
        "{}",
    ),
    (
        "squeezenet",
        25,
        r#"{"kind": "squeezenet", "classes": 4}"#,
        "{}",
    ),
    (
        "autoencoder",
        8,
        r#"{"kind": "autoencoder", "hidden": [12, 6, 12]}"#,
        r#"{"reduction": "sum"}"#,
    ),
    (
        "conv_autoencoder",
        8,
        r#"{"kind": "conv_autoencoder", "channels": [6, 10], "code": 7}"#,
        "{}",
    ),
    (
        "resnet18",
        64,
        r#"{"kind": "resnet18", "width": 4, "classes": 3}"#,
        "{}",
    ),
    (
        "convnext_tiny",
        16,
        r#"{"kind": "convnext_tiny", "channels": [4, 6], "depths": [1, 1], "classes": 3}"#,
        "{}",
    ),
    (
        "vit_b_16",
        16,
        r#"{"kind": "vit_b_16", "patch": 8, "width": 12, "depth": 1, "heads": 2, "classes": 3}"#,
        "{}",
    ),
];

/// The deep networks that people fine-tune, narrow: kind, side of the images, settings. ResNet-34 and the large MobileNetV3 have the
/// blocks of their smaller relatives.
const DEEP: [(&str, usize, &str); 6] = [
    ("resnet50", 64, r#""width": 4"#),
    ("mobilenet_v2", 48, r#""width_mult": 0.1"#),
    ("mobilenet_v3_small", 64, r#""width_mult": 0.1"#),
    (
        "efficientnet_b0",
        64,
        r#""width_mult": 0.1, "depth_mult": 0.3"#,
    ),
    (
        "efficientnet_lite0",
        64,
        r#""width_mult": 0.1, "depth_mult": 0.3"#,
    ),
    ("squeezenet1_0", 32, r#""dropout": 0.5"#),
];

#[test]
fn the_gradients_of_every_deep_network_are_right_at_a_sample_of_each_tensor() {
    let bench = Bench::new();
    let mut names = Vec::new();
    for (kind, side, settings) in DEEP {
        let model = format!(r#"{{"kind": "{kind}", "classes": 3, {settings}}}"#);
        bench.write(&format!("{kind}.json"), image_config(side, &model, "{}"));
        names.push(format!("{kind}.json"));
    }
    let flags = "--json --batch 2 --samples 1 --complete 1";
    let output = bench.output(&format!("gradcheck {} {flags}", names.join(" ")));
    assert_eq!(output.lines().count(), DEEP.len());
    for (line, (kind, ..)) in output.lines().zip(DEEP) {
        let report: Value = serde_json::from_str(line).unwrap();
        assert_eq!(report["model"], kind);
        assert_eq!(report["passed"], true, "{kind}");
        let tensors = report["tensors"].as_array().unwrap();
        assert!(tensors.len() > 50, "{kind}: {}", tensors.len());
        assert!(
            tensors.iter().all(|tensor| tensor["checked"] == 1),
            "{kind}"
        );
    }
}

fn write_models(bench: &Bench) -> String {
    let mut names = Vec::new();
    for (name, side, model, loss) in MODELS {
        bench.write(&format!("{name}.json"), image_config(side, model, loss));
        names.push(format!("{name}.json"));
    }
    names.join(" ")
}

/// Checks every model with some flags: a line of JSON for each.
fn check_all(flags: &str) -> Vec<Value> {
    let bench = Bench::new();
    let names = write_models(&bench);
    let output = bench.output(&format!("gradcheck {names} --json {flags}"));
    let lines = output.lines();
    let reports: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(reports.len(), MODELS.len());
    for (report, (name, ..)) in reports.iter().zip(MODELS) {
        assert_eq!(report["config"], name);
        assert_eq!(report["passed"], true, "{name}");
        for tensor in report["tensors"].as_array().unwrap() {
            let error = tensor["worst"]["error"].as_f64().unwrap();
            assert!(error <= 1e-5, "{name}: {tensor}");
        }
    }
    reports
}

/// The largest gradient of the first convolution's bias, which stands in front of a batch norm.
fn bias_in_front_of_a_norm(report: &Value) -> f64 {
    let tensors = report["tensors"].as_array().unwrap();
    let bias = tensors
        .iter()
        .find(|tensor| tensor["name"] == "blocks.0.conv.bias")
        .unwrap();
    bias["largest"].as_f64().unwrap()
}

#[test]
fn the_gradients_of_every_model_are_right_with_kilns_kernels() {
    let reports = check_all("");
    // The kernels give this one as the zero that it is, so these are the kernels.
    assert_eq!(reports[3]["operators"], "kiln");
    assert_eq!(bias_in_front_of_a_norm(&reports[3]), 0.0);
    // Single precision would leave errors of 1e-2.
    let smooth = reports[0]["tensors"].as_array().unwrap();
    for tensor in smooth {
        assert!(
            tensor["worst"]["error"].as_f64().unwrap() < 1e-6,
            "{tensor}"
        );
        assert_eq!(tensor["retried"], 0);
    }
}

#[test]
fn the_gradients_of_every_model_are_right_with_burns_operators() {
    let reports = check_all("--operators burn --samples 8 --batch 2");
    assert_eq!(reports[3]["operators"], "burn");
    // Burn's is what rounding leaves of zero.
    let bias = bias_in_front_of_a_norm(&reports[3]);
    assert!(bias > 0.0 && bias < 1e-12, "{bias}");
}
