//! Values of `except`, `rename` and the like: a message names the key or the flag that they are from.

use super::common::Bench;
use super::files::{Named, Precision, named};
use super::pickle::torch_file;
use super::steps::{GLYPHS, assert_refused};

/// The weights of the perceptron below.
fn whole() -> Vec<Named> {
    vec![
        named("layers.0.bias", &[3], 0.0),
        named("layers.0.weight", &[3, 16], 1.0),
        named("layers.1.bias", &[2], 2.0),
        named("layers.1.weight", &[2, 3], 3.0),
    ]
}

/// A perceptron from 4x4 pixels over three units to two classes.
fn config(init: &str) -> String {
    let init = match init {
        "" => String::new(),
        keys => format!(r#", "init": {{{keys}}}"#),
    };
    format!(
        r#"{{"data": {{"kind": "image_folder", "folder": "none", "height": 4, "width": 4, "channels": 1}},
            "model": {{"kind": "mlp", "hidden": [3]}}{init}}}"#
    )
}

const IMPORT: &str = "model import small.pt cfg.json --classes 2 --to run";

/// Fails unless an import is refused as wrong usage in one line that starts with a text.
fn assert_usage(bench: &Bench, more: &str, starts: &str) {
    let arguments = format!("{IMPORT} {more}");
    let starts = format!("error: {starts}");
    assert_refused(bench, &arguments, &[&starts]);
    bench.kiln(&arguments).assert().code(2);
}

/// The tensors of [`whole`], and one more.
fn bench_with_extra() -> Bench {
    let bench = Bench::new();
    let mut tensors = whole();
    tensors.push(named("extra.weight", &[2], 0.0));
    bench.write("small.pt", torch_file(&tensors, Precision::F32));
    bench
}

const EXTRA: &str = r#"{"from": "extra.*", "to": "other.*"}"#;

