//! Which settings of a config were chosen and which are defaults.

use serde_json::Value;

use crate::config;

/// One setting of a config: a value that is not a section.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Dotted path of its key.
    pub path: String,
    /// Its value.
    pub value: Value,
}

/// All settings of a config, in the order of their paths.
fn settings(config: &Value) -> Vec<Setting> {
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

/// The settings that change what the config means; a section's `kind` is always among them.
///
/// A setting is a default if the config means the same without it, so no list of defaults has to be kept. In a config that this
/// version cannot read, every setting counts as chosen.
pub fn chosen(written: &Value) -> Vec<Setting> {
    let all = settings(written);
    let Ok(meant) = config::resolve(written.clone()) else {
        return all;
    };
    let is_default = |setting: &Setting| {
        let mut without = written.clone();
        drop_key(&mut without, &setting.path);
        config::resolve(without).is_ok_and(|experiment| experiment == meant)
    };
    let names = |setting: &Setting| setting.path == "name" || setting.path == "$schema";
    all.into_iter()
        .filter(|setting| !names(setting) && !is_default(setting))
        .collect()
}

/// Takes the key at a dotted path out of its section.
fn drop_key(root: &mut Value, path: &str) {
    let (section, key) = match path.rsplit_once('.') {
        Some((section, key)) => (format!("/{}", section.replace('.', "/")), key),
        None => (String::new(), path),
    };
    if let Some(Value::Object(map)) = root.pointer_mut(&section) {
        map.remove(key);
    }
}
