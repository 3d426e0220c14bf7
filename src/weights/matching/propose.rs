//! A mapping from the names of a file to those of a network, by the order and the shapes of the layers.
//!
//! A layer is the tensors whose names differ in the last part only. A `state_dict` has the layers in the order in which they were
//! defined, as a network lists its own; where each has the shapes of the one at the same place, the mapping is unique. Where the
//! order is another, or unknown, it is unique if no two layers have the same shapes.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use super::fit::Wanted;
use super::patterns::patterns;
use super::views::View;
use crate::config::RenamePattern;
use crate::weights::formats::saved::Stored;

/// The tensors of a layer: the last part of each name, and its shape.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Layer {
    /// The name without the last part; empty for tensors at the top.
    name: String,
    tensors: Vec<(String, Vec<usize>)>,
}

/// How many tensors of a layer an error lists.
const SHOWN: usize = 4;

/// Layers are alike if this is equal: last parts of names with shapes, sorted.
type Signature = Vec<(String, Vec<usize>)>;

/// Why there is no mapping.
#[derive(Debug)]
pub struct NoMapping {
    /// The reason, in words.
    pub reason: String,
    /// Whether the file has as many layers as the network.
    pub is_count_equal: bool,
    /// The first layer that has no counterpart, or the first two that differ, as patterns of their names.
    pub apart: Apart,
}

/// Patterns of layers that stand in the way of a mapping.
#[derive(Debug, Clone, Default)]
pub struct Apart {
    /// In the file.
    pub theirs: Option<String>,
    /// In the network.
    pub ours: Option<String>,
}

impl From<String> for NoMapping {
    fn from(reason: String) -> Self {
        Self {
            reason,
            is_count_equal: true,
            apart: Apart::default(),
        }
    }
}

/// Patterns that rename the tensors of a view as the network calls them, or why no single assignment is possible. `in_order` tells whether the
/// tensors are in the order in which the layers were defined.
pub fn propose(
    view: &View,
    wanted: Wanted,
    in_order: bool,
) -> Result<Vec<RenamePattern>, NoMapping> {
    let tensors = view
        .tensors
        .iter()
        .filter_map(|(name, stored)| match stored {
            Stored::Tensor(tensor) if !wanted.excepts_any(view, name, name) => {
                Some((name.as_str(), tensor.shape.clone()))
            }
            _ => None,
        });
    let parameters = wanted.parameters.iter();
    let parameters = parameters.filter(|parameter| !wanted.is_excepted(&parameter.name));
    let parameters = parameters.map(|parameter| (parameter.name.as_str(), parameter.shape.clone()));
    let (ours, mut theirs) = (layers(parameters), layers(tensors));
    if !in_order {
        // By name, numbers by their value: the best that is known.
        theirs.sort_by(|a, b| natural(&a.name, &b.name));
    }
    if ours.len() != theirs.len() {
        return Err(counts(&theirs, &ours));
    }
    let ours = matched(&theirs, ours, in_order)?;
    let pairs = theirs.iter().zip(&ours);
    let names = pairs.map(|(from, to)| tensor_names(from, to));
    let names: Vec<_> = names.collect::<Result<_, String>>()?;
    Ok(patterns(&names.concat()))
}

