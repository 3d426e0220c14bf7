//! A config to start from, for `kiln config init`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, json};

use super::load::resolve;
use super::schema::{self, Variant};
use crate::data::DataConfig;
use crate::error::Problem;
use crate::models::ModelConfig;

/// The kinds of data that a config can name.
pub fn data_kinds() -> Vec<Variant> {
    schema::variants::<DataConfig>("kind")
}

/// The kinds of models that a config can name.
pub fn model_kinds() -> Vec<Variant> {
    schema::variants::<ModelConfig>("kind")
}

/// The text of a valid config for one kind of data and one of models, with keys in the order in which the schema declares them.
pub fn starter(data: &str, model: &str) -> Result<String, Vec<Problem>> {
    let config = json!({
        "data": section(&data_kinds(), data),
        "model": section(&model_kinds(), model),
        "optimizer": {"kind": "adam", "lr": 1e-3},
        "training": {"epochs": 10, "batch_size": 64},
    });
    let experiment = resolve(config.clone())?;
    let resolved = serde_json::to_string(&experiment).map_err(unexpected)?;
    let order: KeyOrder = serde_json::from_str(&resolved).map_err(unexpected)?;
    let mut text = String::new();
    write(&config, &order, 0, &mut text);
    text.push('\n');
    Ok(text)
}

/// A resolved experiment is always JSON.
fn unexpected(error: serde_json::Error) -> Vec<Problem> {
    vec![Problem::new("", error.to_string())]
}

/// The section of a kind, with the keys of its example.
fn section(variants: &[Variant], kind: &str) -> Value {
    let variant = variants.iter().find(|variant| variant.name == kind);
    let mut section = variant.map_or(Value::Null, |variant| variant.example.clone());
    section["kind"] = kind.into();
    section
}

/// Levels that are written with one key per line; sections below are one line.
const INDENTED_LEVELS: usize = 1;

/// Writes `value` in the style of the repository's configs, its keys in the given order.
fn write(value: &Value, order: &KeyOrder, level: usize, text: &mut String) {
    let map = match value {
        Value::Object(map) => map,
        Value::Array(items) => return write_list(items, order, level, text),
        other => return text.push_str(&other.to_string()),
    };
    let (gap, end) = if level < INDENTED_LEVELS {
        ("\n  ", "\n")
    } else {
        (" ", " ")
    };
    let mut separator = "{";
    for (key, order) in &order.0 {
        if let Some(value) = map.get(key) {
            text.push_str(separator);
            text.push_str(gap);
            text.push_str(&format!("{}: ", Value::from(key.as_str())));
            write(value, order, level + 1, text);
            separator = ",";
        }
    }
    text.push_str(end);
    text.push('}');
}

fn write_list(items: &[Value], order: &KeyOrder, level: usize, text: &mut String) {
    text.push('[');
    for (index, (item, (_, order))) in items.iter().zip(&order.0).enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        write(item, order, level + 1, text);
    }
    text.push(']');
}

/// The keys of a JSON object (the indices of a list) and of those below it, in the order of the text, which `serde_json::Map` does not keep.
struct KeyOrder(Vec<(String, KeyOrder)>);

impl<'de> Deserialize<'de> for KeyOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = KeyOrder;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<KeyOrder, A::Error> {
        let mut keys = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            keys.push(entry);
        }
        Ok(KeyOrder(keys))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<KeyOrder, A::Error> {
        let mut keys = Vec::new();
        while let Some(item) = items.next_element()? {
            keys.push((keys.len().to_string(), item));
        }
        Ok(KeyOrder(keys))
    }

    fn visit_bool<E>(self, _: bool) -> Result<KeyOrder, E> {
        Ok(KeyOrder(Vec::new()))
    }

    fn visit_u64<E>(self, _: u64) -> Result<KeyOrder, E> {
        Ok(KeyOrder(Vec::new()))
    }

    fn visit_i64<E>(self, _: i64) -> Result<KeyOrder, E> {
        Ok(KeyOrder(Vec::new()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<KeyOrder, E> {
        Ok(KeyOrder(Vec::new()))
    }

    fn visit_str<E>(self, _: &str) -> Result<KeyOrder, E> {
        Ok(KeyOrder(Vec::new()))
    }

    fn visit_unit<E>(self) -> Result<KeyOrder, E> {
        Ok(KeyOrder(Vec::new()))
    }
}
