//! Inference plans: what [`Classifier`](kiln::inference::Classifier) computes with on the CPU gives what the network gives.

#[path = "../export/cases.rs"]
#[allow(dead_code)]
mod cases;
#[path = "../common/mod.rs"]
mod common;
mod layers;
mod random;

use cases::Case;
use kiln::inference::plan::{ComputePrecision, Plan};
use kiln::inference::to_input;
use kiln::kernels::Operators;

/// The plan of a case, if it has one.
fn plan(case: &Case) -> Option<Plan> {
    plan_in(case, ComputePrecision::F32)
}

fn plan_in(case: &Case, precision: ComputePrecision) -> Option<Plan> {
    let card = case.classifier.card();
    let nodes = card.model.nodes(card.input, card.classes.len());
    let nodes = nodes.expect("layers");
    Plan::new(case.classifier.network(), &nodes, card.input, precision)
}

/// Pixels of so many images.
fn images(case: &Case, count: usize) -> Vec<f32> {
    let shape = case.classifier.card().input;
    cases::values(&cases::pixels(count, shape), shape)
}

fn run(case: &Case, plan: &Plan, pixels: &[f32]) -> Vec<f32> {
    let card = case.classifier.card();
    plan.run(
        pixels,
        pixels.len() / card.input.values(),
        card.normalize.as_ref(),
    )
}

fn run_on(threads: usize, case: &Case, plan: &Plan, pixels: &[f32]) -> Vec<f32> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.expect("threads");
    pool.install(|| run(case, plan, pixels))
}

/// The network's own outputs, by Burn's operators.
fn expected(case: &Case, pixels: &[f32]) -> Vec<f32> {
    let _guard = Operators::Burn.scoped();
    let classifier = &case.classifier;
    let card = classifier.card();
    let count = pixels.len() / card.input.values();
    let input = to_input(
        pixels.to_vec(),
        count,
        card.input,
        card.normalize.as_ref(),
        classifier.device(),
    );
    let outputs = classifier.network().forward(input).into_data();
    outputs.try_to_vec().expect("floats")
}

/// Fails unless values are within 1e-5 of the largest of them; random MobileNets amplify rounding: kiln's own operators and Burn's differ by
/// 3e-5 there.
fn assert_near(name: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(1e-3f32, |most, v| most.max(v.abs()));
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs() / largest;
        let bound = if name.starts_with("mobilenet") {
            5e-5
        } else {
            1e-5
        };
        assert!(
            difference <= bound,
            "{name}: output {index} is {found}, the network gives {expected}; {difference} of the largest"
        );
    }
}

#[test]
fn plans_give_what_burns_operators_give() {
    let mut without = Vec::new();
    for case in cases::networks().iter().chain(&cases::lists()) {
        let Some(plan) = plan(case) else {
            without.push(case.name.clone());
            continue;
        };
        for count in [1, 3] {
            let pixels = images(case, count);
            assert_near(
                &case.name,
                &run(case, &plan, &pixels),
                &expected(case, &pixels),
            );
        }
    }
    println!("without a plan: {without:?}");
    let known = cases::networks().into_iter().map(|case| case.name);
    let known: Vec<String> = known.filter(|name| without.contains(name)).collect();
    assert_eq!(known, ["vit_b_16"]);
}

#[test]
fn the_layers_in_front_of_a_head_give_the_features_that_it_takes() {
    let mut cut = Vec::new();
    for case in cases::networks().iter().chain(&cases::lists()) {
        let (classifier, card) = (&case.classifier, case.classifier.card());
        let Some(backbone) = classifier.network().backbone() else {
            continue;
        };
        let mut nodes = card.model.nodes(card.input, card.classes.len());
        let nodes = nodes.as_mut().expect("layers");
        nodes.truncate(nodes.len() - backbone.head_layers());
        let plan = Plan::new(
            classifier.network(),
            nodes,
            card.input,
            ComputePrecision::F32,
        );
        let Some(plan) = plan else {
            continue;
        };
        let pixels = images(case, 2);
        let normalize = card.normalize.as_ref();
        let input = to_input(
            pixels.clone(),
            2,
            card.input,
            normalize,
            classifier.device(),
        );
        let features = backbone.features(input).into_data();
        let features: Vec<f32> = features.try_to_vec().expect("floats");
        assert_near(&case.name, &run(case, &plan, &pixels), &features);
        cut.push(case.name.clone());
    }
    for name in ["cnn", "squeezenet", "resnet18", "mobilenet_v2"] {
        assert!(cut.iter().any(|cut| cut.starts_with(name)), "{cut:?}");
    }
}

