//! Configs: what is accepted, what is refused, and with which message.

use std::path::Path;

use kiln::config::{self, ConfigError, Experiment};
use serde_json::Value;

mod overrides;
mod photographs;
mod properties;
mod refusals;
mod schema;
mod starters;

const MINIMAL: &str = r#"{"data": {"kind": "glyphs"}, "model": {"kind": "mlp"}}"#;

fn parse(text: &str, overrides: &[&str]) -> Result<Experiment, ConfigError> {
    let overrides: Vec<String> = overrides.iter().map(|o| o.to_string()).collect();
    config::parse(text, Path::new("run.json"), &overrides)
}

/// Why `text` is refused.
fn complaint(text: &str) -> String {
    parse(text, &[])
        .expect_err("this config must be refused")
        .to_string()
}

/// Why a minimal config in which one section is replaced is refused.
fn complaint_with(section: &str, value: Value) -> String {
    let mut config: Value = serde_json::from_str(MINIMAL).unwrap();
    config[section] = value;
    complaint(&config.to_string())
}
