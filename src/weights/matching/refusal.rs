//! Why the tensors of a file don't fit a network, and what to do, in one line.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::Path;

use super::exceptions;
use super::fit::{Fit, Misfit, Wanted, shown};
use super::mapping::Proposals;
use super::reparametrized;
use super::single;
use super::views::View;
use crate::config::{Rename, RenamePattern};
use crate::error::{FileError, one_line};
use crate::weights::error::WeightsError;
use crate::weights::formats::foreign::{PACKED, Written, unreadable};
use crate::weights::formats::read::foreign_error;
use crate::weights::formats::saved::{Saved, Stored, Unreadable};

/// How many names an error lists.
const SHOWN: usize = 3;

/// What to do about weights of which nothing fits.
const OTHER_NETWORK: &str =
    "set `model` to the network that the weights belong to, and `data` to its input";

/// The error for a file that does not fit.
pub fn mismatch(path: &Path, problem: String) -> FileError {
    FileError::new(path, format!("does not match the network: {problem}"))
}

/// A file of which no view fits.
pub struct Refused<'a> {
    pub path: &'a Path,
    pub views: &'a [View<'a>],
    /// By view.
    pub fits: &'a [Fit<'a>],
    pub wanted: Wanted<'a>,
    pub rename: &'a Rename,
    pub proposals: &'a Proposals,
    pub saved: &'a Saved,
}

