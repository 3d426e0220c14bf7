//! The keys of a config, from its schema.

use std::collections::BTreeSet;

use serde_json::Value;

use super::check::alternatives;
use super::generate::experiment;

/// The dotted path of the one key whose last part is `name` (`epochs` is `training.epochs`, `seed` is the key of no section);
/// `None` if several keys are called so, or none. Sections and the items of lists don't count.
pub fn key_named(name: &str) -> Option<String> {
    let schema = experiment();
    let mut keys = BTreeSet::new();
    collect(&schema, &schema, "", &mut keys);
    if keys.contains(name) {
        return Some(name.into());
    }
    let last = |key: &String| key.rsplit('.').next() == Some(name);
    let mut found = keys.into_iter().filter(last);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// Adds the keys below `path`; returns whether there are any.
fn collect(root: &Value, schema: &Value, path: &str, keys: &mut BTreeSet<String>) -> bool {
    let reference = schema.get("$ref").and_then(Value::as_str);
    let target = reference.and_then(|at| root.pointer(at.trim_start_matches('#')));
    let choices = alternatives(schema).unwrap_or_default();
    let mut is_section = false;
    for part in target.into_iter().chain(choices) {
        is_section |= collect(root, part, path, keys);
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        is_section = true;
        let key = match path {
            "" => name.clone(),
            path => format!("{path}.{name}"),
        };
        if !collect(root, property, &key, keys) {
            keys.insert(key);
        }
    }
    is_section
}
