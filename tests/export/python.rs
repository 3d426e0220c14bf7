//! A Python process that checks exported files.

use std::path::Path;
use std::process::Command;

/// Runs a script of this folder with arguments; returns what it prints as JSON, one value a line.
pub fn run(script: &str, arguments: &[&Path]) -> Vec<serde_json::Value> {
    let script = crate::common::repository()
        .join("tests/export")
        .join(script);
    let output = Command::new(env!("KILN_PYTHON"))
        .arg(&script)
        .args(arguments)
        // Threads would only compete with those of the other tests.
        .env("OMP_NUM_THREADS", "1")
        .output()
        .expect("Python");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaint}", script.display());
    let lines = String::from_utf8(output.stdout).expect("text");
    let lines = lines.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("JSON")
}

/// Little-endian bytes of floats.
pub fn bytes(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}
