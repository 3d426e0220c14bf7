//! A mapping from the names of a file to those of a network, by the order and the shapes of the layers.
//!
//! A layer is the tensors whose names differ in the last part only. A `state_dict` has the layers in the order in which they were
//! defined, as a network lists its own; where each has the shapes of the one at the same place, the mapping is unique. Where the
//! order is another, or unknown, it is unique if no two layers have the same shapes.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::apart::{Apart, apart};
use super::layers::{Layer, Signature, described, layers, natural, shapes, shown, signature, stem};
use super::patterns::patterns;
use crate::config::RenamePattern;
use crate::weights::formats::saved::Stored;
use crate::weights::matching::fit::Wanted;
use crate::weights::matching::views::View;

/// Why there is no mapping.
#[derive(Debug)]
pub struct NoMapping {
    /// The reason, in words.
    pub reason: String,
    /// Whether the file has as many layers as the network.
    pub is_count_equal: bool,
    /// The layers that have no counterpart, if they are few.
    pub apart: Apart,
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
    let tensors = view.tensors.iter().filter_map(|entry| match entry.stored {
        Stored::Tensor(tensor) if !wanted.excepts_any(view, entry, &entry.name) => {
            Some((entry.name.as_str(), tensor.shape.clone()))
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
        return Err(counts(&theirs, &ours, in_order));
    }
    let ours = matched(&theirs, ours, in_order)?;
    let pairs = theirs.iter().zip(&ours);
    let names = pairs.map(|(from, to)| tensor_names(from, to));
    let names: Vec<_> = names.collect::<Result<_, String>>()?;
    Ok(patterns(&names.concat()))
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
        return Err(first_difference(theirs, ours, in_order, of));
    }
    let mut pairs: HashMap<&str, &Layer> = HashMap::new();
    for (signature, layers) in &alike {
        let ours = others
            .get(signature)
            .map_or(&[] as &[&Layer], Vec::as_slice);
        pairs.extend(pair_alike(layers, ours, in_order)?);
    }
    let found = theirs.iter();
    let found = found.map(|layer| pairs.get(layer.name.as_str()).map(|&layer| layer.clone()));
    let found: Option<Vec<Layer>> = found.collect();
    found.ok_or_else(|| first_difference(theirs, ours, in_order, of))
}

/// Which layers of the same shapes belong together: those of the same name, unless the names of others differ from theirs in the
/// number only, which may be counted from another one; and the others in their order, where that tells them apart.
fn pair_alike<'l>(
    theirs: &[&'l Layer],
    ours: &[&'l Layer],
    in_order: bool,
) -> Result<Vec<(&'l str, &'l Layer)>, String> {
    let by_name: HashMap<&str, &Layer> = ours.iter().map(|&layer| (&*layer.name, layer)).collect();
    let is_ours = |layer: &Layer| by_name.contains_key(layer.name.as_str());
    let (mut same, mut rest): (Vec<&Layer>, Vec<&Layer>) =
        theirs.iter().partition(|layer| is_ours(layer));
    let stems: HashSet<String> = same.iter().map(|layer| stem(&layer.name)).collect();
    if rest.iter().any(|layer| stems.contains(&stem(&layer.name))) {
        (same, rest) = (Vec::new(), theirs.to_vec());
    }
    validate_distinct(&rest, in_order)?;
    let taken: HashSet<&str> = same.iter().map(|layer| layer.name.as_str()).collect();
    let left = ours
        .iter()
        .filter(|layer| !taken.contains(layer.name.as_str()));
    let same = same.into_iter();
    let same = same.filter_map(|layer| Some((&*layer.name, *by_name.get(&*layer.name)?)));
    let rest = rest.into_iter().zip(left);
    let rest = rest.map(|(layer, &other)| (layer.name.as_str(), other));
    Ok(same.chain(rest).collect())
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

/// The error for another number of layers.
fn counts(theirs: &[Layer], ours: &[Layer], in_order: bool) -> NoMapping {
    let mut pairs = theirs.iter().zip(ours);
    let difference = pairs.find(|(from, to)| signature(from) != signature(to));
    let common = theirs.len().min(ours.len());
    let (theirs_more, ours_more) = (theirs.get(common), ours.get(common));
    let first = match (difference, theirs_more.or(ours_more)) {
        (Some((from, to)), _) => format!(
            "the first that differ are {} and {}",
            described(from),
            described(to)
        ),
        (None, Some(extra)) => format!("{} has no counterpart", described(extra)),
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
        apart: apart(theirs, ours, in_order),
    }
}

fn first_difference(
    theirs: &[Layer],
    ours: &[Layer],
    in_order: bool,
    of: fn(&Layer) -> Signature,
) -> NoMapping {
    let mut pairs = theirs.iter().zip(ours).enumerate();
    let Some((index, (from, to))) = pairs.find(|(_, (from, to))| of(from) != of(to)) else {
        return NoMapping::from("the layers differ".to_string());
    };
    NoMapping {
        apart: apart(theirs, ours, in_order),
        ..NoMapping::from(format!(
            "layer {} is {} in the file and {} in the network",
            index + 1,
            described(from),
            described(to)
        ))
    }
}
