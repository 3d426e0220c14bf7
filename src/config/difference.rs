//! Which settings differ between two experiments.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

/// A setting that differs. Shown as `path: before -> after`, with `null` for a key that is missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Dotted path of the key (`training.epochs`), with positions for the items of lists (`parameters.0.names`).
    pub path: String,
    /// The value on the left.
    pub before: Value,
    /// The value on the right.
    pub after: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.path, self.before, self.after)
    }
}

/// The settings that differ between two values that are written as JSON, such as experiments, in the order of the keys.
///
/// Lists of the same length are compared item by item, lists of different lengths as a whole.
pub fn between<T: Serialize>(before: &T, after: &T) -> Vec<Difference> {
    let json = |value: &T| serde_json::to_value(value).unwrap_or_default();
    let mut found = Vec::new();
    walk("", &json(before), &json(after), &mut found);
    found
}

fn walk(path: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    let below = |key: &str| match path {
        "" => key.to_string(),
        path => format!("{path}.{key}"),
    };
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            for key in keys {
                let value = |of: &Map<String, Value>| of.get(key).cloned().unwrap_or_default();
                walk(&below(key), &value(a), &value(b), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                walk(&below(&index.to_string()), a, b, found);
            }
        }
        (before, after) if before != after => found.push(Difference {
            path: path.to_string(),
            before: before.clone(),
            after: after.clone(),
        }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn texts(before: Value, after: Value) -> Vec<String> {
        between(&before, &after)
            .iter()
            .map(Difference::to_string)
            .collect()
    }

    #[test]
    fn nested_keys_and_items_are_named_by_their_path() {
        let before = json!({"seed": 1, "optimizer": {"lr": 0.1}, "parameters": [{"names": "a"}]});
        let after = json!({"seed": 1, "optimizer": {"lr": 0.2}, "parameters": [{"names": "b"}]});
        assert_eq!(
            texts(before, after),
            [
                "optimizer.lr: 0.1 -> 0.2",
                "parameters.0.names: \"a\" -> \"b\""
            ]
        );
    }

    #[test]
    fn missing_keys_are_null_and_lists_of_other_lengths_are_compared_as_a_whole() {
        let before = json!({"ema": 0.9, "hidden": [1, 2]});
        let after = json!({"half": true, "hidden": [1]});
        assert_eq!(
            texts(before, after),
            [
                "ema: 0.9 -> null",
                "hidden: [1,2] -> [1]",
                "half: null -> true"
            ]
        );
    }
}
