//! The ways in which a file's tensors can be meant: one of its dictionaries, without what is put around all names.
//!
//! Training scripts save weights under a key of a dictionary, and wrap networks in others, which adds a prefix to every name:
//! `module.` (training on several devices), `_orig_mod.` (`torch.compile`), `model.`, `net.` (Lightning).

use std::collections::BTreeSet;

use crate::weights::formats::saved::{Saved, Stored};

/// Keys under which scripts keep the weights, the most usual first; the empty name is the whole file.
const USUAL: [&str; 10] = [
    "",
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "network",
    "module",
    "weights",
    "params",
    "model_state",
];

/// Attributes under which networks are wrapped. What stands beside them is not the network's: a loss with weights, for instance.
const WRAPPERS: [&str; 6] = ["module", "_orig_mod", "model", "net", "network", "backbone"];

/// Wrappers that may also stand within names, around a part of a network.
const INNER: [&str; 2] = ["module", "_orig_mod"];

/// How the keys of a dictionary begin in which an optimizer keeps its state: averages of gradients have the shapes of weights.
const OPTIMIZER: &str = "optim";

/// How many dictionaries of a file are looked at, and how many prefixes are taken off one after the other.
const MAX_DICTIONARIES: usize = 256;
const MAX_PREFIXES: usize = 6;

/// How many names are looked at in all views of a file.
const MAX_NAMES: usize = 1 << 20;

/// The tensors of a dictionary under the names that are left.
#[derive(Debug, Clone)]
pub struct View<'s> {
    /// The dictionary's full name; empty for the whole file.
    pub dictionary: &'s str,
    /// What was taken off all names, with the dot: `module.`; empty for nothing.
    pub prefix: String,
    /// Whether parts named as in [`INNER`] were taken out of the names.
    pub is_unwrapped: bool,
    /// Names and tensors.
    pub tensors: Vec<(String, &'s Stored)>,
    /// Full names of the dictionary's tensors that don't have the prefix.
    pub outside: Vec<String>,
}

impl View<'_> {
    /// Whether the dictionary is one that scripts keep weights in.
    pub fn is_usual(&self) -> bool {
        USUAL.contains(&self.dictionary)
    }

    /// The name in the file of one of the view's tensors.
    pub fn full_name(&self, name: &str) -> String {
        match self.dictionary {
            "" => format!("{}{name}", self.prefix),
            dictionary => format!("{dictionary}.{}{name}", self.prefix),
        }
    }
}

/// All views of a file: the more usual dictionary first, then the less that is taken off.
pub fn views(saved: &Saved) -> Vec<View<'_>> {
    let mut dictionaries: Vec<&str> = saved.dictionaries.iter().map(String::as_str).collect();
    dictionaries.retain(|name| !name.split('.').any(|key| key.starts_with(OPTIMIZER)));
    let rank = |name: &str| USUAL.iter().position(|usual| *usual == name);
    dictionaries.sort_by_key(|name| rank(name).unwrap_or(USUAL.len()));
    dictionaries.truncate(MAX_DICTIONARIES);
    let mut views = Vec::new();
    for dictionary in dictionaries {
        let whole = of_dictionary(saved, dictionary);
        let unwrapped = without_inner(&whole);
        for view in [Some(whole), unwrapped].into_iter().flatten() {
            let mut found = Vec::new();
            strip(saved, view, &mut found);
            views.extend(found);
        }
        let names: usize = views.iter().map(|view: &View| view.tensors.len()).sum();
        if names > MAX_NAMES {
            break;
        }
    }
    views.retain(|view| !view.tensors.is_empty());
    views
}

fn of_dictionary<'s>(saved: &'s Saved, dictionary: &'s str) -> View<'s> {
    let tensors = saved.tensors.iter().filter_map(|(name, tensor)| {
        let rest = match dictionary {
            "" => name,
            _ => name.strip_prefix(dictionary)?.strip_prefix('.')?,
        };
        Some((rest.to_string(), tensor))
    });
    View {
        dictionary,
        prefix: String::new(),
        is_unwrapped: false,
        tensors: tensors.collect(),
        outside: Vec::new(),
    }
}

/// The view without wrappers within names; `None` if there are none, or if two names would become one.
fn without_inner<'s>(view: &View<'s>) -> Option<View<'s>> {
    let short = |name: &str| {
        let parts = name.split('.').enumerate();
        let parts = parts.filter(|(place, part)| *place == 0 || !INNER.contains(part));
        parts.map(|(_, part)| part).collect::<Vec<_>>().join(".")
    };
    let names: Vec<String> = view.tensors.iter().map(|(name, _)| short(name)).collect();
    let is_shorter = names
        .iter()
        .zip(&view.tensors)
        .any(|(short, (name, _))| short != name);
    let is_distinct = names.iter().collect::<BTreeSet<_>>().len() == names.len();
    (is_shorter && is_distinct).then(|| View {
        is_unwrapped: true,
        tensors: names
            .into_iter()
            .zip(&view.tensors)
            .map(|(name, (_, tensor))| (name, *tensor))
            .collect(),
        ..view.clone()
    })
}

/// Adds a view, and those that have more taken off.
fn strip<'s>(saved: &'s Saved, view: View<'s>, found: &mut Vec<View<'s>>) {
    let full = [view.dictionary, view.prefix.trim_end_matches('.')];
    let full: Vec<&str> = full.into_iter().filter(|part| !part.is_empty()).collect();
    // A dictionary below this one has views of its own.
    let is_other = !view.prefix.is_empty() && saved.dictionaries.contains(&full.join("."));
    if is_other {
        return;
    }
    let firsts: BTreeSet<&str> = view
        .tensors
        .iter()
        .map(|(name, _)| name.split_once('.').map_or("", |(first, _)| first))
        .collect();
    let next: Vec<String> = match firsts.first() {
        Some(&only) if firsts.len() == 1 => vec![only.to_string()],
        _ => {
            let wrappers = WRAPPERS.iter().filter(|wrapper| firsts.contains(*wrapper));
            wrappers.map(|wrapper| wrapper.to_string()).collect()
        }
    };
    let inner: Vec<View> = next
        .iter()
        .filter(|first| !first.is_empty() && view.prefix.matches('.').count() < MAX_PREFIXES)
        .map(|first| below(&view, first))
        .collect();
    found.push(view);
    for view in inner {
        strip(saved, view, found);
    }
}

/// The tensors of a view whose names begin with a part, without it.
fn below<'s>(view: &View<'s>, first: &str) -> View<'s> {
    let prefix = format!("{first}.");
    let (mut tensors, mut outside) = (Vec::new(), view.outside.clone());
    for (name, tensor) in &view.tensors {
        match name.strip_prefix(&prefix) {
            Some(rest) => tensors.push((rest.to_string(), *tensor)),
            None => outside.push(format!("{}{name}", view.prefix)),
        }
    }
    View {
        prefix: format!("{}{prefix}", view.prefix),
        tensors,
        outside,
        ..*view
    }
}
