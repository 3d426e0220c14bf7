//! The times of a plan's steps, and `kiln bench --mode layers`.

use serde_json::Value;

use super::cases;
use super::common::Bench;
use super::{images, plan};

#[test]
fn a_profile_has_the_multiply_adds_of_the_network_and_a_time_for_each_step() {
    for name in ["cnn", "squeezenet", "resnet18"] {
        let all = cases::small();
        let case = all
            .iter()
            .find(|case| case.name == name)
            .expect("a network");
        let plan = plan(case).expect("a plan");
        for count in [1, 9] {
            let profile = plan.profile(&images(case, count), count, None);
            let multiply_adds: usize = profile.steps.iter().map(|step| step.multiply_adds).sum();
            let shape = case.classifier.card().input;
            assert_eq!(
                multiply_adds,
                case.classifier.network().work(shape).forward,
                "{name}"
            );
            assert!(
                profile.steps[1..].iter().all(|step| step.seconds > 0.0),
                "{profile:?}"
            );
            assert!(
                profile.steps.iter().all(|step| !step.layer.is_empty()),
                "{profile:?}"
            );
            assert!((1..=count).contains(&profile.together), "{profile:?}");
        }
    }
}

#[test]
fn layers_are_compared_with_what_the_machine_can_do() {
    let bench = Bench::new();
    bench.write(
        "cnn.json",
        r#"{"data": {"kind": "glyphs"}, "model": {"kind": "cnn"}}"#,
    );
    let arguments = "bench cnn.json --mode layers --batch 8 --json";
    let found = bench.json(arguments);
    let machine = &found["machine"];
    assert!(machine["f32_gflops"].as_f64() > Some(0.1), "{machine}");
    let layers = found["layers"].as_array().expect("layers");
    let number = |layer: &Value, key: &str| layer[key].as_f64().expect("a number");
    assert!(
        layers.iter().all(|layer| number(layer, "us") > 0.0),
        "{layers:?}"
    );
    // Other programs may run meanwhile, so that no speed is certain.
    for layer in layers {
        let (time, limit) = (number(layer, "us"), number(layer, "limit_us"));
        let share = number(layer, "share");
        assert!(
            (share - limit / time).abs() < 1e-6 * share + 1e-9,
            "{layer}"
        );
        let operations = 2.0 * number(layer, "multiply_adds") / 1e9;
        let gflops = operations / (time / 1e6);
        assert!(
            (number(layer, "gflops") - gflops).abs() <= 1e-6 * gflops,
            "{layer}"
        );
    }
    let sum: f64 = layers.iter().map(|layer| number(layer, "us")).sum();
    assert!((sum - number(&found, "us_per_image")).abs() < 1e-6 * sum);
    let table = bench.output(&arguments.replace(" --json", ""));
    assert!(
        table.contains("Peak on") && table.contains("of limit"),
        "{table}"
    );
    let mut refused = bench.kiln("bench cnn.json --mode layers --operators burn");
    let output = refused.assert().code(2).get_output().clone();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(errors.contains("--mode layers times the steps"), "{errors}");
    // Before anything is measured.
    let mut refused = bench.kiln("bench cnn.json missing.json --mode layers");
    let output = refused.assert().code(2).get_output().clone();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        errors.starts_with("error: missing.json: not found"),
        "{errors}"
    );
    assert!(output.stdout.is_empty(), "{output:?}");
}
