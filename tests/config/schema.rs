//! The schema that editors use.

use kiln::config::{self, schema};
use serde_json::{Value, json};

#[test]
fn no_part_of_a_config_takes_unknown_keys() {
    fn open(schema: &Value, path: &str, found: &mut Vec<String>) {
        if let Value::Object(map) = schema {
            if map.get("type") == Some(&json!("object"))
                && map.get("additionalProperties") != Some(&json!(false))
            {
                found.push(path.to_string());
            }
            for (key, value) in map {
                open(value, &format!("{path}/{key}"), found);
            }
        }
        if let Value::Array(items) = schema {
            for (index, item) in items.iter().enumerate() {
                open(item, &format!("{path}/{index}"), found);
            }
        }
    }
    let mut found = Vec::new();
    open(&schema::experiment(), "", &mut found);
    assert!(found.is_empty(), "sections that take any key: {found:?}");
}

#[test]
fn every_config_in_the_repository_names_the_schema() {
    for entry in std::fs::read_dir("configs").unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let experiment = config::load(&path, &[]).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            experiment.schema.as_deref(),
            Some("./schema/experiment.json"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn the_committed_schema_is_the_one_of_the_types() {
    let committed: Value =
        serde_json::from_str(&std::fs::read_to_string("configs/schema/experiment.json").unwrap())
            .unwrap();
    assert!(
        committed == schema::experiment(),
        "configs/schema/experiment.json is stale; run: kiln config schema > configs/schema/experiment.json"
    );
}

#[test]
fn the_schema_describes_every_key() {
    fn undescribed(schema: &Value, path: &str, found: &mut Vec<String>) {
        match schema {
            Value::Object(map) => {
                if let Some(Value::Object(properties)) = map.get("properties") {
                    for (key, property) in properties {
                        if property.get("const").is_none() && property.get("description").is_none()
                        {
                            found.push(format!("{path}/{key}"));
                        }
                    }
                }
                for (key, value) in map {
                    undescribed(value, &format!("{path}/{key}"), found);
                }
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(i, item)| undescribed(item, &format!("{path}/{i}"), found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    undescribed(&schema::experiment(), "", &mut found);
    assert!(found.is_empty(), "keys without a description: {found:?}");
}

#[test]
fn a_pattern_is_checked_as_the_schema_has_it() {
    let schema = json!({"type": "object", "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$", "patternErrorMessage": "allowed are small letters"},
        "year": {"type": "string", "pattern": "^[0-9]{4}$"},
    }});
    let messages = |value: Value| -> Vec<String> {
        let problems = schema::problems(&schema, &value);
        problems
            .into_iter()
            .map(|problem| problem.message)
            .collect()
    };
    assert!(messages(json!({"name": "kiln", "year": "2026"})).is_empty());
    assert_eq!(
        messages(json!({"name": "Kiln", "year": "26"})),
        [
            "found \"Kiln\", allowed are small letters",
            "found \"26\", must match ^[0-9]{4}$"
        ]
    );
}

#[test]
fn the_schema_says_which_key_tells_sections_apart() {
    let kind = |name: &str| json!({"type": "object", "properties": {"flavour": {"const": name}}});
    let schema = json!({"oneOf": [kind("sweet"), kind("sour")]});
    let problems = schema::problems(&schema, &json!({"flavour": "swet"}));
    assert_eq!(problems[0].path, "flavour");
    assert_eq!(
        problems[0].message,
        "found \"swet\"; must be one of \"sweet\", \"sour\"; did you mean \"sweet\"?"
    );
}

#[test]
fn every_pattern_of_the_schema_compiles_and_says_what_it_means() {
    fn walk(schema: &Value, count: &mut usize) {
        match schema {
            Value::Object(map) => {
                if let Some(pattern) = map.get("pattern").and_then(Value::as_str) {
                    regex_lite::Regex::new(pattern).unwrap();
                    assert!(map.contains_key("patternErrorMessage"), "{pattern}");
                    *count += 1;
                }
                map.values().for_each(|value| walk(value, count));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, count)),
            _ => {}
        }
    }
    let mut count = 0;
    walk(&schema::experiment(), &mut count);
    assert!(count > 0);
}
