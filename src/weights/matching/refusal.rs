//! Why the tensors of a file don't fit a network, and what to do, in one line.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::Path;

use super::fit::{Fit, Wanted};
use super::proposals::Proposals;
use super::settings::Settings;
use super::views::View;
use crate::config::Rename;
use crate::error::{FileError, one_line};
use crate::weights::formats::foreign::unreadable;
use crate::weights::formats::read::foreign_error;
use crate::weights::formats::saved::{Stored, Unreadable};

/// How many names an error lists.
const SHOWN: usize = 3;

/// The error for a file that does not fit.
pub fn mismatch(path: &Path, problem: String) -> FileError {
    FileError::new(path, format!("does not match the network: {problem}"))
}

/// The error for a file of which no view fits.
pub fn refusal(
    path: &Path,
    (views, fits): (&[View], &[Fit]),
    wanted: Wanted,
    rename: &Rename,
    proposals: &Proposals,
) -> FileError {
    let most = fits.iter().map(|fit| fit.applied.len()).max().unwrap_or(0);
    let best = match proposals.first() {
        Some((view, _)) if most == 0 => Some(view),
        _ => closest(views, fits, wanted),
    };
    let Some((view, fit)) = best.and_then(|at| views.get(at).zip(fits.get(at))) else {
        return mismatch(path, "it contains no tensors".into());
    };
    match first_unreadable(view, fit) {
        Some((name, kind)) => foreign_error(path, unreadable(kind, &name, path)),
        None => {
            let settings = wanted.settings;
            mismatch(path, problems(fit, settings)).advise(advice(fit, settings, rename, proposals))
        }
    }
}

/// The view whose names are shown: patterns must match these. That with the most tensors that fit, then with the most shapes of
/// the network, then of the dictionary that is most likely meant, then with the least taken off.
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
        let applied = fits[at].applied.len();
        (
            applied,
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
    for (_, stored) in &view.tensors {
        if let Stored::Tensor(tensor) = stored
            && let Some(left) = shapes.get_mut(tensor.shape.as_slice())
            && *left > 0
        {
            *left -= 1;
            common += 1;
        }
    }
    common
}

/// The first tensor that is wanted and can't be read; any, if none can.
fn first_unreadable(view: &View, fit: &Fit) -> Option<(String, Unreadable)> {
    fit.unreadable.clone().or_else(|| {
        let mut kinds = view.tensors.iter().map(|(name, stored)| match stored {
            Stored::Unreadable(kind) => Some((name, *kind)),
            Stored::Tensor(_) => None,
        });
        let (name, kind) = kinds.next()??;
        let is_all = kinds.all(|kind| kind.is_some());
        is_all.then(|| (name.clone(), kind))
    })
}

/// What is wrong with a view.
fn problems(fit: &Fit, settings: Settings) -> String {
    let idle = fit.idle.iter().map(|pattern| format!("{pattern:?}"));
    let idle: Vec<String> = idle.collect();
    let rename = settings.rename();
    let without_match = format!("{rename} has patterns that rename nothing in the file: ");
    let twice = format!("{rename} maps several tensors to one name: ");
    let kinds: [(&str, &[String]); 6] = [
        (&without_match, &idle),
        (&twice, &fit.collisions),
        ("shapes differ: ", &fit.misfits),
        ("not floating-point numbers: ", &fit.integers),
        ("not in the file: ", &fit.missing),
        ("not in the network: ", &fit.unknown),
    ];
    let found = kinds.iter().filter(|(_, names)| !names.is_empty());
    let texts = found.map(|(what, names)| format!("{what}{}", first_of(names)));
    texts.collect::<Vec<_>>().join("; ")
}

fn advice(fit: &Fit, settings: Settings, rename: &Rename, proposals: &Proposals) -> String {
    let reason = || {
        one_line(format!(
            "the layers don't match by order and shapes either: {}",
            proposals.reason()
        ))
    };
    let has_other_names = !fit.missing.is_empty() && !fit.unknown.is_empty();
    match proposals.first() {
        Some((_, patterns)) => settings.suggestion(patterns),
        None if matches!(rename, Rename::Auto(_)) => reason(),
        None if has_other_names => format!("{}; {}", reason(), settings.advice()),
        None => settings.advice(),
    }
}

/// The first of some names, and how many more there are.
fn first_of(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
