//! The JSON Schema of an experiment, made from its types, and the check that holds JSON against it.
//!
//! One truth: what editors complete, what `kiln config schema` prints and what is refused come from the same types.
//! The check covers the part of JSON Schema that these types give rise to, and words its findings for people.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

use super::{Experiment, Problem};

/// A name this similar (Jaro-Winkler, 0 to 1) is offered as what was meant.
const SIMILAR_ENOUGH: f64 = 0.75;

/// The schema of a whole experiment.
pub fn experiment() -> Value {
    of::<Experiment>()
}

/// The schema of any config type.
pub fn of<T: JsonSchema>() -> Value {
    let generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    generator.into_root_schema_for::<T>().to_value()
}

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
            let wanted: Vec<&str> = types.iter().map(|name| in_words(name)).collect();
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

    /// Alternatives are told apart by a key with a constant (`kind`, `by`), are plain constants, or allow null.
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
        // `null` or something: what is not null is held against the something.
        if value.is_null() && choices.iter().any(|choice| types_of(choice) == ["null"]) {
            return;
        }
        if let Some(choice) = choices.iter().find(|choice| types_of(choice) != ["null"]) {
            self.value(choice, value, path);
        }
    }

    fn tagged(&mut self, choices: &[&'a Value], tag: &str, value: &Value, path: &str) {
        let Value::Object(map) = value else {
            let example = choices
                .iter()
                .find_map(|choice| choice.pointer(&format!("/properties/{tag}/const")))
                .unwrap_or(&Value::Null);
            let message = format!(
                "found {}, expected a section such as {{\"{tag}\": {example}}}",
                shown(value)
            );
            return self.report(path, message);
        };
        let names: Vec<Value> = choices
            .iter()
            .filter_map(|choice| choice.pointer(&format!("/properties/{tag}/const")).cloned())
            .collect();
        let tag_path = join(path, tag);
        let Some(found) = map.get(tag) else {
            let message = format!("missing; it is one of {}", list(&names));
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
                self.report(&join(path, key), "missing; it is required".into());
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
                format!("found a list of {count}, allowed are {least} to {most} values"),
            );
        }
        if let Some(item_schema) = schema.get("items") {
            for (index, item) in items.iter().enumerate() {
                self.value(item_schema, item, &join(path, &index.to_string()));
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
        self.report(
            path,
            format!("found {value}, must be {}", range.join(" and ")),
        );
    }

    fn string(&mut self, schema: &Value, text: &str, path: &str) {
        // The one pattern in use: names that become parts of file names.
        let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if schema.get("pattern").is_some() && !text.chars().all(is_name) {
            let message = format!("found {text:?}, allowed are letters, digits and . _ -");
            self.report(path, message);
        }
    }
}

fn alternatives(schema: &Value) -> Option<&[Value]> {
    ["oneOf", "anyOf"]
        .iter()
        .find_map(|key| schema.get(key)?.as_array())
        .map(Vec::as_slice)
}

/// The key that tells the variants of a tagged enum apart.
fn tag_of(choice: &Value) -> Option<&'static str> {
    ["kind", "by"].into_iter().find(|tag| {
        choice
            .pointer(&format!("/properties/{tag}/const"))
            .is_some()
    })
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

fn in_words(name: &str) -> &str {
    match name {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a text in quotes",
        "array" => "a list in [ ]",
        "object" => "a section in { }",
        other => other,
    }
}

/// A value as it is repeated to the user: short.
fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "a section".into(),
        Value::Array(items) => format!("a list of {}", items.len()),
        other => {
            let text = other.to_string();
            match text.char_indices().nth(60) {
                Some((end, _)) => format!("{}...", &text[..end]), // enough to find it again
                None => text,
            }
        }
    }
}

fn list(values: &[Value]) -> String {
    let names: Vec<String> = values.iter().map(Value::to_string).collect();
    names.join(", ")
}

fn not_one_of(value: &Value, allowed: &[Value]) -> String {
    let names: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
    let meant = value
        .as_str()
        .and_then(|found| nearest(&names, found))
        .map(|name| format!("; did you mean {name:?}?"))
        .unwrap_or_default();
    format!(
        "found {}, allowed are {}{meant}",
        shown(value),
        list(allowed)
    )
}

fn unknown_key(known: &[&str], key: &str) -> String {
    match nearest(known, key) {
        Some(name) => format!(
            "unknown key; did you mean `{name}`? (known: {})",
            known.join(", ")
        ),
        None => format!("unknown key; known here: {}", known.join(", ")),
    }
}

/// The known name that is most like `found`, if any is like it at all.
pub fn nearest<'n>(known: &[&'n str], found: &str) -> Option<&'n str> {
    known
        .iter()
        .map(|name| (strsim::jaro_winkler(name, found), *name))
        .filter(|(similarity, _)| *similarity >= SIMILAR_ENOUGH)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

fn join(path: &str, key: &str) -> String {
    match path {
        "" => key.to_string(),
        path => format!("{path}.{key}"),
    }
}
