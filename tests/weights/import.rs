//! `kiln model import` and `kiln model export`.

use burn::prelude::*;
use kiln::inference::{Classifier, ModelCard};
use kiln::models::{MlpConfig, ModelConfig, Network};
use kiln::shape::ImageShape;

use super::common::{Bench, tensors};
use super::files::{Precision, whole};
use super::pickle::torch_file;
use super::steps::{GLYPHS, assert_refused};

#[test]
fn a_run_that_was_imported_is_not_resumed_over_its_weights() {
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    let train = "train glyphs.json --run-dir trained";
    bench.kiln(train).assert().success();
    let export = "model export trained out.safetensors";
    bench.kiln(export).assert().success();
    let import = "model import out.safetensors glyphs.json --to imported";
    bench.kiln(import).assert().success();
    let before = bench.read("imported/model.safetensors");
    let assert = bench.kiln("train --resume imported").assert().code(2);
    let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("imported, not trained"), "{text}");
    assert!(text.contains("--init-from imported"), "{text}");
    assert!(!bench.path("imported/run.lock").exists());
    let listed = bench.output("runs list .");
    assert!(listed.contains("imported"), "{listed}");
    assert!(!listed.contains("unfinished"), "{listed}");
    assert_eq!(bench.read("imported/model.safetensors"), before);
}

#[test]
fn an_export_does_not_overwrite_its_model() {
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    bench.output("train glyphs.json --run-dir run");
    let before = bench.read("run/model.safetensors");
    assert_refused(
        &bench,
        "model export run run/model.safetensors",
        &["run/model.safetensors", "choose another file"],
    );
    assert_eq!(bench.read("run/model.safetensors"), before);
}

#[test]
fn an_import_reports_wrong_arguments() {
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    bench.write("small.pth", torch_file(&whole(), Precision::F32));
    assert_refused(
        &bench,
        "model import small.pth glyphs.json --to run",
        &[
            "small.pth: does not match the network",
            "layers.0.weight is [3, 4]",
        ],
    );
    bench.write("one.txt", "alone\n");
    bench.write("none.txt", "");
    for file in ["one.txt", "none.txt"] {
        let arguments = format!("model import small.pth glyphs.json --to run --classes {file}");
        assert_refused(&bench, &arguments, &[file, "at least 2"]);
    }
    assert_refused(
        &bench,
        "model import small.pth glyphs.json --to run --classes one.txt --set model.classes=36",
        &["one.txt: 1 name, but the config's model.classes is for 36"],
    );
    // Windows' encoding of an umlaut.
    bench.write("latin.txt", b"M\xfcller\nMeier\n");
    let arguments = "model import small.pth glyphs.json --to run --classes latin.txt";
    assert_refused(&bench, arguments, &["latin.txt: not valid UTF-8 text"]);
    bench.kiln(arguments).assert().code(2);
    std::fs::create_dir(bench.path("folder.pth")).unwrap();
    assert_refused(
        &bench,
        "model import folder.pth glyphs.json --to run",
        &["folder.pth: is a folder; use a file"],
    );
    std::fs::create_dir(bench.path("there")).unwrap();
    assert_refused(
        &bench,
        "model import small.pth glyphs.json --to there",
        &["already exists"],
    );
    assert_refused(
        &bench,
        "model export there out.pth",
        &["out.pth", ".safetensors"],
    );
}

#[test]
fn classes_have_names_and_each_its_own() {
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    bench.write("small.pth", torch_file(&whole(), Precision::F32));
    let named = |change: &dyn Fn(usize) -> String| {
        let names: Vec<String> = (0..36).map(change).collect();
        names.join("\n") + "\n"
    };
    let twice = |index: usize| {
        if index == 9 {
            "c4".into()
        } else {
            format!("c{index}")
        }
    };
    let empty = |index: usize| {
        if index == 9 {
            " ".into()
        } else {
            format!("c{index}")
        }
    };
    bench.write("twice.txt", named(&twice));
    bench.write("empty.txt", named(&empty));
    for (file, says) in [
        (
            "twice.txt",
            "twice.txt: lines 5 and 10 have the same name \"c4\"",
        ),
        ("empty.txt", "empty.txt: line 10 is empty"),
    ] {
        let arguments = format!("model import small.pth glyphs.json --to run --classes {file}");
        assert_refused(&bench, &arguments, &[says]);
    }
}

/// The model file of an MLP for `classes` classes, as a run has it.
fn saved_mlp(bench: &Bench, classes: usize) -> std::path::PathBuf {
    let config = ModelConfig::Mlp(MlpConfig {
        hidden: vec![3],
        ..MlpConfig::default()
    });
    let network = Network::new(
        &config,
        ImageShape::new(1, 16, 16),
        classes,
        &Device::flex(),
    );
    let card = ModelCard {
        model: config,
        input: ImageShape {
            channels: 1,
            height: 16,
            width: 16,
        },
        normalize: None,
        classes: (0..classes).map(|i| i.to_string()).collect(),
        temperature: 1.0,
        view: kiln::data::View::PAD,
    };
    let path = bench.path("model.safetensors");
    Classifier::new(&network, card, &Device::flex())
        .save(&path)
        .unwrap();
    path
}

#[test]
fn the_model_file_of_a_run_can_be_imported() {
    // Its card is metadata that `model import` ignores.
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    let path = saved_mlp(&bench, 36);
    bench.output("model import model.safetensors glyphs.json --to run");
    let found = tensors(&bench.read("run/model.safetensors"));
    assert_eq!(found, tensors(&std::fs::read(path).unwrap()));
}

#[test]
fn classes_that_the_data_does_not_tell_are_numbered_and_said_to_be() {
    let bench = Bench::new();
    let folder = bench.path("letters");
    let config = serde_json::json!({
        "data": {"kind": "image_folder", "folder": folder, "channels": 1, "height": 16, "width": 16},
        "model": {"kind": "mlp", "hidden": [3], "classes": 40},
    });
    bench.write("folder.json", config.to_string());
    saved_mlp(&bench, 40);
    let notes = |arguments: &str| {
        let import = format!("model import model.safetensors folder.json --to {arguments}");
        let assert = bench.kiln(&import).assert().success();
        String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
    };
    let said = notes("without");
    assert!(said.contains("classes are numbered ("), "{said}");
    assert!(said.contains("letters: not found"), "{said}");
    assert!(said.contains("pass --classes FILE to name them"), "{said}");
    for class in ["a", "b"] {
        std::fs::create_dir_all(folder.join(class)).unwrap();
        for shade in 1..=4 {
            let pixels = [b"P5 16 16 255\n".to_vec(), vec![shade; 256]].concat();
            bench.write(&format!("letters/{class}/{shade}.pgm"), pixels);
        }
    }
    let said = notes("of_two");
    let expected = "(the data has 2 classes, but model.classes is for 40)";
    assert!(said.contains(expected), "{said}");
    // Asked for, numbers are nothing to tell.
    let said = notes("asked --classes 40");
    assert!(!said.contains("classes are numbered"), "{said}");
}

#[test]
#[cfg(unix)]
fn a_pipe_is_refused_without_waiting_for_somebody_to_write() {
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    let made = std::process::Command::new("mkfifo")
        .arg(bench.path("pipe"))
        .status();
    assert!(made.unwrap().success());
    let arguments = "model import pipe glyphs.json --to run";
    assert_refused(&bench, arguments, &["pipe: this is not a regular file"]);
}