/// Lists that end with "flatten" and "linear", for images of 3x17x14: where steps are put together, and where they must not be.
const TOGETHER: [(&str, &str); 7] = [
    (
        "a pool that leaves out a row",
        r#"[{"kind": "conv", "channels": 32, "kernel": 3, "padding": 1}, "batch_norm", "relu",
        {"kind": "max_pool", "kernel": 2}, {"kind": "conv", "channels": 48, "kernel": 3, "padding": 1}, "relu",
        {"kind": "max_pool", "kernel": 2}]"#,
    ),
    (
        "a pool behind another function",
        r#"[{"kind": "conv", "channels": 8, "kernel": 3}, "silu", {"kind": "max_pool", "kernel": 2}]"#,
    ),
    (
        "a pool at the end of a branch",
        r#"[{"kind": "branches", "branches": [
        [{"kind": "conv", "channels": 8, "kernel": 3, "padding": 1}, "relu", {"kind": "max_pool", "kernel": 2}],
        [{"kind": "conv", "channels": 4, "kernel": 2, "stride": 2}]]}]"#,
    ),
    (
        "branches in the last branch",
        r#"[{"kind": "branches", "branches": [[], [{"kind": "branches", "branches": [
        [{"kind": "conv", "channels": 5, "kernel": 1}], [{"kind": "conv", "channels": 6, "kernel": 3, "padding": 1}, "relu"]]}]]}]"#,
    ),
    (
        "a single branch in a branch",
        r#"[{"kind": "branches", "branches": [[{"kind": "conv", "channels": 2, "kernel": 1}],
        [{"kind": "branches", "branches": [[{"kind": "conv", "channels": 3, "kernel": 1}]]}]]}]"#,
    ),
    (
        "depthwise and residual convolutions in branches",
        r#"[{"kind": "branches", "branches": [
        [{"kind": "depthwise_conv", "kernel": 3, "padding": 1}, "relu6"],
        [{"kind": "residual", "body": [{"kind": "conv", "channels": 3, "kernel": 3, "padding": 1}, "batch_norm"]}, "relu"],
        [{"kind": "conv", "channels": 32, "kernel": 1}, {"kind": "conv", "channels": 32, "kernel": 3, "padding": 1}, "gelu"]]}]"#,
    ),
    (
        "a vector that a residual makes maps of and back",
        r#"[{"kind": "adaptive_avg_pool", "size": 4}, "flatten",
        {"kind": "linear", "features": 24},
        {"kind": "residual", "body": [{"kind": "unflatten", "size": 2}, {"kind": "conv", "channels": 6, "kernel": 3, "padding": 1}, "flatten"]},
        "relu"]"#,
    ),
];

#[test]
fn layers_give_the_same_where_steps_are_put_together() {
    for (name, layers) in TOGETHER {
        let mut layers: Vec<serde_json::Value> = serde_json::from_str(layers).expect("layers");
        layers.extend(["flatten".into(), "linear".into()]);
        let shape = kiln::shape::ImageShape::new(3, 17, 14);
        let case = cases::list(name, layers.into(), shape);
        let plan = plan(&case).expect("a plan");
        for count in [1, 2, 5] {
            let pixels = images(&case, count);
            assert_near(name, &run(&case, &plan, &pixels), &expected(&case, &pixels));
        }
    }
}

/// Large maps first, then large weights: images go through the first layers one at a time, and through the others up to 32 at a time. What is behind a residual is
/// passed on: inside, there are two values.
const TWO_STAGES: &str = r#"[{"kind": "conv", "channels": 24, "kernel": 3, "padding": 1}, "relu",
    {"kind": "conv", "channels": 32, "kernel": 3, "stride": 2, "padding": 1}, {"kind": "max_pool", "kernel": 2},
    {"kind": "residual", "body": [{"kind": "conv", "channels": 32, "kernel": 3, "padding": 1}, "relu6"]},
    {"kind": "conv", "channels": 256, "kernel": 3, "stride": 2, "padding": 1}, "relu",
    {"kind": "residual", "body": [{"kind": "conv", "channels": 256, "kernel": 3, "padding": 1}, "batch_norm"]}, "relu",
    "global_avg_pool", "linear"]"#;

