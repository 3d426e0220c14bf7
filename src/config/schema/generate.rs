//! JSON Schemas of config types.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::Value;

use crate::config::experiment::Experiment;

/// The schema of a whole experiment.
pub fn experiment() -> Value {
    of::<Experiment>()
}

/// The schema of any config type, as JSON Schema draft 2020-12.
pub fn of<T: JsonSchema>() -> Value {
    let generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    generator.into_root_schema_for::<T>().to_value()
}

/// One alternative of a tagged section, such as a kind of data.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// The value of the tag.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Keys to start from besides the tag; the first of the schema's `examples`, or null.
    pub example: Value,
}

/// The alternatives of a section that `tag` tells apart, in the order of declaration.
pub fn variants<T: JsonSchema>(tag: &str) -> Vec<Variant> {
    let schema = of::<T>();
    let choices = schema.get("oneOf").and_then(Value::as_array);
    let choices = choices.into_iter().flatten();
    choices
        .filter_map(|choice| {
            let definition = choice.get("$ref").and_then(Value::as_str);
            let definition = definition.and_then(|at| schema.pointer(at.trim_start_matches('#')));
            let text = |value: &Value| value.as_str().map(String::from);
            Some(Variant {
                name: text(choice.pointer(&format!("/properties/{tag}/const"))?)?,
                description: choice.get("description").and_then(text).unwrap_or_default(),
                example: definition
                    .or(Some(choice))
                    .and_then(|definition| definition.pointer("/examples/0"))
                    .cloned()
                    .unwrap_or_default(),
            })
        })
        .collect()
}
