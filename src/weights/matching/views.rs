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

/// A tensor of a view.
#[derive(Debug, Clone)]
pub struct Entry<'s> {
    /// Its name in the view.
    pub name: String,
    /// Its full name in the file.
    pub full: &'s str,
    pub stored: &'s Stored,
}

/// The tensors of a dictionary under the names that are left.
#[derive(Debug, Clone)]
pub struct View<'s> {
    /// The dictionary's full name; empty for the whole file.
    pub dictionary: &'s str,
    /// What was taken off all names, with the dot: `module.`; empty for nothing.
    pub prefix: String,
    /// Whether parts named as in [`INNER`] were taken out of the names.
    pub is_unwrapped: bool,
    /// Whether all names have the prefix only without those that the user left out.
    pub needs_exceptions: bool,
    pub tensors: Vec<Entry<'s>>,
    /// The dictionary's tensors that don't have the prefix, under their names in it.
    pub outside: Vec<Entry<'s>>,
}

impl View<'_> {
    /// Whether the dictionary is one that scripts keep weights in.
    pub fn is_usual(&self) -> bool {
        USUAL.contains(&self.dictionary)
    }

    /// What was taken off all names, with the last dot: `state_dict.model.`; empty for nothing.
    pub fn path(&self) -> String {
        match self.dictionary {
            "" => self.prefix.clone(),
            dictionary => format!("{dictionary}.{}", self.prefix),
        }
    }

    /// All names by which a user may know one of the view's tensors: its name in the view, that in the file, and those without a part
    /// of the dictionary and the prefix.
    pub fn names(&self, tensor: &Entry) -> Vec<String> {
        let path = self.path();
        let parts = path.matches('.').count().max(1);
        let known = format!("{path}{}", tensor.name);
        let mut names = vec![tensor.name.clone()];
        for full in [known.as_str(), tensor.full] {
            names.extend(ends(full).take(parts).map(String::from));
        }
        names
    }
}

/// A name, and what is left of it without its first part, its first two, and so on.
pub fn ends(name: &str) -> impl Iterator<Item = &str> {
    let starts = name.match_indices('.').map(|(dot, _)| dot + 1);
    let starts = std::iter::once(0).chain(starts);
    starts.filter_map(|start| name.get(start..))
}

/// Whether a user left out a tensor of a view.
pub type IsExcepted<'a> = &'a dyn Fn(&View, &Entry) -> bool;

/// All views of a file: the more usual dictionary first, then the less that is taken off. What is left out is not in the way of
/// taking off a prefix that all other names have.
pub fn views<'s>(saved: &'s Saved, is_excepted: IsExcepted) -> Vec<View<'s>> {
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
            strip(saved, view, is_excepted, &mut found);
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
        Some(Entry {
            name: rest.to_string(),
            full: name,
            stored: tensor,
        })
    });
    View {
        dictionary,
        prefix: String::new(),
        is_unwrapped: false,
        needs_exceptions: false,
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
    let names: Vec<String> = view
        .tensors
        .iter()
        .map(|tensor| short(&tensor.name))
        .collect();
    let is_shorter = names
        .iter()
        .zip(&view.tensors)
        .any(|(short, tensor)| *short != tensor.name);
    let is_distinct = names.iter().collect::<BTreeSet<_>>().len() == names.len();
    (is_shorter && is_distinct).then(|| View {
        is_unwrapped: true,
        tensors: names
            .into_iter()
            .zip(&view.tensors)
            .map(|(name, tensor)| Entry {
                name,
                ..tensor.clone()
            })
            .collect(),
        ..view.clone()
    })
}

/// Adds a view, and those that have more taken off.
fn strip<'s>(saved: &'s Saved, view: View<'s>, is_excepted: IsExcepted, found: &mut Vec<View<'s>>) {
    // A dictionary below this one has views of its own.
    let path = view.path();
    let is_dictionary = |path: &str| saved.dictionaries.iter().any(|name| name == path);
    if !view.prefix.is_empty() && is_dictionary(path.trim_end_matches('.')) {
        return;
    }
    let firsts = |is_counted: &dyn Fn(&Entry) -> bool| -> BTreeSet<String> {
        let counted = view.tensors.iter().filter(|tensor| is_counted(tensor));
        let first = |name: &str| {
            name.split_once('.')
                .map_or("", |(first, _)| first)
                .to_string()
        };
        counted.map(|tensor| first(&tensor.name)).collect()
    };
    let (all, kept) = (
        firsts(&|_| true),
        firsts(&|tensor| !is_excepted(&view, tensor)),
    );
    let only = kept.iter().next().filter(|_| kept.len() == 1);
    let is_wrapper = |first: &String| WRAPPERS.contains(&first.as_str());
    let next: Vec<String> = match only {
        Some(only) => vec![only.clone()],
        None => {
            let wrappers = WRAPPERS.iter().map(|wrapper| wrapper.to_string());
            wrappers.filter(|wrapper| all.contains(wrapper)).collect()
        }
    };
    let inner: Vec<View> = next
        .iter()
        .filter(|first| !first.is_empty() && view.prefix.matches('.').count() < MAX_PREFIXES)
        .map(|first| View {
            needs_exceptions: view.needs_exceptions || !(all.len() == 1 || is_wrapper(first)),
            ..below(&view, first)
        })
        .collect();
    found.push(view);
    for view in inner {
        strip(saved, view, is_excepted, found);
    }
}

/// The tensors of a view whose names begin with a part, without it.
fn below<'s>(view: &View<'s>, first: &str) -> View<'s> {
    let prefix = format!("{first}.");
    let (mut tensors, mut outside) = (Vec::new(), view.outside.clone());
    for tensor in &view.tensors {
        let (list, name) = match tensor.name.strip_prefix(&prefix) {
            Some(rest) => (&mut tensors, rest.to_string()),
            None => (&mut outside, format!("{}{}", view.prefix, tensor.name)),
        };
        list.push(Entry {
            name,
            ..tensor.clone()
        });
    }
    View {
        prefix: format!("{}{prefix}", view.prefix),
        tensors,
        outside,
        ..*view
    }
}