fn layers<'n>(tensors: impl Iterator<Item = (&'n str, Vec<usize>)>) -> Vec<Layer> {
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

fn signature(layer: &Layer) -> Signature {
    let mut tensors = layer.tensors.clone();
    tensors.sort();
    tensors
}

/// Only the shapes, for layers whose tensors have names of their own.
fn shapes(layer: &Layer) -> Signature {
    let shapes = layer.tensors.iter();
    let mut shapes: Vec<_> = shapes
        .map(|(_, shape)| (String::new(), shape.clone()))
        .collect();
    shapes.sort();
    shapes
}

/// The network's layers in the order of the file's.
fn matched(theirs: &[Layer], ours: Vec<Layer>, in_order: bool) -> Result<Vec<Layer>, NoMapping> {
    let by_name = by_signature(theirs, &ours, in_order, signature);
    by_name.or_else(|problem| {
        // The reason that names the tensors is the clearer one.
        by_signature(theirs, &ours, in_order, shapes).map_err(|_| problem)
    })
}

fn by_signature(
    theirs: &[Layer],
    ours: &[Layer],
    in_order: bool,
    of: fn(&Layer) -> Signature,
) -> Result<Vec<Layer>, NoMapping> {
    let is_in_order = theirs.iter().zip(ours).all(|(from, to)| of(from) == of(to));
    let mut alike: BTreeMap<Signature, Vec<&Layer>> = BTreeMap::new();
    for layer in theirs {
        alike.entry(of(layer)).or_default().push(layer);
    }
    if in_order && is_in_order {
        for layers in alike.values() {
            validate_numbers(layers)?;
        }
        return Ok(ours.to_vec());
    }
    let mut others: BTreeMap<Signature, Vec<&Layer>> = BTreeMap::new();
    for layer in ours {
        others.entry(of(layer)).or_default().push(layer);
    }
    let counts = |layers: &BTreeMap<Signature, Vec<&Layer>>| {
        let counts = layers
            .iter()
            .map(|(signature, layers)| (signature.clone(), layers.len()));
        counts.collect::<Vec<_>>()
    };
    if counts(&alike) != counts(&others) {
        return Err(first_difference(theirs, ours, of));
    }
    for layers in alike.values() {
        validate_distinct(layers, in_order)?;
    }
    let mut others: BTreeMap<Signature, std::vec::IntoIter<&Layer>> = others
        .into_iter()
        .map(|(signature, layers)| (signature, layers.into_iter()))
        .collect();
    let found = theirs
        .iter()
        .map(|layer| others.get_mut(&of(layer))?.next().cloned());
    let found: Option<Vec<Layer>> = found.collect();
    found.ok_or_else(|| first_difference(theirs, ours, of))
}

/// Refuses layers of the same shapes where the order does not tell which is which; numbers in names do.
fn validate_distinct(layers: &[&Layer], in_order: bool) -> Result<(), String> {
    let unclear = layers
        .windows(2)
        .find(|pair| in_order || stem(&pair[0].name) != stem(&pair[1].name));
    match unclear {
        None => Ok(()),
        Some(pair) => Err(format!(
            "{} and {} have the same shapes, and {}",
            shown(pair[0]),
            shown(pair[1]),
            if in_order {
                "the file's layers are in a different order from the network's"
            } else {
                "the file does not keep the order of layers"
            }
        )),
    }
}

/// Refuses layers of the same shapes whose numbers go down: their order is not that of the names.
fn validate_numbers(layers: &[&Layer]) -> Result<(), String> {
    let mut last: HashMap<String, &Layer> = HashMap::new();
    for layer in layers {
        if let Some(before) = last.insert(stem(&layer.name), layer)
            && natural(&before.name, &layer.name) == Ordering::Greater
        {
            return Err(format!(
                "{} comes before {} in the file, and both have the same shapes",
                shown(before),
                shown(layer)
            ));
        }
    }
    Ok(())
}

/// The tensors of two layers that belong together.
fn tensor_names(from: &Layer, to: &Layer) -> Result<Vec<(String, String)>, String> {
    let name = |layer: &Layer, last: &str| match layer.name.as_str() {
        "" => last.to_string(),
        name => format!("{name}.{last}"),
    };
    let by_name = signature(from) == signature(to);
    let pairs = from.tensors.iter().map(|(last, shape)| {
        let mut fitting = to
            .tensors
            .iter()
            .filter(|(other, other_shape)| shape == other_shape && (!by_name || other == last));
        match (fitting.next(), fitting.next()) {
            (Some((other, _)), None) => Ok((name(from, last), name(to, other))),
            _ => Err(format!(
                "the tensors of {} have the shapes of those of {}, but different names",
                shown(from),
                shown(to)
            )),
        }
    });
    pairs.collect()
}

fn shown(layer: &Layer) -> String {
    match layer.name.as_str() {
        "" => format!("`{}`", layer.tensors.first().map_or("", |(last, _)| last)),
        name => format!("`{name}`"),
    }
}

fn described(layer: &Layer) -> String {
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
fn pattern(layer: &Layer) -> Option<String> {
    let (first, _) = layer.tensors.first()?;
    Some(match layer.name.as_str() {
        "" => first.clone(),
        name => format!("{name}.*"),
    })
}

/// The error for another number of layers.
fn counts(theirs: &[Layer], ours: &[Layer]) -> NoMapping {
    let mut pairs = theirs.iter().zip(ours);
    let difference = pairs.find(|(from, to)| signature(from) != signature(to));
    let common = theirs.len().min(ours.len());
    let (theirs_more, ours_more) = (theirs.get(common), ours.get(common));
    let mut apart = Apart::default();
    let first = match (difference, theirs_more.or(ours_more)) {
        (Some((from, to)), _) => format!(
            "the first that differ are {} and {}",
            described(from),
            described(to)
        ),
        (None, Some(extra)) => {
            apart.theirs = theirs_more.and_then(pattern);
            apart.ours = ours_more.and_then(pattern);
            format!("{} has no counterpart", described(extra))
        }
        (None, None) => String::new(),
    };
    let layers = if theirs.len() == 1 { "layer" } else { "layers" };
    NoMapping {
        reason: format!(
            "the file has {} {layers} with parameters and the network {}; {first}",
            theirs.len(),
            ours.len()
        ),
        is_count_equal: false,
        apart,
    }
}

fn first_difference(theirs: &[Layer], ours: &[Layer], of: fn(&Layer) -> Signature) -> NoMapping {
    let mut pairs = theirs.iter().zip(ours).enumerate();
    let Some((index, (from, to))) = pairs.find(|(_, (from, to))| of(from) != of(to)) else {
        return NoMapping::from("the layers differ".to_string());
    };
    NoMapping {
        apart: Apart {
            theirs: pattern(from),
            ours: pattern(to),
        },
        ..NoMapping::from(format!(
            "layer {} is {} in the file and {} in the network",
            index + 1,
            described(from),
            described(to)
        ))
    }
}

/// A name without its digits.
fn stem(name: &str) -> String {
    name.chars()
        .filter(|letter| !letter.is_ascii_digit())
        .collect()
}

/// The order of names in which numbers are sorted by their value.
fn natural(a: &str, b: &str) -> Ordering {
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
