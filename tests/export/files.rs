//! What `kiln model export` writes, and what it refuses.

use kiln::models::MAX_MODEL_VALUES;
use serde_json::json;

use crate::common::Bench;

/// A network that is trained for an instant.
const CONFIG: &str = r#"{"data": {"kind": "glyphs", "train": 72, "valid": 36, "test": 36}, "model": {"kind": "mlp", "hidden": [4]},
    "optimizer": {"kind": "adam", "lr": 1e-3}, "training": {"epochs": 1, "batch_size": 36}}"#;

#[test]
fn the_same_model_gives_the_same_bytes_and_the_ending_chooses_the_format() {
    let bench = Bench::new();
    bench.write("small.json", CONFIG);
    bench.output("train small.json --run-dir run");
    for (name, start) in [("a.onnx", &b"\x08\x08"[..]), ("a.ONNX", b"\x08\x08")] {
        assert_eq!(
            bench.output(&format!("model export run {name}")),
            format!("{name}\n")
        );
        assert!(bench.read(name).starts_with(start));
    }
    assert_eq!(bench.read("a.onnx"), bench.read("a.ONNX"));
    assert_eq!(
        bench.output("model export run a.py"),
        "a.py\na.safetensors\n"
    );
    assert!(
        bench
            .read("a.py")
            .starts_with(b"\"\"\"mlp, written by kiln")
    );
    bench.output("model export run b.safetensors");
    assert_eq!(bench.read("a.safetensors"), bench.read("b.safetensors"));
}

#[test]
fn files_of_runs_and_files_that_were_not_named_are_not_overwritten() {
    let bench = Bench::new();
    bench.write("small.json", CONFIG);
    bench.output("train small.json --run-dir run");
    bench.output("train small.json --run-dir other");
    bench.write("mine.safetensors", "mine");
    let before = bench.read("other/model.safetensors");
    for (out, says) in [
        (
            "other/model.py",
            "other/model.safetensors: is the model of a run",
        ),
        (
            "other/model.safetensors",
            "other/model.safetensors: is the model of a run",
        ),
        ("mine.py", "mine.safetensors: already exists"),
    ] {
        let command = format!("model export run {out}");
        let assert = bench.kiln(&command).assert().code(2);
        let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(err.contains(says), "{err}");
    }
    assert_eq!(bench.read("other/model.safetensors"), before);
    assert_eq!(bench.read("mine.safetensors"), b"mine");
    // The same export again is no surprise.
    bench.output("model export run again.py");
    bench.output("model export run again.py");
}

#[test]
fn an_export_that_fails_leaves_nothing_and_damages_nothing() {
    let bench = Bench::new();
    bench.write("small.json", CONFIG);
    bench.output("train small.json --run-dir run");
    let refused = |out: &str| {
        let before = bench.listing();
        let assert = bench.kiln(&format!("model export run {out}")).assert();
        let assert = assert.code(1);
        let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert_eq!(bench.listing(), before, "{out}: something was written");
        text
    };
    std::fs::create_dir(bench.path("net.py")).unwrap();
    let text = refused("net.py");
    assert!(
        text.contains("net.py: cannot be written: is a folder"),
        "{text}"
    );
    // With weights from before.
    bench.write("net.safetensors", "mine");
    refused("net.py");
    assert_eq!(bench.read("net.safetensors"), b"mine");
    // The other way round.
    bench.write("theirs.py", "mine");
    std::fs::create_dir(bench.path("theirs.safetensors")).unwrap();
    refused("theirs.py");
    assert_eq!(bench.read("theirs.py"), b"mine");
    // The name of the weights is longer than file systems allow; that of the code is not.
    refused(&format!("{}.py", "n".repeat(250)));
    for out in ["folder.onnx", "folder.safetensors"] {
        std::fs::create_dir(bench.path(out)).unwrap();
        refused(out);
    }
}

#[test]
fn an_exported_file_of_weights_says_what_it_takes_to_use_them() {
    let bench = Bench::new();
    bench.write("small.json", CONFIG);
    bench.output("train small.json --run-dir run");
    bench.output("model export run out.safetensors");
    let (_, header) = safetensors::SafeTensors::read_metadata(&bench.read("out.safetensors"))
        .expect("safetensors");
    let entries = header.metadata().clone().expect("metadata");
    assert_eq!(entries["format"], "pt");
    assert_eq!(entries["input"], "[1,32,32]");
    let classes: Vec<String> = serde_json::from_str(&entries["classes"]).expect("JSON");
    assert_eq!(classes.len(), 36);
    assert!(entries["preparation"].contains("divide by 255"));
    // The card among them makes it a model of kiln.
    bench.write("run/model.safetensors", bench.read("out.safetensors"));
    bench.output("eval run");
}

