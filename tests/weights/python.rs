//! The Python in refusals, run by Python: it makes a file that kiln reads, with the same weights.

use std::path::Path;
use std::process::Command;

use kiln::weights;

use super::common::repository;
use super::files::whole;
use super::steps::{exported, small};

/// A file, the file that the advice writes, a model that the advice is about, and how far values may be away.
const REFUSED: [(&str, &str, Option<&str>, f32); 13] = [
    ("arrays.pt", "arrays_state_dict.pt", None, 0.0),
    ("pickled.pt", "pickled_state_dict.pt", None, 0.0),
    ("sparse.pt", "sparse_state_dict.pt", None, 0.0),
    ("sparse_module.pt", "sparse_module_state_dict.pt", None, 0.0),
    // Three bits of fraction.
    ("float8.pt", "float8_state_dict.pt", None, 0.25),
    ("complex.pt", "complex_state_dict.pt", None, 0.0),
    ("quantized.pt", "quantized_state_dict.pt", None, 0.0),
    // Eight bits for the whole range.
    ("dynamic.pt", "dynamic_state_dict.pt", None, 0.05),
    (
        "dynamic_module.pt",
        "dynamic_module_state_dict.pt",
        None,
        0.05,
    ),
    (
        "weight_norm.pt",
        "weight_norm_state_dict.pt",
        Some("weight_norm"),
        1e-5,
    ),
    (
        "parametrized.pt",
        "parametrized_state_dict.pt",
        Some("parametrized"),
        1e-5,
    ),
    ("pruned.pt", "pruned_state_dict.pt", Some("pruned"), 0.0),
    ("sharded.bin.index.json", "whole.pt", None, 0.0),
];

/// Runs this folder's script.
fn python(arguments: &[&str]) {
    let script = repository().join("tests/weights/make_unreadable.py");
    let output = Command::new(env!("KILN_PYTHON"))
        .arg(script)
        .args(arguments)
        .env("OMP_NUM_THREADS", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {text}");
}

fn refusal(path: &Path) -> String {
    let text = weights::load(small(), path, &[]).unwrap_err().to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

/// The Python of a message, which is its end.
fn code(text: &str) -> &str {
    let starts = ["in Python: ", "in Python, with the model: "];
    let mut found = starts.iter().filter_map(|start| text.split_once(start));
    found.next().unwrap_or_else(|| panic!("{text}")).1
}

#[test]
#[cfg_attr(not(kiln_python = "torch"), ignore = "needs a Python with torch")]
fn the_python_in_a_refusal_makes_a_file_with_the_same_weights() {
    let folder = tempfile::tempdir().unwrap();
    python(&["write", &folder.path().display().to_string()]);
    let all = REFUSED.map(|(name, _, model, _)| (name, model));
    let spectral = ("spectral.pt", Some("spectral"));
    let codes = all.into_iter().chain([spectral]).map(|(name, model)| {
        let text = refusal(&folder.path().join(name));
        serde_json::json!([code(&text), model])
    });
    let codes: Vec<serde_json::Value> = codes.collect();
    let file = folder.path().join("codes.json");
    std::fs::write(&file, serde_json::json!(codes).to_string()).unwrap();
    python(&["run", &file.display().to_string()]);
    for (name, made, _, tolerance) in REFUSED {
        let loaded = weights::load(small(), &folder.path().join(made), &[]);
        let (network, _) = loaded.unwrap_or_else(|error| panic!("{name}: {error}"));
        for (found, expected) in exported(&network).iter().zip(whole()) {
            assert_eq!((&found.0, &found.1), (&expected.0, &expected.1), "{name}");
            let mut pairs = found.2.iter().zip(&expected.2);
            let is_close = pairs.all(|(found, expected)| (found - expected).abs() <= tolerance);
            assert!(is_close, "{name}: {found:?} instead of {expected:?}");
        }
    }
    // The weights that are used are others than those before, which nobody has.
    let made = folder.path().join("spectral_state_dict.pt");
    weights::load(small(), &made, &[]).unwrap_or_else(|error| panic!("{error}"));
}
