//! Names of a file that are not the network's: patterns, and mappings by the order and shapes of layers.

use burn::prelude::*;
use kiln::config::{Auto, Rename, RenamePattern};
use kiln::models::{MlpConfig, ModelConfig, Network};
use kiln::shape::ImageShape;
use kiln::weights::{self, Taken};

use super::common::Bench;
use super::files::{Named, Precision, named, safetensors_file, whole};
use super::pickle::{Pickle, torch_file};
use super::steps::{exported, small};

const AUTO: Rename = Rename::Auto(Auto::Auto);

fn patterns(json: &str) -> Rename {
    serde_json::from_str(json).unwrap()
}

fn load(network: Network, file: &[u8], rename: &Rename) -> Result<(Vec<Named>, Taken), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    std::fs::write(&path, file).unwrap();
    let loaded = weights::load_renamed(network, &path, &[], rename, weights::Settings::CONFIG);
    loaded
        .map(|(network, taken)| (exported(&network), taken))
        .map_err(|error| error.to_string())
}

/// The tensors of `whole` under other names.
fn renamed(first: &str, second: &str) -> Vec<Named> {
    let tensors = whole().into_iter();
    tensors
        .map(|(name, shape, values)| {
            let name = name.replace("layers.0", first).replace("layers.1", second);
            (name, shape, values)
        })
        .collect()
}

/// A perceptron whose three layers have the same shapes: from 2x2 pixels over twice four units to four classes.
fn square() -> Network {
    let config = ModelConfig::Mlp(MlpConfig {
        hidden: vec![4, 4],
        ..MlpConfig::default()
    });
    Network::new(&config, ImageShape::new(1, 2, 2), 4, &Device::flex())
}

/// Three layers of these names, each with values of its own.
fn three(names: [&str; 3]) -> Vec<Named> {
    let layers = names.into_iter().enumerate().flat_map(|(index, name)| {
        let offset = 100.0 * index as f32;
        [
            named(&format!("{name}.weight"), &[4, 4], offset),
            named(&format!("{name}.bias"), &[4], offset + 50.0),
        ]
    });
    layers.collect()
}

#[test]
fn patterns_rename_in_order_and_stars_carry_over_what_they_matched() {
    let pattern = |from: &str, to: &str| RenamePattern {
        from: from.into(),
        to: to.into(),
    };
    for (from, to, name, expected) in [
        ("fc1.*", "0.*", "fc1.weight", Some("0.weight")),
        ("fc1.*", "0.*", "fc10.weight", None),
        ("*.gamma", "*.weight", "a.b.gamma", Some("a.b.weight")),
        (
            "layer*.conv*.*",
            "*.*.*",
            "layer1.conv2.weight",
            Some("1.2.weight"),
        ),
        ("net.*", "*", "net.0.bias", Some("0.bias")),
        ("*.extra.*", "*", "a.extra.b", Some("a")),
        ("head", "fc.weight", "head", Some("fc.weight")),
    ] {
        let found = pattern(from, to).apply(name);
        assert_eq!(found.as_deref(), expected, "{from} {to} {name}");
    }
    let file = torch_file(&renamed("fc1", "fc2"), Precision::F32);
    let rename = patterns(
        r#"[{"from": "fc2.*", "to": "layers.1.*"}, {"from": "fc*", "to": "layers.0.weight"},
            {"from": "x", "to": "y"}]"#,
    );
    // The second pattern takes both tensors of fc1.
    let text = load(small(), &file, &rename).unwrap_err();
    assert!(
        text.starts_with("init.rename[1]: \"fc*\" gives two tensors of "),
        "{text}"
    );
    assert!(text.contains("both become layers.0.weight"), "{text}");
    let rename = patterns(
        r#"[{"from": "fc2.*", "to": "layers.1.*"}, {"from": "fc1.*", "to": "layers.0.*"}]"#,
    );
    let (tensors, taken) = load(small(), &file, &rename).unwrap();
    assert_eq!(tensors, whole());
    assert_eq!(taken.renamed.len(), 2);
    // Prefixes are still taken off, and patterns see what is left.
    let wrapped = torch_file(&renamed("module.fc1", "module.fc2"), Precision::F32);
    let (tensors, taken) = load(small(), &wrapped, &rename).unwrap();
    assert_eq!((tensors, taken.prefix.as_str()), (whole(), "module."));
}

