//! Which layers stand in the way of a mapping: those of a file or a network that have no counterpart in the other.

use std::collections::{HashMap, HashSet, VecDeque};

use super::layers::{Layer, Signature, pattern, shapes};

/// Most patterns that advice proposes to leave out.
const MAX_PATTERNS: usize = 4;

/// Most pairs of layers that are compared.
const MAX_PAIRS: usize = 1 << 18;

/// How much more it counts that two layers have the same shapes than that they have the same name.
const SHAPES_OVER_NAME: u32 = 1 << 16;

/// Patterns of the names of layers without a counterpart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Apart {
    /// In the file.
    pub theirs: Vec<String>,
    /// In the network.
    pub ours: Vec<String>,
    /// Those of `theirs` that have the shapes of a layer of the file that is kept, and that layer: it may be the one to leave out.
    pub twins: Vec<(String, String)>,
}

impl Apart {
    /// All patterns.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.theirs.iter().chain(&self.ours)
    }
}

/// The layers without a counterpart, or none if there are many, or if there is no other layer. As many as possible are kept, in
/// their order if that is known.
pub fn apart(theirs: &[Layer], ours: &[Layer], in_order: bool) -> Apart {
    let Some(pairs) = theirs.len().checked_mul(ours.len()) else {
        return Apart::default();
    };
    if pairs > MAX_PAIRS {
        return Apart::default();
    }
    let kept = if in_order {
        longest_common(theirs, ours)
    } else {
        common(theirs, ours)
    };
    let (from, to): (HashSet<usize>, HashSet<usize>) = kept.iter().copied().unzip();
    let extra = theirs.len() + ours.len() - 2 * kept.len();
    if kept.is_empty() || extra > MAX_PATTERNS {
        return Apart::default();
    }
    let without = |layers: &[Layer], kept: &HashSet<usize>| -> Vec<String> {
        let places = (0..layers.len()).filter(|place| !kept.contains(place));
        places
            .filter_map(|place| pattern(layers.get(place)?))
            .collect()
    };
    Apart {
        twins: twins(theirs, ours, &kept),
        theirs: without(theirs, &from),
        ours: without(ours, &to),
    }
}

/// The layers of the file without a counterpart that have the shapes of one with a counterpart of another name, and that one.
fn twins(theirs: &[Layer], ours: &[Layer], kept: &[(usize, usize)]) -> Vec<(String, String)> {
    let from: HashSet<usize> = kept.iter().map(|(from, _)| *from).collect();
    let out = theirs.iter().enumerate();
    let out = out.filter(|(place, _)| !from.contains(place));
    let twins = out.filter_map(|(_, layer)| {
        let mut pairs = kept
            .iter()
            .filter_map(|&(from, to)| theirs.get(from).zip(ours.get(to)));
        let is_twin =
            |(from, to): &(&Layer, &Layer)| from.name != to.name && shapes(from) == shapes(layer);
        let (other, _) = pairs.find(is_twin)?;
        Some((pattern(layer)?, pattern(other)?))
    });
    twins.collect()
}

/// Pairs of places of layers of the same shapes: those of the same name, and then the others one after the other.
fn common(theirs: &[Layer], ours: &[Layer]) -> Vec<(usize, usize)> {
    let mut left: HashMap<Signature, VecDeque<usize>> = HashMap::new();
    for (place, layer) in ours.iter().enumerate() {
        left.entry(shapes(layer)).or_default().push_back(place);
    }
    let mut pairs = Vec::new();
    let mut rest = Vec::new();
    for (from, layer) in theirs.iter().enumerate() {
        let alike = left.entry(shapes(layer)).or_default();
        match alike.iter().position(|&to| ours[to].name == layer.name) {
            Some(at) => pairs.extend(alike.remove(at).map(|to| (from, to))),
            None => rest.push(from),
        }
    }
    for from in rest {
        let alike = left.get_mut(&shapes(&theirs[from]));
        let to = alike.and_then(VecDeque::pop_front);
        pairs.extend(to.map(|to| (from, to)));
    }
    pairs
}

/// Pairs of places of the longest common subsequence: layers of the same shapes, in the same order.
fn longest_common(theirs: &[Layer], ours: &[Layer]) -> Vec<(usize, usize)> {
    // A number for the shapes of each layer.
    let mut numbers: HashMap<Signature, usize> = HashMap::new();
    let mut number = |layer: &Layer| {
        let next = numbers.len();
        *numbers.entry(shapes(layer)).or_insert(next)
    };
    let of_theirs: Vec<usize> = theirs.iter().map(&mut number).collect();
    let of_ours: Vec<usize> = ours.iter().map(&mut number).collect();
    let worth = |from: usize, to: usize| {
        if of_theirs[from] == of_ours[to] {
            SHAPES_OVER_NAME + u32::from(theirs[from].name == ours[to].name)
        } else {
            0
        }
    };
    // The best of what follows a place in each list.
    let (rows, columns) = (theirs.len() + 1, ours.len() + 1);
    let mut best = vec![0u32; rows * columns];
    for from in (0..theirs.len()).rev() {
        for to in (0..ours.len()).rev() {
            let skipped = best[(from + 1) * columns + to].max(best[from * columns + to + 1]);
            let worth = worth(from, to);
            let taken = if worth > 0 {
                worth + best[(from + 1) * columns + to + 1]
            } else {
                0
            };
            best[from * columns + to] = skipped.max(taken);
        }
    }
    let (mut pairs, mut from, mut to) = (Vec::new(), 0, 0);
    while from < theirs.len() && to < ours.len() {
        let here = best[from * columns + to];
        let worth = worth(from, to);
        if worth > 0 && here == worth + best[(from + 1) * columns + to + 1] {
            pairs.push((from, to));
            (from, to) = (from + 1, to + 1);
        } else if here == best[(from + 1) * columns + to] {
            from += 1;
        } else {
            to += 1;
        }
    }
    pairs
}