impl Refused<'_> {
    /// The error: of a pattern that makes no sense for the file, or else of the file.
    pub fn error(&self) -> WeightsError {
        let (views, fits) = (self.views, self.fits);
        let most = fits.iter().map(|fit| fit.applied.len()).max().unwrap_or(0);
        let best = match self.proposals.first() {
            Some((view, _)) if most == 0 => Some(view),
            _ => closest(views, fits, self.wanted),
        };
        let Some((view, fit)) = best.and_then(|at| views.get(at).zip(fits.get(at))) else {
            return mismatch(self.path, "it contains no tensors".into()).into();
        };
        if let Some((name, kind)) = first_unreadable(view, fit) {
            let written = Written {
                path: self.path,
                reader: self.saved.reader,
                dictionary: view.dictionary,
            };
            return foreign_error(self.path, unreadable(kind, &name, written)).into();
        }
        self.wrong_pattern(view, fit).unwrap_or_else(|| {
            let error = mismatch(self.path, problems(fit));
            error.advise(self.advice(view, fit)).into()
        })
    }

    /// The first pattern of `rename` that renames nothing, or two tensors alike.
    fn wrong_pattern(&self, view: &View, fit: &Fit) -> Option<WeightsError> {
        let collisions = fit.collisions.iter();
        let mut collisions = collisions.filter_map(|one| Some((one.pattern?, &one.problem)));
        let collision = collisions.next();
        let first = fit.idle.iter().copied().chain(collision.map(|(at, _)| at));
        let at = first.min()?;
        let pattern = self.rename.patterns().get(at)?;
        let names = || view.tensors.iter().map(|entry| &entry.name);
        let file = self.path.display();
        let is_shadowed = || names().any(|name| pattern.apply(name).is_some());
        let (problem, advice) = match collision {
            Some((place, problem)) if place == at => (
                format!("gives two tensors of {file} the same name: {problem}"),
                "give each its own name, with a `*` on both sides".to_string(),
            ),
            _ if is_shadowed() => (
                format!("renames nothing in {file}: earlier patterns match the same names"),
                "put it before them, or remove it".to_string(),
            ),
            _ => {
                let names: Vec<&String> = names().collect();
                let beside = self.name_beside(pattern);
                (
                    match beside {
                        Some(name) => format!(
                            "gives no tensor of {file} a name that is missing: it matches only {name}, which is not used"
                        ),
                        None => format!("matches no name in {file}"),
                    },
                    one_line(format!("its names are {}", first_of(&names))),
                )
            }
        };
        let advice = match self.proposals.first() {
            Some((_, patterns)) => self.wanted.settings.suggestion(patterns, self.rename),
            None => advice,
        };
        let settings = self.wanted.settings;
        Some(settings.wrong_rename((at, pattern), &problem, &advice))
    }

    /// The first name of the file that a pattern matches in any view.
    fn name_beside(&self, pattern: &RenamePattern) -> Option<&str> {
        let mut tensors = self.views.iter().flat_map(|view| &view.tensors);
        let found = tensors.find(|entry| pattern.apply(&entry.name).is_some())?;
        Some(found.full)
    }

    /// What to do about a view that does not fit.
    fn advice(&self, view: &View, fit: &Fit) -> String {
        let settings = self.wanted.settings;
        if let Some((_, patterns)) = self.proposals.first() {
            return settings.suggestion(patterns, self.rename);
        }
        let special = reparametrized::advice(fit, self.path);
        if let Some(advice) = special.or_else(|| single::advice(view, fit, self.wanted)) {
            return advice;
        }
        let is_auto = matches!(self.rename, Rename::Auto(_));
        let has_other_names = !fit.missing.is_empty() && !fit.unknown.is_empty();
        let without = exceptions::advice(view, fit, settings);
        if !is_auto && !has_other_names {
            let classes = classes(fit).map(|[theirs, ours]| settings.set_classes(theirs, ours));
            let steps: Vec<String> = classes.into_iter().chain(without).collect();
            return if steps.is_empty() {
                OTHER_NETWORK.into()
            } else {
                steps.join("; ")
            };
        }
        let reason = one_line(format!(
            "the layers don't match by order and shapes either: {}",
            self.proposals.reason()
        ));
        let mapped = self.but_for();
        // Where every parameter finds its weights, nothing has to stay random.
        let next = match (mapped, without) {
            (Some((mapped, true)), _) | (Some((mapped, _)), None) => mapped,
            (_, Some(without)) => without,
            (None, None) => {
                let by_hand = settings.set_rename();
                format!("{OTHER_NETWORK}, or {by_hand}")
            }
        };
        format!("{reason}; {next}")
    }

    /// How to do without the layers that stand in the way of a mapping, if there is one then, and whether all parameters of the
    /// network have weights in it.
    fn but_for(&self) -> Option<(String, bool)> {
        let settings = self.wanted.settings;
        let is_auto = matches!(self.rename, Rename::Auto(_));
        if !is_auto && !self.rename.is_empty() {
            return None;
        }
        let apart = self
            .proposals
            .but_for(self.views, self.wanted, self.saved.in_order)?;
        let left_out = apart
            .theirs
            .iter()
            .map(|name| match apart.twins.as_slice() {
                [(twin, kept)] if twin == name => {
                    format!("{name} (or instead {kept}, which has the same shapes)")
                }
                _ => name.clone(),
            });
        let left_out: Vec<String> = left_out.collect();
        let mut steps = Vec::new();
        if !left_out.is_empty() {
            steps.push(format!("leave out {}", left_out.join(", ")));
        }
        if !apart.ours.is_empty() {
            steps.push(format!("initialize {} at random", apart.ours.join(", ")));
        }
        let doubt = match apart.twins.len() {
            0 | 1 => "",
            _ => " (others have the same shapes: make sure that these are the ones)",
        };
        let patterns: Vec<String> = apart.all().cloned().collect();
        let add = if is_auto {
            settings.add_exceptions(&patterns, true)
        } else {
            settings.set_auto(&patterns)
        };
        let steps = steps.join(", ");
        let text = format!("to {steps} and map the rest{doubt}, {add}");
        Some((text, apart.ours.is_empty()))
    }
}

/// Numbers of outputs in the file and in the network, if they are all that differs: the first dimension of the last layer.
fn classes(fit: &Fit) -> Option<[usize; 2]> {
    let is_all = fit.missing.is_empty() && fit.unknown.is_empty() && fit.integers.is_empty();
    let mut sizes = fit.misfits.iter().map(Misfit::outputs);
    let first = sizes.next()??;
    (is_all && sizes.all(|size| size == Some(first))).then_some(first)
}

