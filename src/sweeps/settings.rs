//! The settings of configs, and those in which several configs differ.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::report::table::ABSENT;

/// One setting of a config: a value that is not a section.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// Dotted path of its key.
    pub path: String,
    /// Its value.
    pub value: Value,
}

/// All settings of a config, in the order of their paths.
pub fn settings(config: &Value) -> Vec<Setting> {
    fn walk(value: &Value, path: &str, found: &mut Vec<Setting>) {
        match value {
            Value::Object(map) if !map.is_empty() || path.is_empty() => {
                for (key, value) in map {
                    let path = match path {
                        "" => key.clone(),
                        path => format!("{path}.{key}"),
                    };
                    walk(value, &path, found);
                }
            }
            value => found.push(Setting {
                path: path.to_string(),
                value: value.clone(),
            }),
        }
    }
    let mut found = Vec::new();
    if config.is_object() {
        walk(config, "", &mut found);
    }
    found
}

/// A setting in which configs differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Dotted path of the key.
    pub path: String,
    /// What each config has; None where the key does not belong to it.
    pub values: Vec<Option<Value>>,
}

impl Difference {
    /// A config's value as it is shown.
    pub fn shown(&self, index: usize) -> String {
        match self.values.get(index) {
            Some(Some(value)) => shown(value),
            _ => ABSENT.into(),
        }
    }
}

/// A value as people read it: texts without quotes.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() => text.clone(),
        other => other.to_string(),
    }
}

/// The settings that are not the same in all configs, in the order of their paths.
pub fn differences(configs: &[&Value]) -> Vec<Difference> {
    let of_each: Vec<BTreeMap<String, Value>> = configs
        .iter()
        .map(|config| settings(config).into_iter().map(|s| (s.path, s.value)))
        .map(Iterator::collect)
        .collect();
    let paths: BTreeSet<&String> = of_each.iter().flat_map(BTreeMap::keys).collect();
    paths
        .into_iter()
        .map(|path| Difference {
            path: path.clone(),
            values: of_each.iter().map(|s| s.get(path).cloned()).collect(),
        })
        .filter(|difference| difference.values.windows(2).any(|pair| pair[0] != pair[1]))
        .collect()
}