#[test]
fn layers_of_large_weights_take_more_images_at_a_time_and_give_the_same() {
    let layers: serde_json::Value = serde_json::from_str(TWO_STAGES).expect("layers");
    let case = cases::list(
        "two stages",
        layers,
        kiln::shape::ImageShape::new(3, 57, 51),
    );
    let plan = plan(&case).expect("a plan");
    let pixels = images(&case, 75);
    let outputs = run_on(1, &case, &plan, &pixels);
    for threads in [2, 3, 7] {
        assert_eq!(run_on(threads, &case, &plan, &pixels), outputs);
    }
    assert_near("two stages", &outputs, &expected(&case, &pixels));
    let (values, classes) = (pixels.len() / 75, outputs.len() / 75);
    for count in [1, 2, 5] {
        let first = run(&case, &plan, &pixels[..count * values]);
        assert_eq!(first, outputs[..count * classes], "{count} images");
    }
    let profile = plan.profile(&pixels, 75, None);
    let together: Vec<usize> = profile.steps.iter().map(|step| step.together).collect();
    assert!(together[1] < together[together.len() - 1], "{together:?}");
}

#[test]
fn an_images_output_depends_neither_on_threads_nor_on_the_images_beside_it() {
    for case in cases::small() {
        let Some(plan) = plan(&case) else { continue };
        let pixels = images(&case, 29);
        let on = |threads| run_on(threads, &case, &plan, &pixels);
        let alone = on(1);
        for threads in [2, 3, 7] {
            assert_eq!(on(threads), alone, "{} on {threads} threads", case.name);
        }
        let values = case.classifier.card().input.values();
        let outputs = alone.len() / 29;
        for image in [0, 17, 28] {
            let pixels = &pixels[image * values..(image + 1) * values];
            let found = run(&case, &plan, pixels);
            let expected = &alone[image * outputs..(image + 1) * outputs];
            assert_eq!(found, expected, "{} of image {image} alone", case.name);
        }
    }
}

#[test]
fn buffers_that_were_used_before_leave_nothing_behind() {
    for case in cases::small() {
        let Some(plan) = plan(&case) else { continue };
        let pixels = images(&case, 2);
        let first = run(&case, &plan, &pixels);
        let broken = vec![f32::NAN; pixels.len()];
        run(&case, &plan, &broken);
        assert_eq!(run(&case, &plan, &pixels), first, "{}", case.name);
    }
}

#[test]
fn what_is_no_number_stays_none() {
    for case in cases::small() {
        let Some(plan) = plan(&case) else { continue };
        let mut pixels = images(&case, 1);
        // In the middle, where every network looks.
        let middle = pixels.len() / 2;
        pixels[middle] = f32::NAN;
        let found = run(&case, &plan, &pixels);
        assert!(found.iter().any(|value| value.is_nan()), "{}", case.name);
    }
}

#[test]
fn in_bfloat16_outputs_stay_near_and_depend_neither_on_threads_nor_on_the_images_beside() {
    for case in cases::small() {
        let Some(plan) = plan_in(&case, ComputePrecision::Bf16) else {
            continue;
        };
        let pixels = images(&case, 9);
        let on = |threads| run_on(threads, &case, &plan, &pixels);
        let found = on(1);
        assert_eq!(on(3), found, "{}", case.name);
        let values = case.classifier.card().input.values();
        let last = run(&case, &plan, &pixels[8 * values..]);
        assert_eq!(last, found[8 * last.len()..], "{}", case.name);
        // 8 bits of precision, through many layers of random weights.
        let expected = run(&case, &self::plan(&case).expect("a plan"), &pixels);
        let largest = expected.iter().fold(0f32, |most, v| most.max(v.abs()));
        let differences = found
            .iter()
            .zip(&expected)
            .map(|(a, b)| (a - b).abs() / largest);
        let mean = differences.sum::<f32>() / found.len() as f32;
        assert!(mean < 0.05, "{}: {mean} of the largest", case.name);
        assert_ne!(found, expected, "{} is computed in 32 bits", case.name);
    }
}

#[test]
fn bfloat16_is_refused_where_it_would_have_no_effect() {
    use assert_cmd::Command;
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("model.safetensors");
    let all = cases::small();
    let vit = all.iter().find(|case| case.name == "vit_b_16");
    let classifier = &vit.expect("the transformer").classifier;
    classifier.save(&run).expect("a model file");
    let image = folder.path().join("image.png");
    image::RgbImage::new(64, 64).save(&image).expect("an image");
    let [run, image] = [&run, &image].map(|path| path.to_str().expect("text"));
    for arguments in [
        vec!["predict", run, image],
        vec!["serve", "--bind", "127.0.0.1:0", "--model", run],
    ] {
        let output = Command::cargo_bin("kiln")
            .expect("kiln")
            .args(arguments)
            .args(["--precision", "bf16"])
            .assert()
            .code(2);
        let errors = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        assert!(
            errors.contains("--precision bf16: this network is computed in 32 bits"),
            "{errors}"
        );
    }
}