#[test]
fn what_does_not_go_together_is_refused_in_one_line() {
    let bench = Bench::new();
    bench.write("small.json", CONFIG);
    bench.output("train small.json --run-dir run");
    for (arguments, parts) in [
        ("run out.pb", vec!["out.pb", ".onnx"]),
        ("run out", vec!["out: the name must end"]),
        (
            "run out.safetensors --with-preprocessing",
            vec!["--with-preprocessing", ".onnx"],
        ),
        (
            "run out.py --with-preprocessing",
            vec!["--with-preprocessing", ".onnx"],
        ),
        // Its weights would be written over the model.
        (
            "run run/model.py",
            vec!["run/model.safetensors", "choose another file"],
        ),
        ("nowhere out.onnx", vec!["nowhere"]),
    ] {
        let assert = bench.kiln(&format!("model export {arguments}")).assert();
        let output = assert.code(2).get_output().clone();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
    assert!(!bench.path("out.onnx").exists());
}

#[test]
fn a_layer_that_would_need_large_tables_is_refused_by_its_place() {
    use kiln::export::{Description, GraphOptions, to_model};
    use kiln::inference::ModelCard;
    use kiln::models::ModelConfig;
    use kiln::shape::ImageShape;

    let side = 30_000;
    assert!(side < MAX_MODEL_VALUES);
    let layers = json!({"kind": "layers", "layers": [
        {"kind": "zero_pad", "bottom": side - 1},
        {"kind": "adaptive_avg_pool", "size": [side - 1, 1]},
        "global_avg_pool", "linear"
    ]});
    let model: ModelConfig = serde_json::from_value(layers).expect("a model");
    let input = ImageShape::new(1, 1, 1);
    let card = ModelCard {
        model,
        input,
        normalize: None,
        classes: vec!["a".into(), "b".into()],
        temperature: 1.0,
        view: kiln::data::View::PAD,
    };
    let nodes = card.model.nodes(input, 2).expect("layers");
    let about = Description { card: &card };
    let problem = to_model(&nodes, &about, GraphOptions::default()).expect_err("too large");
    assert_eq!(problem.path, "layers[1]");
    assert!(problem.message.contains("too large"), "{}", problem.message);
}

#[test]
fn layers_without_a_name_or_of_the_same_name_are_no_module_of_pytorch() {
    use kiln::export::{Description, to_python};

    use crate::cases::list;
    use kiln::shape::ImageShape;

    let attention = json!({"kind": "self_attention", "heads": 1, "name": "same"});
    let dense = |name: &str| json!({"kind": "linear", "features": 4, "name": name});
    for (layers, place, part) in [
        (
            json!(["tokens", dense("same"), attention, "first_token", "linear"]),
            "layers[2]",
            "second layer",
        ),
        (
            json!(["flatten", dense(""), "linear"]),
            "layers[1]",
            "no name",
        ),
        // Modules set this attribute themselves when they are loaded.
        (
            json!(["flatten", dense("training"), "linear"]),
            "layers[1]",
            "its name \"training\" is that of an attribute of PyTorch's modules; set another \"name\"",
        ),
        (
            json!(["flatten", dense("a.training.b"), "linear"]),
            "layers[1]",
            "attribute",
        ),
        (
            json!(["flatten", dense("a"), dense("a.weight"), "linear"]),
            "layers[2]",
            "its name \"a.weight\" is in the place of the parameter \"a.weight\"",
        ),
        (
            json!(["flatten", dense("a.bias.b"), dense("a"), "linear"]),
            "layers[1]",
            "in the place of the parameter \"a.bias\"",
        ),
    ] {
        let case = list("names", layers, ImageShape::new(1, 4, 4));
        let card = case.classifier.card();
        let nodes = card.model.nodes(card.input, card.classes.len());
        let about = Description { card };
        let problem = to_python(&nodes.expect("layers"), &about).expect_err("a problem");
        assert_eq!(problem.path, place);
        assert!(problem.message.contains(part), "{}", problem.message);
    }
}

/// Names of code, what is wrong with them, and what is proposed.
const UNUSABLE: [(&str, &str, &str); 8] = [
    (
        "torch.py",
        "torch is a module that the code needs",
        "torch_net.py",
    ),
    (
        "json.py",
        "json is a module that the code needs",
        "json_net.py",
    ),
    ("class.py", "class is a keyword of Python", "class_net.py"),
    (
        "1net.py",
        "can't be the name of a Python module",
        "net_1net.py",
    ),
    (
        "my-net.py",
        "can't be the name of a Python module",
        "my_net.py",
    ),
    (
        "my.net.py",
        "can't be the name of a Python module",
        "my_net.py",
    ),
    (
        "two words.py",
        "can't be the name of a Python module",
        "two_words.py",
    ),
    ("net.PY", "end in .PY", "net.py"),
];

#[test]
fn code_gets_a_name_that_python_can_import() {
    use kiln::export::{GraphOptions, outputs};

    for (name, says, usable) in UNUSABLE {
        let error = outputs(name.as_ref(), GraphOptions::default()).expect_err(name);
        let text = error.to_string();
        assert!(text.starts_with(&format!("{name}: ")), "{text}");
        assert!(text.contains(says), "{text}");
        assert!(
            text.ends_with(&format!("; use a name such as {usable}")),
            "{text}"
        );
        outputs(usable.as_ref(), GraphOptions::default()).expect(usable);
    }
    for name in [
        "net.py",
        "_net2.py",
        "classes.py",
        "Torch.py",
        "réseau.py",
        "folder/net.py",
    ] {
        outputs(name.as_ref(), GraphOptions::default()).expect(name);
    }
    // Other formats have no module's name.
    for name in ["torch.onnx", "my-net.onnx", "class.safetensors"] {
        outputs(name.as_ref(), GraphOptions::default()).expect(name);
    }
}

#[test]
fn an_export_into_a_folder_that_is_not_there_is_refused_before_the_model_is_read() {
    let bench = Bench::new();
    let assert = bench
        .kiln("model export nowhere missing/net.onnx")
        .assert()
        .code(2);
    let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert_eq!(
        text.trim_end(),
        "error: missing/net.onnx: cannot be written: there is no folder missing; create it first, or choose another path"
    );
}
