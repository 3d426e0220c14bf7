//! The settings of a run as a flat list.

use serde_json::Value;

use crate::config::Experiment;

/// The section that says where the numbers go, which is no setting of the training.
const LOG: &str = "training.log";

/// Every setting by its dotted path (`optimizer.lr`, `model.layers.0.kind`), with the values of lists of plain values as one.
pub fn flat(experiment: &Experiment) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    // An experiment is always JSON.
    let value = serde_json::to_value(experiment).unwrap_or_default();
    walk(String::new(), &value, &mut found);
    found.retain(|(path, _)| !path.starts_with(LOG));
    found
}

fn walk(path: String, value: &Value, found: &mut Vec<(String, Value)>) {
    let below = |key: &str| match path.as_str() {
        "" => key.to_string(),
        path => format!("{path}.{key}"),
    };
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                walk(below(key), value, found);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (index, item) in items.iter().enumerate() {
                walk(below(&index.to_string()), item, found);
            }
        }
        other => found.push((path, other.clone())),
    }
}

/// A setting as text: words without quotes, everything else as JSON.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