#[test]
fn a_mapping_that_order_and_shapes_leave_is_proposed_and_can_be_pasted() {
    let file = torch_file(&renamed("conv", "out"), Precision::F32);
    let text = load(small(), &file, &Rename::default()).unwrap_err();
    assert_eq!(text.lines().count(), 1, "{text}");
    let start = text.find("\"rename\": ").unwrap() + "\"rename\": ".len();
    let end = start + text[start..].find("}]").unwrap() + 2;
    let json = &text[start..end];
    assert_eq!(
        json,
        r#"[{"from":"conv.*","to":"layers.0.*"},{"from":"out.*","to":"layers.1.*"}]"#
    );
    let (tensors, _) = load(small(), &file, &patterns(json)).unwrap();
    assert_eq!(tensors, whole());
    assert_eq!(load(small(), &file, &AUTO).unwrap().0, whole());
    // As an import, both ways.
    let bench = Bench::new();
    bench.write("named.pt", &file);
    bench.write(
        "config.json",
        r#"{"data": {"kind": "glyphs", "size": 16}, "model": {"kind": "mlp", "hidden": [3]}}"#,
    );
    bench
        .kiln("model import named.pt config.json --to run --rename auto --rename a=b")
        .assert()
        .code(2);
}

#[test]
fn an_import_proposes_its_own_options_and_they_work_in_a_shell() {
    let bench = Bench::new();
    let tensors = |first: &str, last: &str| {
        [
            named(&format!("{first}.weight"), &[3, 16], 0.5),
            named(&format!("{first}.bias"), &[3], 0.25),
            named(&format!("{last}.weight"), &[2, 3], 0.125),
            named(&format!("{last}.bias"), &[2], 0.0),
        ]
    };
    bench.write(
        "named.pt",
        torch_file(&tensors("conv 1", "out"), Precision::F32),
    );
    bench.write(
        "config.json",
        r#"{"data": {"kind": "image_folder", "folder": "none", "height": 4, "width": 4, "channels": 1}, "model": {"kind": "mlp", "hidden": [3]}}"#,
    );
    let import = |more: &[String]| {
        let mut command = bench.kiln("model import named.pt config.json --classes 2 --to run");
        let output = command.args(more).output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (_, text) = import(&[]);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains("init"), "{text}");
    let start = text.find("this fits: ").unwrap() + "this fits: ".len();
    let end = text.find(" (or use --rename auto").unwrap();
    assert_eq!(
        &text[start..end],
        "--rename 'conv 1.*=layers.0.*' --rename 'out.*=layers.1.*'"
    );
    let pasted = shell_words::split(&text[start..end]).unwrap();
    let (code, text) = import(&pasted);
    assert_eq!(code, Some(0), "{text}");
    // What the file lacks is left out by an option as well.
    bench.write(
        "part.pt",
        torch_file(&tensors("layers.0", "layers.1")[..2], Precision::F32),
    );
    let assert = bench
        .kiln("model import part.pt config.json --classes 2 --to other")
        .assert();
    let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(
        text.contains("to initialize what the file lacks at random, add --except 'layers.1.*'"),
        "{text}"
    );
    let assert = bench
        .kiln("model import part.pt config.json --classes 2 --to other --except x")
        .assert();
    let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(
        text.contains("error: --except x: matches no name in part.pt or the network; names look like layers.0.weight"),
        "{text}"
    );
}

#[test]
fn a_file_that_is_one_tensor_or_has_complex_numbers_is_refused_with_the_python_that_helps() {
    let mut one = Pickle::default();
    one.tensor(&[3], "FloatStorage", vec![0; 12]);
    let text = load(small(), &one.file(), &Rename::default()).unwrap_err();
    assert!(text.contains("a single tensor, without a name; "), "{text}");
    // Under a name of this network.
    assert!(
        text.contains("torch.save({\"layers.0.weight\": torch.load("),
        "{text}"
    );
    let mut complex = Pickle::default();
    complex.program.extend(b"}(");
    complex.text("layers.0.weight");
    complex.tensor(&[3, 4], "ComplexFloatStorage", vec![0; 96]);
    complex.program.push(b'u');
    let text = load(small(), &complex.file(), &Rename::default()).unwrap_err();
    assert!(
        text.contains("layers.0.weight is a complex tensor"),
        "{text}"
    );
    assert!(
        text.contains("if its imaginary parts mean nothing, in Python: "),
        "{text}"
    );
    assert!(
        text.contains("v.real.clone() if v.is_complex() else v"),
        "{text}"
    );
}

