//! The forms in which people save a network, written by PyTorch (`make_checkpoints.py`).

use burn::prelude::*;
use kiln::config::{Auto, Rename};
use kiln::inference::Classifier;
use kiln::models::{MlpConfig, ModelConfig, Network};
use kiln::shape::ImageShape;
use kiln::weights::{self, Taken};

use super::common::Bench;
use super::files::{fixture, whole};
use super::steps::{GLYPHS, assert_refused, exported, small};

/// A file, and how kiln takes it: the dictionary and the prefix that are taken off.
const FORMS: [(&str, &str, &str); 20] = [
    ("state_dict.pt", "", ""),
    ("legacy_state_dict.pt", "", ""),
    ("whole_module.pt", "", ""),
    ("legacy_whole_module.pt", "", ""),
    ("module_in_dictionary.pt", "checkpoint", ""),
    ("data_parallel.pt", "", "module."),
    ("compiled.pt", "", "_orig_mod."),
    ("parallel_part.pt", "", ""),
    ("lightning.ckpt", "state_dict", "net."),
    ("model_and_optimizer.pt", "model", ""),
    ("net.pt", "net", ""),
    ("average.pt", "model", ""),
    ("float16.pt", "", ""),
    ("bfloat16.pt", "", ""),
    ("float64.pt", "", ""),
    ("strided.pt", "", ""),
    ("legacy_strided.pt", "", ""),
    ("protocol_4.pt", "", ""),
    ("plain_pickle.pkl", "", ""),
    ("protocol_0.pkl", "", ""),
];

/// A file that is refused, and what the error says besides its name.
const REFUSED: [(&str, &[&str]); 4] = [
    (
        "torchscript.pt",
        &[
            "a TorchScript program",
            "torch.save(torch.jit.load(",
            ".state_dict()",
        ],
    ),
    (
        "sparse.pt",
        &[
            "layers.0.weight is a sparse tensor",
            "v.to_dense()",
            "torch.save(",
        ],
    ),
    (
        "quantized.pt",
        &[
            "layers.0.weight is a quantized tensor",
            "v.dequantize()",
            "torch.save(",
        ],
    ),
    (
        "numpy.pkl",
        &[
            "layers.0.weight is a NumPy array",
            "pickle.load(open(",
            "torch.as_tensor(v)",
            "torch.save(",
        ],
    ),
];

fn load(name: &str, rename: &Rename) -> (Vec<super::files::Named>, Taken) {
    let path = fixture("checkpoints").join(name);
    let (network, taken) =
        weights::load_renamed(small(), &path, &[], rename, weights::Settings::CONFIG)
            .unwrap_or_else(|error| panic!("{error}"));
    (exported(&network), taken)
}

#[test]
fn every_form_of_checkpoint_gives_the_same_weights_and_says_what_was_taken_off() {
    for (name, dictionary, prefix) in FORMS {
        let (tensors, taken) = load(name, &Rename::default());
        assert_eq!(tensors, whole(), "{name}");
        assert_eq!(taken.applied.len(), 4, "{name}");
        assert_eq!(
            (taken.dictionary.as_str(), taken.prefix.as_str()),
            (dictionary, prefix)
        );
        assert_eq!(taken.is_unwrapped, name == "parallel_part.pt", "{name}");
    }
    let (_, taken) = load("lightning.ckpt", &Rename::default());
    assert_eq!(taken.outside, ["criterion.weight"]);
    let (_, taken) = load("average.pt", &Rename::default());
    assert_eq!(taken.others, ["model_ema"]);
}

#[test]
fn a_stem_of_any_length_is_a_sound_archive() {
    // With 21 characters the first entry is as long as the part that PyTorch puts behind the directory for archives of any size.
    let (tensors, _) = load("stem_of_21_characters.pt", &Rename::default());
    assert_eq!(tensors, whole());
}

#[test]
fn names_of_other_people_are_matched_by_order_and_shapes_if_asked_to() {
    for name in ["named.pt", "named.safetensors"] {
        let (tensors, taken) = load(name, &Rename::Auto(Auto::Auto));
        assert_eq!(tensors, whole(), "{name}");
        let renamed: Vec<String> = taken
            .renamed
            .iter()
            .map(|pattern| pattern.to_string())
            .collect();
        assert_eq!(
            renamed,
            ["fc1.* -> layers.0.*", "fc2.* -> layers.1.*"],
            "{name}"
        );
    }
}

#[test]
fn what_kiln_cannot_read_is_refused_in_one_line_with_the_python_that_makes_it_readable() {
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    for (name, says) in REFUSED {
        bench.write(
            name,
            std::fs::read(fixture("checkpoints").join(name)).unwrap(),
        );
        // Whatever the network: for one of this shape, the tensors are wanted.
        let text = weights::load(small(), &bench.path(name), &[])
            .unwrap_err()
            .to_string();
        assert_eq!(text.lines().count(), 1, "{text}");
        for part in says {
            assert!(text.contains(part), "{part:?} is not in: {text}");
        }
        let arguments = format!("model import {name} glyphs.json --to run");
        assert_refused(&bench, &arguments, &[name]);
    }
    for (name, start, says) in [
        ("model.h5", &b"\x89HDF\r\n\x1a\n"[..], "keras"),
        ("model.onnx", b"\x08\x08\x12\x07pytorch", "it has no graph"),
        (
            "model.safetensors.index.json",
            b"{\"metadata\": {}, \"weight_map\": {}}",
            "load_file",
        ),
        (
            "config.pt",
            b"{\"model\": {\"kind\": \"mlp\"}}",
            "a JSON file; ",
        ),
        // The ninth byte is where the description of a safetensors file begins.
        (
            "other.pt",
            b"{\"data\":{\"kind\":\"glyphs\"}}",
            "a JSON file; ",
        ),
        ("page.pth", b"<!DOCTYPE html><html>", "a web page"),
        (
            "pointer.pth",
            b"version https://git-lfs.github.com/spec/v1\n",
            "git lfs pull",
        ),
        ("packed.pth", b"\x1f\x8b\x08\x00", "gunzip"),
    ] {
        bench.write(name, start);
        let arguments = format!("model import {name} glyphs.json --to run");
        assert_refused(&bench, &arguments, &[name, says]);
    }
}

