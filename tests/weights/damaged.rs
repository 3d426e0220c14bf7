//! Files without weights, and damaged ones.

use proptest::prelude::*;

use super::common::Bench;
use super::files::{Precision, fixture, safetensors_file, whole};
use super::pickle::{Pickle, torch_file};
use super::steps::{GLYPHS, assert_refused, try_load};

/// Files without weights, and damaged ones.
fn damaged() -> Vec<(&'static str, Vec<u8>)> {
    let torch = torch_file(&whole(), Precision::F32);
    let tensors = safetensors_file(&whole(), Precision::F32);
    let integers = {
        let mut pickle = Pickle::default();
        pickle.program.extend(b"}(");
        pickle.text("layers.0.bias");
        pickle.tensor(&[3], "LongStorage", vec![1; 24]);
        pickle.program.push(b'u');
        pickle.file()
    };
    let lying = {
        let mut pickle = Pickle::default();
        pickle.program.extend(b"}(");
        pickle.text("layers.0.bias");
        // Claims more values than there are.
        pickle.tensor(&[3, 1 << 20, 1 << 10], "FloatStorage", vec![1; 12]);
        pickle.program.push(b'u');
        pickle.file()
    };
    let mut huge = u64::MAX.to_le_bytes().to_vec();
    huge.extend(b"{\"a\":1}");
    let mut large = (90u64 << 20).to_le_bytes().to_vec();
    large.extend(b"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}");
    let mut list = Pickle::default();
    list.program.extend(b"]");
    vec![
        ("empty", Vec::new()),
        (
            "text",
            b"these are no weights, but quite a few words\n".to_vec(),
        ),
        ("noughts", vec![0; 4096]),
        (
            "noise",
            (0..4096u32).map(|i| ((i * i * 31) >> 3) as u8).collect(),
        ),
        ("zip-head", b"PK\x03\x04".to_vec()),
        ("pickle-head", b"\x80\x02".to_vec()),
        ("pickle-of-a-list", list.file()),
        ("torch-half", torch[..torch.len() / 2].to_vec()),
        ("torch-nearly-whole", torch[..torch.len() - 9].to_vec()),
        ("tensors-half", tensors[..tensors.len() / 2].to_vec()),
        (
            "tensors-nearly-whole",
            tensors[..tensors.len() - 3].to_vec(),
        ),
        ("tensors-huge-header", huge),
        ("tensors-large-header", large),
        ("integers", integers),
        ("lying", lying),
        (
            "module",
            std::fs::read(fixture("torch_module.pth")).unwrap(),
        ),
    ]
}

#[test]
fn files_without_weights_are_refused_in_one_line_and_nothing_is_written() {
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    for (name, bytes) in damaged() {
        // The content decides what a file is, not its name.
        bench.write(&format!("{name}.pth"), bytes);
        let arguments = format!("model import {name}.pth glyphs.json --to run");
        assert_refused(&bench, &arguments, &[&format!("{name}.pth: ")]);
    }
    std::fs::create_dir(bench.path("folder.pth")).unwrap();
    for name in ["folder.pth", "nothing.pth"] {
        let arguments = format!("model import {name} glyphs.json --to run");
        assert_refused(&bench, &arguments, &[&format!("{name}: ")]);
    }
    let missing = bench.path("nothing.pth").display().to_string();
    let train = format!("train glyphs.json --run-dir run --init-from {missing}");
    bench.kiln(&train).assert().code(2);
    let path = bench.path("text.pth").display().to_string();
    let train = format!("train glyphs.json --run-dir run --set init.weights={path}");
    // The message repeats the value of `--set`.
    let assert = bench.kiln(&train).assert().code(1);
    let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(text.contains("error: init.weights: "), "{text}");
    assert!(!bench.path("run").exists());
}

#[test]
fn weights_that_are_not_finite_are_refused_by_name() {
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    bench.output("train glyphs.json --run-dir run");
    bench.output("model export run out.safetensors");
    for (name, value) in [("nan", f32::NAN), ("inf", f32::NEG_INFINITY)] {
        // The last number of the last tensor.
        for (from, to) in [
            ("out.safetensors", format!("{name}.safetensors")),
            ("run/model.safetensors", "run/model.safetensors".into()),
        ] {
            let mut bytes = bench.read(from);
            let end = bytes.len();
            bytes[end - 4..].copy_from_slice(&value.to_le_bytes());
            bench.write(&to, bytes);
        }
        let mut config: serde_json::Value = serde_json::from_str(GLYPHS).unwrap();
        config["init"] = serde_json::json!({"weights": format!("{name}.safetensors")});
        bench.write(&format!("from_{name}.json"), config.to_string());
        for verb in [
            format!("model import {name}.safetensors glyphs.json --to to"),
            format!("train from_{name}.json"),
        ] {
            assert_refused(&bench, &verb, &[name, "not finite"]);
        }
        assert_refused(&bench, "eval run", &["model.safetensors", "not finite"]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_file_cut_or_changed_anywhere_never_panics(
        of_torch: bool, cut in 0usize..4000, at in 0usize..4000, to: u8
    ) {
        let mut bytes = if of_torch {
            torch_file(&whole(), Precision::F32)
        } else {
            safetensors_file(&whole(), Precision::F32)
        };
        let at = at % bytes.len();
        bytes[at] = to;
        if let Err(text) = try_load(&bytes, &[]) {
            prop_assert_eq!(text.lines().count(), 1, "{}", text);
        }
        if cut < bytes.len() {
            prop_assert!(try_load(&bytes[..cut], &[]).is_err());
        }
    }
}
