//! The settings in which configs differ.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// A setting in which configs differ. Two values are shown as `path: before -> after`; a missing key is written `null`.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Dotted path of the key (`training.epochs`), with positions for the items of lists (`parameters[0].names`).
    pub path: String,
    /// The value in each config, in order; None where the key is missing.
    pub values: Vec<Option<Value>>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Option<Value>| value.clone().unwrap_or_default().to_string();
        let texts: Vec<String> = self.values.iter().map(text).collect();
        write!(f, "{}: {}", self.path, texts.join(" -> "))
    }
}

/// A setting's value as people read it: texts without quotes.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() => text.clone(),
        other => other.to_string(),
    }
}

/// The settings that differ between two values that are written as JSON, such as experiments, in the order of the keys.
pub fn between<T: Serialize>(before: &T, after: &T) -> Vec<Difference> {
    let json = |value: &T| serde_json::to_value(value).unwrap_or_default();
    among(&[&json(before), &json(after)])
}

/// The settings that are not the same in all configs, in the order of their keys.
///
/// Lists of sections are compared item by item if they have the same length; other lists are compared as a whole.
pub fn among(configs: &[&Value]) -> Vec<Difference> {
    let values: Vec<Option<&Value>> = configs.iter().map(|config| Some(*config)).collect();
    let mut found = Vec::new();
    walk("", &values, &mut found);
    found
}

fn walk(path: &str, values: &[Option<&Value>], found: &mut Vec<Difference>) {
    let below = |key: &str| match path {
        "" => key.to_string(),
        path => format!("{path}.{key}"),
    };
    if values.windows(2).all(|pair| pair[0] == pair[1]) {
        return;
    }
    if let Some(keys) = keys(values) {
        for key in keys {
            let items: Vec<_> = values.iter().map(|value| (*value)?.get(key)).collect();
            walk(&below(key), &items, found);
        }
    } else if let Some(length) = length_of_sections(values) {
        for index in 0..length {
            let items: Vec<_> = values.iter().map(|value| (*value)?.get(index)).collect();
            walk(&format!("{path}[{index}]"), &items, found);
        }
    } else {
        found.push(Difference {
            path: path.to_string(),
            values: values.iter().map(|value| value.cloned()).collect(),
        });
    }
}

/// The keys of all sections, in order of appearance; None unless all existing values are sections.
fn keys<'a>(values: &[Option<&'a Value>]) -> Option<Vec<&'a String>> {
    let mut keys = Vec::new();
    for value in values.iter().flatten() {
        for key in value.as_object()?.keys() {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    (!keys.is_empty()).then_some(keys)
}

/// The length of lists of sections; None unless all values are such lists, and of the same length.
fn length_of_sections(values: &[Option<&Value>]) -> Option<usize> {
    let mut length = None;
    for value in values {
        let list = (*value)?.as_array()?;
        if *length.get_or_insert(list.len()) != list.len() || !list.iter().all(Value::is_object) {
            return None;
        }
    }
    length
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
                "parameters[0].names: \"a\" -> \"b\""
            ]
        );
    }

    #[test]
    fn more_than_two_configs_are_compared_at_once() {
        let configs = [
            json!({"a": 1}),
            json!({"a": 1, "b": [1, 2]}),
            json!({"a": 2}),
        ];
        let found = among(&configs.each_ref());
        assert_eq!(
            found,
            [
                Difference {
                    path: "a".into(),
                    values: vec![Some(json!(1)), Some(json!(1)), Some(json!(2))],
                },
                Difference {
                    path: "b".into(),
                    values: vec![None, Some(json!([1, 2])), None],
                },
            ]
        );
        assert_eq!(shown(&json!("adam")), "adam");
        assert_eq!(shown(&json!([1, 2])), "[1,2]");
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