/// Images of 4x4 pixels in a folder that is not there.
const NOWHERE: &str = r#"{
  "data": {"kind": "image_folder", "folder": "nowhere", "height": 4, "width": 4, "channels": 1},
  "model": {"kind": "mlp", "hidden": [3]}
}"#;

/// A network for it, with this number of classes.
fn nowhere(classes: usize) -> Network {
    let config = ModelConfig::Mlp(MlpConfig {
        hidden: vec![3],
        ..MlpConfig::default()
    });
    let shape = ImageShape::new(1, 4, 4);
    Network::new(&config, shape, classes, &Device::flex())
}

#[test]
fn an_import_needs_no_data_and_says_which_order_of_classes_was_assumed() {
    let bench = Bench::new();
    bench.write("folder.json", NOWHERE);
    weights::save(&nowhere(12), &bench.path("twelve.safetensors")).unwrap();
    for (classes, says) in [
        ("", "the number of classes is unknown"),
        ("", "--classes FILE|N"),
        (
            "--classes 1",
            "--classes: 1 name; a classifier has at least 2",
        ),
        (
            "--classes 999999999999",
            "--classes: with 999999999999 classes",
        ),
    ] {
        let arguments = format!("model import twelve.safetensors folder.json --to run {classes}");
        assert_refused(&bench, &arguments, &[says]);
    }
    let import = |arguments: &str| {
        let command =
            format!("model import twelve.safetensors folder.json --classes 12 {arguments}");
        let assert = bench.kiln(&command).assert().success();
        String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
    };
    let classes = |run: &str| {
        let path = bench.path(run).join("model.safetensors");
        let model = Classifier::load(&path, &Device::flex()).unwrap();
        model.card().classes.join(" ")
    };
    let said = import("--to numeric");
    assert!(said.contains("4 tensors applied"), "{said}");
    assert!(said.contains("--set data.class_order=text"), "{said}");
    assert_eq!(classes("numeric"), "0 1 2 3 4 5 6 7 8 9 10 11");
    let said = import("--to text --set data.class_order=text");
    assert!(said.contains("as in torchvision's ImageFolder"), "{said}");
    assert_eq!(classes("text"), "0 1 10 11 2 3 4 5 6 7 8 9");
    // Fewer than eleven numbers are in the same order either way.
    weights::save(&nowhere(10), &bench.path("ten.safetensors")).unwrap();
    let ten = "model import ten.safetensors folder.json --classes 10 --to ten";
    let assert = bench.kiln(ten).assert().success();
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(!said.contains("class_order"), "{said}");
}

#[test]
fn an_import_can_leave_parameters_out_and_rename_others() {
    let bench = Bench::new();
    bench.write("folder.json", NOWHERE);
    weights::save(&nowhere(12), &bench.path("twelve.safetensors")).unwrap();
    let import = |arguments: &str| {
        let command = format!("model import twelve.safetensors folder.json {arguments}");
        let assert = bench.kiln(&command).assert().success();
        String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
    };
    let said = import("--to headless --classes 7 --except layers.1.*");
    assert!(said.contains("unused: layers.1."), "{said}");
    assert!(
        said.contains("newly initialized: layers.1.weight, layers.1.bias"),
        "{said}"
    );
    // Hidden layers of the same network under other names.
    let layers = r#"{
      "data": {"kind": "image_folder", "folder": "nowhere", "height": 4, "width": 4, "channels": 1},
      "model": {"kind": "layers", "layers": ["flatten", {"kind": "linear", "features": 3}, "sigmoid", "linear"]}
    }"#;
    bench.write("folder.json", layers);
    for (to, rename) in [
        ("auto", "--rename auto"),
        ("typed", "--rename layers.0.*=1.* --rename layers.1.*=3.*"),
        (
            "pasted",
            r#"--rename [{"from":"layers.0.*","to":"1.*"},{"from":"layers.1.*","to":"3.*"}]"#,
        ),
        (
            "set",
            r#"--set init.rename=[{"from":"layers.0.*","to":"1.*"},{"from":"layers.1.*","to":"3.*"}]"#,
        ),
    ] {
        let said = import(&format!("--to {to} --classes 12 {rename}"));
        assert!(said.contains("renamed: "), "{rename}: {said}");
        for says in ["0.* -> 1.*", "1.* -> 3.*"] {
            assert!(said.contains(says), "{rename}: {said}");
        }
    }
    let first = bench.read("auto/model.safetensors");
    for to in ["typed", "pasted", "set"] {
        assert!(
            bench.read(&format!("{to}/model.safetensors")) == first,
            "{to}"
        );
    }
    assert_refused(
        &bench,
        "model import twelve.safetensors folder.json --to run --classes 11 --rename auto",
        &["the layers don't match by order and shapes either: layer 2 is `layers.1`"],
    );
}
