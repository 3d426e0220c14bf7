//! The layers of a file or a network: the tensors whose names differ in the last part only.

use std::cmp::Ordering;
use std::collections::HashMap;

/// The tensors of a layer: the last part of each name, and its shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The name without the last part; empty for tensors at the top.
    pub name: String,
    pub tensors: Vec<(String, Vec<usize>)>,
}

/// How many tensors of a layer an error lists.
const SHOWN: usize = 4;

/// Layers are alike if this is equal: last parts of names with shapes, sorted.
pub type Signature = Vec<(String, Vec<usize>)>;

/// The layers of tensors, in the order of their first ones.
pub fn layers<'n>(tensors: impl Iterator<Item = (&'n str, Vec<usize>)>) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (name, shape) in tensors {
        let (layer, last) = name.rsplit_once('.').unwrap_or(("", name));
        let place = *places.entry(layer).or_insert(layers.len());
        if place == layers.len() {
            layers.push(Layer {
                name: layer.to_string(),
                tensors: Vec::new(),
            });
        }
        layers[place].tensors.push((last.to_string(), shape));
    }
    layers
}

/// Last parts of names with shapes.
pub fn signature(layer: &Layer) -> Signature {
    let mut tensors = layer.tensors.clone();
    tensors.sort();
    tensors
}

/// Only the shapes, for layers whose tensors have names of their own.
pub fn shapes(layer: &Layer) -> Signature {
    let shapes = layer.tensors.iter();
    let mut shapes: Vec<_> = shapes
        .map(|(_, shape)| (String::new(), shape.clone()))
        .collect();
    shapes.sort();
    shapes
}

/// A layer's name for messages.
pub fn shown(layer: &Layer) -> String {
    match layer.name.as_str() {
        "" => format!("`{}`", layer.tensors.first().map_or("", |(last, _)| last)),
        name => format!("`{name}`"),
    }
}

/// A layer with its tensors for messages.
pub fn described(layer: &Layer) -> String {
    let tensors = layer.tensors.iter().take(SHOWN);
    let tensors = tensors.map(|(last, shape)| format!("{last} {shape:?}"));
    let more = if layer.tensors.len() > SHOWN {
        ", ..."
    } else {
        ""
    };
    let tensors = tensors.collect::<Vec<_>>().join(", ");
    format!("{} ({tensors}{more})", shown(layer))
}

/// A pattern for the tensors of a layer.
pub fn pattern(layer: &Layer) -> Option<String> {
    let (first, _) = layer.tensors.first()?;
    Some(match layer.name.as_str() {
        "" => first.clone(),
        name => format!("{name}.*"),
    })
}

/// A name without its digits.
pub fn stem(name: &str) -> String {
    name.chars()
        .filter(|letter| !letter.is_ascii_digit())
        .collect()
}

/// The order of names in which numbers are sorted by their value.
pub fn natural(a: &str, b: &str) -> Ordering {
    let parts = |name: &str| -> Vec<(u8, u128, String)> {
        let mut parts: Vec<(u8, u128, String)> = Vec::new();
        for piece in name.split_inclusive(|letter: char| !letter.is_ascii_digit()) {
            let digits = piece.trim_end_matches(|letter: char| !letter.is_ascii_digit());
            if let Ok(number) = digits.parse() {
                parts.push((0, number, String::new()));
            }
            parts.push((1, 0, piece[digits.len()..].to_string()));
        }
        parts
    };
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}
