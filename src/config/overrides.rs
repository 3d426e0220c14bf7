//! `--set training.epochs=5`: one assignment into the JSON that the user wrote, before any check.

use serde_json::{Map, Value};

/// Most keys in a path: more than any config has levels.
const MOST_KEYS: usize = 16;

/// Applies assignments in their order, those of a `kind` first: changing a section's kind drops the section's other keys,
/// and must not drop what another assignment has just set. The error holds the assignment and what is wrong with it.
pub fn apply_all(root: &mut Value, assignments: &[String]) -> Result<(), (String, String)> {
    let is_kind = |assignment: &&String| {
        let path = assignment.split('=').next().unwrap_or_default();
        path.trim().ends_with(".kind")
    };
    let kinds = assignments.iter().filter(is_kind);
    let others = assignments.iter().filter(|assignment| !is_kind(assignment));
    for assignment in kinds.chain(others) {
        apply(root, assignment).map_err(|message| (assignment.clone(), message))?;
    }
    Ok(())
}

/// Sets `path=value`. The value is read as JSON, else taken as a string. Missing sections are made, so that a default
/// can be overridden; whether the key exists is for the schema to say.
///
/// Changing a section's `kind` drops the section's other keys: they belong to the other kind.
pub fn apply(root: &mut Value, assignment: &str) -> Result<(), String> {
    let (path, text) = assignment
        .split_once('=')
        .ok_or("expected path=value, such as training.epochs=5")?;
    let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_string()));
    let path = path.trim();
    let keys: Vec<&str> = path.split('.').collect();
    if keys.len() > MOST_KEYS || keys.iter().any(|key| key.is_empty()) {
        let path: String = path.chars().take(80).collect();
        return Err(format!(
            "`{path}` is not a dotted path such as training.epochs"
        ));
    }
    set(root, &keys, value, path)
}

fn set(target: &mut Value, keys: &[&str], value: Value, path: &str) -> Result<(), String> {
    let [key, rest @ ..] = keys else {
        *target = value;
        return Ok(());
    };
    if target.is_null() {
        *target = Value::Object(Map::new());
    }
    match target {
        Value::Object(map) => {
            if rest.is_empty() && *key == "kind" && map.get("kind") != Some(&value) {
                map.clear();
            }
            set(
                map.entry(key.to_string()).or_insert(Value::Null),
                rest,
                value,
                path,
            )
        }
        Value::Array(items) => {
            let count = items.len();
            let item = key
                .parse::<usize>()
                .ok()
                .and_then(|index| items.get_mut(index))
                .ok_or_else(|| {
                    format!("`{key}` in `{path}` is not an index into a list of {count}")
                })?;
            set(item, rest, value, path)
        }
        other => Err(format!(
            "`{path}` goes through `{other}`, which is not a section"
        )),
    }
}