#[test]
fn an_import_names_the_key_of_the_config_that_is_wrong() {
    let bench = bench_with_extra();
    let cases = [
        (
            format!(r#""rename": [{EXTRA}, {{"from": "y.*", "to": "z.*"}}]"#),
            "init.rename[1]: \"y.*\" matches no name in small.pt; its names are layers.0.bias, layers.0.weight, \
             layers.1.bias and 2 more",
        ),
        (
            format!(r#""rename": [{EXTRA}, {EXTRA}]"#),
            "init.rename[1]: \"extra.*\" renames nothing in small.pt: earlier patterns match the same names; put it",
        ),
        (
            r#""rename": [{"from": "layers.0.*", "to": "same"}]"#.into(),
            "init.rename[0]: \"layers.0.*\" gives two tensors of small.pt the same name: \
             layers.0.bias and layers.0.weight both become same; give each",
        ),
        (
            r#""except": ["extra.*", "y.*"]"#.into(),
            "init.except[1]: \"y.*\" matches no name in small.pt or the network; names look like layers.0.weight",
        ),
        (
            r#""except": ["*"]"#.into(),
            "init.except: excludes every tensor of small.pt; exclude fewer",
        ),
    ];
    for (keys, starts) in cases {
        // With the file's name in the config, and without.
        for init in [keys.clone(), format!(r#""weights": "small.pt", {keys}"#)] {
            bench.write("cfg.json", config(&init));
            assert_usage(&bench, "", &format!("cfg.json: {starts}"));
        }
    }
}

#[test]
fn an_import_names_the_flag_that_is_wrong_even_if_the_config_has_the_key() {
    let bench = bench_with_extra();
    let keys = format!(r#""weights": "small.pt", "rename": [{EXTRA}], "except": ["x.*"]"#);
    for init in ["", &keys] {
        bench.write("cfg.json", config(init));
        for (flags, starts) in [
            (
                "--except layers.1.* --rename=-y.*=z.*",
                "--rename='-y.*=z.*': matches no name in small.pt; its names are layers.0.bias",
            ),
            // Without it, the file would fit.
            (
                "--except extra.* --rename y.*=z.*",
                "--rename 'y.*=z.*': matches no name in small.pt; the names fit as they are: remove --rename",
            ),
            (
                "--except y.*",
                "--except 'y.*': matches no name in small.pt or the network",
            ),
            ("--except *", "--except: excludes every tensor of small.pt"),
        ] {
            assert_usage(&bench, flags, starts);
        }
    }
}

#[test]
fn advice_is_about_the_place_that_has_a_value_already() {
    let bench = Bench::new();
    let body: Vec<Named> = whole()[..2].to_vec();
    let mut tensors = body.clone();
    tensors.push(named("extra.weight", &[2], 0.0));
    bench.write("small.pt", torch_file(&tensors, Precision::F32));
    bench.write(
        "cfg.json",
        config(r#""weights": "small.pt", "except": ["extra.*"]"#),
    );
    // A flag would drop the config's pattern.
    let says = "to initialize what the file lacks at random, add \"layers.1.*\" to `init.except`";
    assert_refused(&bench, IMPORT, &[says]);
    let flag = "add --except 'layers.1.*'";
    assert_refused(&bench, &format!("{IMPORT} --except extra.*"), &[flag]);
    let both = r#""weights": "small.pt", "except": ["extra.*", "layers.1.*"]"#;
    bench.write("cfg.json", config(both));
    bench.kiln(IMPORT).assert().success();
}

#[test]
fn an_init_section_about_another_file_is_not_used_and_that_is_told() {
    let bench = Bench::new();
    bench.write("small.pt", torch_file(&whole(), Precision::F32));
    let import = |weights: &str, to: &str| {
        bench.write(
            "cfg.json",
            config(&format!(
                r#""weights": "{weights}", "except": ["layers.1.*"]"#
            )),
        );
        let command = format!("model import ./small.pt cfg.json --classes 2 --to {to}");
        let assert = bench.kiln(&command).assert().success();
        String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
    };
    let said = import("other.pt", "first");
    let line = "cfg.json: init is about other.pt; its except and rename are not used here\n";
    assert!(said.contains(line), "{said}");
    assert!(said.contains("4 tensors applied"), "{said}");
    // The same file under another spelling.
    let said = import("small.pt", "second");
    assert!(!said.contains("not used"), "{said}");
    assert!(said.contains("2 tensors applied"), "{said}");
}

#[test]
fn training_names_the_key_of_the_config_or_init_from() {
    let bench = Bench::new();
    bench.write("small.pt", torch_file(&whole(), Precision::F32));
    let file = bench.path("small.pt").display().to_string();
    let train = |init: serde_json::Value, more: &str| {
        let mut config: serde_json::Value = serde_json::from_str(GLYPHS).unwrap();
        config["init"] = init;
        bench.write("cfg.json", config.to_string());
        let command = format!("train cfg.json --run-dir run {more}");
        let output = bench.kiln(&command).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!bench.path("run").exists());
        let error = text.lines().find(|line| line.starts_with("error: "));
        (output.status.code(), error.unwrap_or_default().to_string())
    };
    let idle = serde_json::json!({"weights": file, "except": ["layers.*", "y.*"]});
    let (code, text) = train(idle, "");
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.starts_with("error: cfg.json: init.except[1]: \"y.*\" matches no name in "),
        "{text}"
    );
    let idle = serde_json::json!({"weights": file, "rename": [{"from": "y.*", "to": "z.*"}]});
    let (code, text) = train(idle, "");
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.starts_with("error: cfg.json: init.rename[0]: \"y.*\" matches no name in "),
        "{text}"
    );
    // The file does not fit: exit code 1, and the name of what named it.
    let (code, text) = train(serde_json::json!({"weights": file}), "");
    assert_eq!(code, Some(1), "{text}");
    assert!(text.starts_with("error: init.weights: "), "{text}");
    for dry in ["", " --dry-run"] {
        let more = format!("--init-from {file}{dry}");
        let (code, text) = train(serde_json::json!({}), &more);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.starts_with("error: --init-from: "), "{text}");
        let more = format!("--init-from {file}.not{dry}");
        let (code, text) = train(serde_json::json!({}), &more);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.starts_with("error: --init-from: "), "{text}");
    }
}

#[test]
fn a_network_too_large_for_its_classes_is_reported_by_what_told_their_number() {
    let bench = Bench::new();
    bench.write("small.pt", torch_file(&whole(), Precision::F32));
    let too_many = "--set model.hidden=[40000]";
    bench.write("cfg.json", config(""));
    let names: Vec<String> = (0..60_000).map(|class| format!("c{class}")).collect();
    bench.write("names.txt", names.join("\n"));
    let import = format!("model import small.pt cfg.json --to run {too_many}");
    for (classes, starts) in [
        ("60000", "error: --classes: with 60000 classes, model"),
        ("names.txt", "error: names.txt: with 60000 classes, model"),
    ] {
        let arguments = format!("{import} --classes {classes}");
        let assert = bench.kiln(&arguments).assert().code(2);
        let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(text.starts_with(starts), "{text}");
    }
}

#[test]
#[cfg_attr(not(kiln_may_mount), ignore = "needs the right to mount a file system")]
fn an_import_that_fails_leaves_no_folder_behind() {
    let bench = Bench::new();
    bench.write("small.pt", torch_file(&whole(), Precision::F32));
    bench.write("cfg.json", config(""));
    // Room for the config, not for the weights of 65,536 hidden units, which are initialized at random.
    let _disk = super::common::Mounted::new(&bench, 256);
    let before = bench.listing();
    let arguments = "model import small.pt cfg.json --classes 2 --to disk/run --set model.hidden=[65536] \
                     --except layers.0.* --except layers.1.weight";
    let assert = bench.kiln(arguments).assert().code(1);
    let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("the disk is full"), "{text}");
    assert_eq!(bench.listing(), before);
}