/// The view whose names are shown: patterns must match these. That with the most tensors that fit, then with the most names and then
/// shapes of the network, then of the dictionary that is most likely meant, then with the least taken off.
fn closest(views: &[View], fits: &[Fit], wanted: Wanted) -> Option<usize> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    for view in views {
        let next = places.len();
        places.entry(view.dictionary).or_insert(next);
    }
    (0..views.len()).max_by_key(|&at| {
        let view = &views[at];
        // The whole file has the tensors of all dictionaries.
        let is_named = view.is_usual() && !view.dictionary.is_empty();
        let place = places.get(view.dictionary).copied();
        let taken_off = (view.is_unwrapped, view.prefix.len());
        let shapes = shapes_in_common(view, wanted);
        let (applied, misfits) = (fits[at].applied.len(), fits[at].misfits.len());
        (
            applied,
            misfits,
            shapes,
            is_named,
            Reverse(place),
            Reverse(taken_off),
        )
    })
}

/// How many tensors of a view have the shapes of the network's.
fn shapes_in_common(view: &View, wanted: Wanted) -> usize {
    let mut shapes: HashMap<&[usize], usize> = HashMap::new();
    for parameter in wanted.parameters {
        *shapes.entry(&parameter.shape).or_default() += 1;
    }
    let mut common = 0;
    for entry in &view.tensors {
        if let Stored::Tensor(tensor) = entry.stored
            && let Some(left) = shapes.get_mut(tensor.shape.as_slice())
            && *left > 0
        {
            *left -= 1;
            common += 1;
        }
    }
    common
}

/// The first tensor that is wanted and can't be read; any, if none can, or one that quantization packed, which has no name of its own.
fn first_unreadable(view: &View, fit: &Fit) -> Option<(String, Unreadable)> {
    fit.unreadable.clone().or_else(|| {
        let kind = |stored: &Stored| match stored {
            Stored::Unreadable(kind) => Some(*kind),
            Stored::Tensor(_) => None,
        };
        let mut kinds = view
            .tensors
            .iter()
            .map(|entry| (&entry.name, kind(entry.stored)));
        let is_all = kinds.clone().all(|(_, kind)| kind.is_some());
        let (name, kind) = kinds
            .find(|(name, kind)| kind.is_some() && (is_all || name.contains(PACKED)))
            .and_then(|(name, kind)| Some((name, kind?)))?;
        Some((name.clone(), kind))
    })
}

/// What is wrong with a view.
fn problems(fit: &Fit) -> String {
    let unknown = fit.unknown.iter().map(|(name, renamed)| {
        if name == renamed {
            name.to_string()
        } else {
            format!("{name} (renamed to {})", shown(renamed))
        }
    });
    let unknown: Vec<String> = unknown.collect();
    let integers = fit.integers.iter();
    let integers = integers.map(|(name, holds)| format!("{name} ({holds:?})"));
    let integers: Vec<String> = integers.collect();
    let alike = fit.collisions.iter().map(|one| &one.problem);
    let alike: Vec<&String> = alike.collect();
    let kinds = [
        ("names collide after renaming: ", first_of(&alike)),
        ("shapes differ: ", first_of(&fit.misfits)),
        ("not floating-point numbers: ", first_of(&integers)),
        ("not in the file: ", first_of(&fit.missing)),
        ("not in the network: ", first_of(&unknown)),
    ];
    let found = kinds.iter().filter(|(_, names)| !names.is_empty());
    let texts = found.map(|(what, names)| format!("{what}{names}"));
    texts.collect::<Vec<_>>().join("; ")
}

/// The first of some names, and how many more there are.
fn first_of(names: &[impl std::fmt::Display]) -> String {
    let shown = names.iter().take(SHOWN).map(|name| name.to_string());
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