#[test]
fn layers_in_another_order_are_matched_only_where_shapes_tell_them_apart() {
    // The layers of `small` have different shapes.
    let mut tensors = renamed("inner", "outer");
    tensors.rotate_left(2);
    let file = torch_file(&tensors, Precision::F32);
    assert_eq!(load(small(), &file, &AUTO).unwrap().0, whole());
    // Of three equal ones, the order in which they were defined decides.
    let expected = three(["layers.0", "layers.1", "layers.2"]);
    let sorted = |mut tensors: Vec<Named>| {
        tensors.sort_by(|a, b| a.0.cmp(&b.0));
        tensors
    };
    let file = torch_file(&three(["alpha", "gamma", "beta"]), Precision::F32);
    assert_eq!(
        load(square(), &file, &AUTO).unwrap().0,
        sorted(expected.clone())
    );
    // Unless their numbers say otherwise.
    let file = torch_file(&three(["fc1", "fc3", "fc2"]), Precision::F32);
    let text = load(square(), &file, &AUTO).unwrap_err();
    assert!(
        text.contains("`fc3` comes before `fc2` in the file, and both have the same shapes"),
        "{text}"
    );
    // Safetensors don't keep the order; numbers do.
    let file = safetensors_file(&three(["fc1", "fc2", "fc10"]), Precision::F32);
    assert_eq!(load(square(), &file, &AUTO).unwrap().0, sorted(expected));
    let file = safetensors_file(&three(["alpha", "beta", "gamma"]), Precision::F32);
    let text = load(square(), &file, &AUTO).unwrap_err();
    assert!(
        text.contains("`alpha` and `beta` have the same shapes, and the file does not keep the order of layers"),
        "{text}"
    );
}

#[test]
fn a_mapping_that_does_not_exist_is_refused_with_the_first_difference() {
    let mut tensors = renamed("conv", "out");
    tensors[3] = named("out.weight", &[5, 3], 0.0);
    let text = load(small(), &torch_file(&tensors, Precision::F32), &AUTO).unwrap_err();
    assert!(
        text.contains("layer 2 is `out` (bias [2], weight [5, 3]) in the file and `layers.1` (weight [2, 3], bias [2])"),
        "{text}"
    );
    let mut tensors = renamed("conv", "out");
    tensors.push(named("more.bias", &[7], 0.0));
    let text = load(small(), &torch_file(&tensors, Precision::F32), &AUTO).unwrap_err();
    assert!(
        text.contains("the file has 3 layers with parameters and the network 2"),
        "{text}"
    );
}

#[test]
fn patterns_of_a_config_are_checked_before_anything_is_read() {
    let bench = Bench::new();
    let config = |init: &str| {
        format!(r#"{{"data": {{"kind": "glyphs"}}, "model": {{"kind": "mlp"}}, "init": {init}}}"#)
    };
    for (init, says) in [
        (
            r#"{"rename": "auto"}"#,
            "init.rename: has no effect without init.weights",
        ),
        (
            r#"{"weights": "x.pt", "rename": "atuo"}"#,
            "did you mean \"auto\"?",
        ),
        (
            r#"{"weights": "x.pt", "rename": 3}"#,
            "init.rename: found 3",
        ),
        (
            r#"{"weights": "x.pt", "rename": [{"from": "a"}]}"#,
            "init.rename[0].to: missing",
        ),
        (
            r#"{"weights": "x.pt", "rename": [{"from": "", "to": "b"}]}"#,
            "init.rename[0].from: empty",
        ),
        (
            r#"{"weights": "x.pt", "rename": [{"from": "a.*", "to": "*.*"}]}"#,
            "init.rename[0].to: \"*.*\" has 2 `*`, but `from` \"a.*\" has 1",
        ),
    ] {
        bench.write("config.json", config(init));
        let assert = bench.kiln("config check config.json").assert().code(2);
        let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(text.contains(says), "{says:?} is not in: {text}");
    }
    bench.write(
        "config.json",
        config(r#"{"weights": "x.pt", "rename": [{"from": "fc*.*", "to": "layers.*.*"}]}"#),
    );
    bench.output("config check config.json");
    // A config without the key is written as before.
    let shown = bench.output("config show config.json --set init={}");
    assert!(!shown.contains("rename"), "{shown}");
}
