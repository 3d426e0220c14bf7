//! `--set training.epochs=5`: assignments into the JSON of a config, before it is checked.

use serde_json::{Map, Value};

use super::schema;

/// Maximum number of keys in a path; no config is nested that deep.
const MAX_KEYS: usize = 16;

/// Maximum number of characters of a path that an error quotes.
const MAX_PATH_CHARS: usize = 80;

/// Applies assignments in order, but those of a `kind` first: changing the kind of a section drops the section's other keys,
/// and must not drop what another assignment sets. The error is the assignment and what is wrong with it.
pub(super) fn apply_all(root: &mut Value, assignments: &[String]) -> Result<(), (String, String)> {
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

/// Sets `path=value`; a value that is not JSON is a string. Missing sections are created, so that defaults can be overridden;
/// the schema then checks that the keys exist. Changing the `kind` of a section drops its other keys, which belong to the old
/// kind.
fn apply(root: &mut Value, assignment: &str) -> Result<(), String> {
    let (path, text) = assignment
        .split_once('=')
        .ok_or("expected PATH=VALUE such as training.epochs=5")?;
    let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_string()));
    let path = path.trim();
    // Items of lists as messages write them, `layers[3].kernel`, or as another level.
    let levels = path.replace('[', ".").replace(']', "");
    let keys: Vec<&str> = levels.split('.').collect();
    if keys.len() > MAX_KEYS || keys.iter().any(|key| key.is_empty()) {
        let path: String = path.chars().take(MAX_PATH_CHARS).collect();
        return Err(format!(
            "`{path}` is not a dotted path such as training.epochs"
        ));
    }
    if path == "name" && value == "" {
        return Err("the name is empty; remove --set name to use the config file's name".into());
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
            let count = schema::values(items.len() as u64);
            let item = key
                .parse::<usize>()
                .ok()
                .and_then(|index| items.get_mut(index))
                .ok_or_else(|| {
                    format!("`{path}`: `{key}` is not a valid index; the list has {count}")
                })?;
            set(item, rest, value, path)
        }
        other => Err(format!(
            "`{path}`: `{other}` is not an object, so it has no keys"
        )),
    }
}
