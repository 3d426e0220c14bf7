//! Validates JSON against a schema.
//!
//! It covers the part of JSON Schema that kiln's config types use, and reports in kiln's own words.

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::wording::{list, name_of_type, neither, not_one_of, shown, unknown_key, values};
use crate::error::Problem;

/// Everything in `value` that `schema` does not allow.
pub fn problems(schema: &Value, value: &Value) -> Vec<Problem> {
    let mut check = Check {
        root: schema,
        problems: Vec::new(),
    };
    check.value(schema, value, "");
    check.problems
}

struct Check<'a> {
    root: &'a Value,
    problems: Vec<Problem>,
}

impl<'a> Check<'a> {
    fn report(&mut self, path: &str, message: String) {
        self.problems.push(Problem::new(path, message));
    }

    /// Follows `$ref: "#/$defs/Name"`.
    fn follow(&self, schema: &'a Value) -> &'a Value {
        match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => self
                .root
                .pointer(reference.trim_start_matches('#'))
                .unwrap_or(schema),
            None => schema,
        }
    }

    fn value(&mut self, schema: &'a Value, value: &Value, path: &str) {
        let schema = self.follow(schema);
        if let Some(choices) = alternatives(schema) {
            return self.one_of(choices, value, path);
        }
        if let Some(expected) = schema.get("const") {
            if value != expected {
                self.report(path, format!("found {}, expected {expected}", shown(value)));
            }
            return;
        }
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
            && !allowed.contains(value)
        {
            let message = not_one_of(value, allowed);
            return self.report(path, message);
        }
        let types = types_of(schema);
        if !types.is_empty() && !types.iter().any(|name| has_type(value, name)) {
            let wanted: Vec<&str> = types.iter().map(|name| name_of_type(name)).collect();
            let message = format!("found {}, expected {}", shown(value), wanted.join(" or "));
            return self.report(path, message);
        }
        match value {
            Value::Object(map) => self.object(schema, map, path),
            Value::Array(items) => self.array(schema, items, path),
            Value::Number(_) => self.number(schema, value, path),
            Value::String(text) => self.string(schema, text, path),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Checks alternatives: sections that a key with a constant tells apart, plain constants, or something or null.
    fn one_of(&mut self, choices: &'a [Value], value: &Value, path: &str) {
        let choices: Vec<&Value> = choices.iter().map(|choice| self.follow(choice)).collect();
        if let Some(tag) = choices.iter().find_map(|choice| tag_of(choice)) {
            return self.tagged(&choices, tag, value, path);
        }
        let names: Vec<Value> = choices
            .iter()
            .flat_map(|choice| constants(choice))
            .collect();
        if !names.is_empty() && choices.iter().all(|choice| !constants(choice).is_empty()) {
            if !names.contains(value) {
                let message = not_one_of(value, &names);
                self.report(path, message);
            }
            return;
        }
        self.by_type(&choices, value, path);
    }

    /// Checks alternatives of different types, such as something or null, a number or a list, a name or an object.
    fn by_type(&mut self, choices: &[&'a Value], value: &Value, path: &str) {
        let mut fitting = choices
            .iter()
            .filter(|choice| self.takes_type(choice, value));
        let first = fitting.next().copied();
        // Of several lists, the one of this length.
        let chosen = fitting.fold(first, |chosen, choice| {
            if has_length(choice, value) {
                Some(choice)
            } else {
                chosen
            }
        });
        if let Some(choice) = chosen {
            if let (Value::String(name), Some(names)) = (value, choice.get("enum")) {
                return self.name(choices, names, name, path);
            }
            let names: Vec<Value> = alternatives(choice)
                .into_iter()
                .flatten()
                .flat_map(constants)
                .collect();
            let others = self.wanted(choices.iter().filter(|other| **other != choice));
            let is_unknown = value.is_string() && !names.is_empty() && !names.contains(value);
            if is_unknown && !others.is_empty() {
                return self.report(path, neither(value, &names, &others));
            }
            return self.value(choice, value, path);
        }
        let not_null: Vec<&&Value> = choices
            .iter()
            .filter(|choice| types_of(choice) != ["null"])
            .collect();
        if let [choice] = not_null.as_slice() {
            return self.value(choice, value, path);
        }
        let wanted = self.wanted(not_null.into_iter());
        let message = format!("found {}, expected {}", shown(value), wanted.join(" or "));
        self.report(path, message);
    }

    /// The types that some schemas allow, in words and without null.
    fn wanted<'s>(&self, schemas: impl Iterator<Item = &'s &'a Value>) -> Vec<&'a str>
    where
        'a: 's,
    {
        let mut wanted = Vec::new();
        for name in schemas.flat_map(|schema| self.types(schema)) {
            let name = name_of_type(name);
            if name != "null" && !wanted.contains(&name) {
                wanted.push(name);
            }
        }
        wanted
    }

    /// Checks a name where a tagged section is the alternative.
    fn name(&mut self, choices: &[&'a Value], names: &Value, name: &str, path: &str) {
        let names = names.as_array().cloned().unwrap_or_default();
        let value = Value::from(name);
        if names.contains(&value) {
            return;
        }
        let sections: Vec<&Value> = choices
            .iter()
            .filter_map(|choice| alternatives(choice))
            .flatten()
            .map(|choice| self.follow(choice))
            .collect();
        let Some(tag) = sections.iter().find_map(|section| tag_of(section)) else {
            let message = not_one_of(&value, &names);
            return self.report(path, message);
        };
        let tags = constants_of(&sections, tag);
        let message = if tags.contains(&value) {
            format!("found {value}, which needs settings: write {{\"{tag}\": {value}, ...}}")
        } else {
            not_one_of(&value, &tags)
        };
        self.report(path, message);
    }

    /// The types that a schema allows.
    fn types(&self, schema: &'a Value) -> Vec<&'a str> {
        match alternatives(schema) {
            Some(choices) => choices
                .iter()
                .flat_map(|choice| self.types(self.follow(choice)))
                .collect(),
            None => types_of(schema),
        }
    }

    fn takes_type(&self, schema: &'a Value, value: &Value) -> bool {
        self.types(schema).iter().any(|name| has_type(value, name))
    }

    fn tagged(&mut self, choices: &[&'a Value], tag: &str, value: &Value, path: &str) {
        let Value::Object(map) = value else {
            let example = choices
                .iter()
                .find_map(|choice| choice.pointer(&format!("/properties/{tag}/const")))
                .unwrap_or(&Value::Null);
            let message = format!(
                "found {}, expected an object such as {{\"{tag}\": {example}}}",
                shown(value)
            );
            return self.report(path, message);
        };
        let names = constants_of(choices, tag);
        let tag_path = join(path, tag);
        let Some(found) = map.get(tag) else {
            let message = format!("missing; must be one of {}", list(&names));
            return self.report(&tag_path, message);
        };
        let chosen = choices
            .iter()
            .find(|choice| choice.pointer(&format!("/properties/{tag}/const")) == Some(found));
        match chosen {
            Some(choice) => self.object(choice, map, path),
            None => {
                let message = not_one_of(found, &names);
                self.report(&tag_path, message);
            }
        }
    }

    fn object(&mut self, schema: &'a Value, map: &Map<String, Value>, path: &str) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let known: Vec<&str> = properties
            .map(|properties| properties.keys().map(String::as_str).collect())
            .unwrap_or_default();
        for (key, value) in map {
            let key_path = join(path, key);
            match properties.and_then(|properties| properties.get(key)) {
                Some(property) => self.value(property, value, &key_path),
                None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                    let message = unknown_key(&known, key);
                    self.report(&key_path, message);
                }
                None => {}
            }
        }
        let required = schema.get("required").and_then(Value::as_array);
        for key in required.into_iter().flatten().filter_map(Value::as_str) {
            if !map.contains_key(key) {
                self.report(&join(path, key), "missing required key".into());
            }
        }
    }

    fn array(&mut self, schema: &'a Value, items: &[Value], path: &str) {
        let count = items.len() as u64;
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        let most = schema
            .get("maxItems")
            .and_then(Value::as_u64)
            .unwrap_or(u64::MAX);
        if count < least || count > most {
            self.report(
                path,
                format!(
                    "list has {}; must have {}",
                    values(count),
                    from_to(least, most)
                ),
            );
        }
        if let Some(item_schema) = schema.get("items") {
            for (index, item) in items.iter().enumerate() {
                self.value(item_schema, item, &format!("{path}[{index}]"));
            }
        }
    }

    fn number(&mut self, schema: &Value, value: &Value, path: &str) {
        let number = value.as_f64().unwrap_or(f64::NAN);
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        let (least, above) = (bound("minimum"), bound("exclusiveMinimum"));
        let (most, below) = (bound("maximum"), bound("exclusiveMaximum"));
        let inside = least.is_none_or(|least| number >= least)
            && above.is_none_or(|above| number > above)
            && most.is_none_or(|most| number <= most)
            && below.is_none_or(|below| number < below);
        if inside {
            return;
        }
        let low = least
            .map(|least| format!("at least {least}"))
            .or(above.map(|above| format!("greater than {above}")));
        let high = most
            .map(|most| format!("at most {most}"))
            .or(below.map(|below| format!("less than {below}")));
        let range: Vec<String> = [low, high].into_iter().flatten().collect();
        let message = format!("found {value}, must be {}", range.join(" and "));
        self.report(path, message);
    }

    fn string(&mut self, schema: &Value, text: &str, path: &str) {
        let key = |name: &str| schema.get(name).and_then(Value::as_str);
        let Some(pattern) = key("pattern") else {
            return;
        };
        if Regex::new(pattern).is_ok_and(|regex| regex.is_match(text)) {
            return;
        }
        let found = shown(&Value::from(text));
        // The keyword with which editors word the same.
        let message = match key("patternErrorMessage") {
            Some(meaning) => format!("found {found}, {meaning}"),
            None => format!("found {found}, must match {pattern}"),
        };
        self.report(path, message);
    }
}

fn from_to(least: u64, most: u64) -> String {
    if least == most {
        least.to_string()
    } else {
        format!("{least} to {most}")
    }
}

pub(super) fn alternatives(schema: &Value) -> Option<&[Value]> {
    ["oneOf", "anyOf"]
        .iter()
        .find_map(|key| schema.get(key)?.as_array())
        .map(Vec::as_slice)
}

/// The key that tells sections apart: the property with a constant.
fn tag_of(choice: &Value) -> Option<&str> {
    let properties = choice.get("properties")?.as_object()?;
    let mut tags = properties
        .iter()
        .filter(|(_, property)| property.get("const").is_some());
    tags.next().map(|(tag, _)| tag.as_str())
}

/// The constants of a tag.
fn constants_of(choices: &[&Value], tag: &str) -> Vec<Value> {
    let constants = choices
        .iter()
        .filter_map(|choice| choice.pointer(&format!("/properties/{tag}/const")));
    constants.cloned().collect()
}

/// Whether a list has as many values as a schema wants.
fn has_length(schema: &Value, value: &Value) -> bool {
    let count = value.as_array().map(|items| items.len() as u64);
    count.is_some() && schema.get("minItems").and_then(Value::as_u64) == count
}

fn constants(choice: &Value) -> Vec<Value> {
    match (choice.get("const"), choice.get("enum")) {
        (Some(value), _) => vec![value.clone()],
        (None, Some(Value::Array(values))) => values.clone(),
        _ => Vec::new(),
    }
}

fn types_of(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn join(path: &str, key: &str) -> String {
    match path {
        "" => key.to_string(),
        path => format!("{path}.{key}"),
    }
}
