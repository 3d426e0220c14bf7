//! Chooses which of a file's tensors are meant, and under which names: the first view of the file that fits the network.

use std::path::Path;

use super::fit::{Fit, Wanted, fit};
use super::propose::propose;
use super::views::{View, views};
use crate::config::{Rename, RenamePattern};
use crate::error::{FileError, one_line};
use crate::models::parameters::matches;
use crate::weights::formats::foreign::unreadable;
use crate::weights::formats::read::foreign_error;
use crate::weights::formats::saved::{Saved, Stored, Unreadable};
use crate::weights::formats::tensor::FileTensor;

/// How many names an error lists.
const SHOWN: usize = 3;

/// Maximum length of a mapping that an error shows.
const MAX_SHOWN_BYTES: usize = 2000;

/// What a file has for a network.
#[derive(Debug)]
pub struct Choice {
    /// Names of the network and the tensors for them.
    pub tensors: Vec<(String, FileTensor)>,
    /// Excepted names of the network, and of the file.
    pub fresh: Vec<String>,
    pub unused: Vec<String>,
    /// The dictionary that they are in; empty for the whole file.
    pub dictionary: String,
    /// Other dictionaries that would fit as well.
    pub others: Vec<String>,
    /// What was taken off all names.
    pub prefix: String,
    /// Whether wrappers were taken out of names.
    pub is_unwrapped: bool,
    /// Names beside those with the prefix.
    pub outside: Vec<String>,
    /// The patterns that renamed them.
    pub renamed: Vec<RenamePattern>,
}

/// Chooses the tensors of a file for a network. The error says why none fit.
pub fn choose(
    saved: &Saved,
    wanted: Wanted,
    rename: &Rename,
    path: &Path,
) -> Result<Choice, FileError> {
    let views = views(saved);
    let mismatch =
        |problem: String| FileError::new(path, format!("does not match the network: {problem}"));
    if let Some(pattern) = idle_exception(&views, wanted) {
        return Err(mismatch(format!(
            "`init.except` has {pattern:?}, which matches no name in the file or the network"
        )));
    }
    let patterns = rename.patterns();
    let fits: Vec<Fit> = views
        .iter()
        .map(|view| fit(view, wanted, patterns))
        .collect();
    let complete: Vec<usize> = (0..fits.len())
        .filter(|&at| fits[at].is_complete())
        .collect();
    if let Some(&first) = complete.first() {
        let others = rivals(&views, &complete).map_err(mismatch)?;
        let choice = chosen(&views[first], &fits[first], patterns.to_vec(), others);
        return if choice.tensors.is_empty() {
            Err(mismatch("init.except excludes every tensor".into()))
        } else {
            Ok(choice)
        };
    }
    let proposals = Proposals::of(&views, wanted, saved.in_order);
    if let (Rename::Auto(_), Some((at, patterns))) = (rename, &proposals.first) {
        let view = &views[*at];
        let fit = fit(view, wanted, patterns);
        if fit.is_complete() {
            return Ok(chosen(view, &fit, patterns.clone(), Vec::new()));
        }
    }
    // The first of the best, so that a file without any known name is described as it is.
    let best = (0..fits.len())
        .rev()
        .max_by_key(|&at| fits[at].applied.len());
    let Some(best) = best else {
        return Err(mismatch("it contains no tensors".into()));
    };
    if let Some((name, kind)) = first_unreadable(&views[best], &fits[best]) {
        return Err(foreign_error(path, unreadable(kind, &name, path)));
    }
    let (problem, advice) = describe(&fits[best], rename, &proposals);
    Err(mismatch(problem).advise(advice))
}

fn chosen(view: &View, fit: &Fit, renamed: Vec<RenamePattern>, others: Vec<String>) -> Choice {
    let tensors = fit.applied.iter();
    Choice {
        tensors: tensors
            .map(|(name, tensor)| (name.clone(), (*tensor).clone()))
            .collect(),
        fresh: fit.fresh.clone(),
        unused: fit.unused.clone(),
        dictionary: view.dictionary.to_string(),
        others,
        prefix: view.prefix.clone(),
        is_unwrapped: view.is_unwrapped,
        outside: view.outside.clone(),
        renamed,
    }
}

/// The first tensor that is wanted and can't be read; any, if none can.
fn first_unreadable(view: &View, fit: &Fit) -> Option<(String, Unreadable)> {
    fit.unreadable.clone().or_else(|| {
        let mut kinds = view.tensors.iter().map(|(name, stored)| match stored {
            Stored::Unreadable(kind) => Some((name, *kind)),
            Stored::Tensor(_) => None,
        });
        let (name, kind) = kinds.next()??;
        kinds
            .all(|kind| kind.is_some())
            .then(|| (name.clone(), kind))
    })
}

/// The first exception that matches no name.
fn idle_exception<'w>(views: &[View], wanted: Wanted<'w>) -> Option<&'w String> {
    wanted.except.iter().find(|pattern| {
        let one = [String::clone(pattern)];
        let only = Wanted {
            except: &one,
            ..wanted
        };
        let mut ours = wanted.parameters.iter();
        !ours.any(|parameter| matches(pattern, &parameter.name))
            && !views.iter().any(|view| {
                let mut names = view.tensors.iter();
                names.any(|(name, _)| only.excepts_any(view, name, name))
            })
    })
}

/// The dictionaries besides the chosen one that fit as well; refused where nothing tells which is meant.
fn rivals(views: &[View], complete: &[usize]) -> Result<Vec<String>, String> {
    let Some((&first, rest)) = complete.split_first() else {
        return Ok(Vec::new());
    };
    let first = &views[first];
    let mut others: Vec<String> = Vec::new();
    for &at in rest {
        let name = views[at].dictionary;
        // What lies in one another is the same tensors.
        let is_within =
            |a: &str, b: &str| b.is_empty() || a == b || a.starts_with(&format!("{b}."));
        let is_same = is_within(name, first.dictionary) || is_within(first.dictionary, name);
        if !is_same && !others.iter().any(|other| other == name) {
            others.push(name.to_string());
        }
    }
    match others.first() {
        Some(other) if !first.is_usual() => Err(format!(
            "both `{}` and `{other}` in the file fit; leave one out with `init.except`, as in [\"{other}.*\"]",
            first.dictionary
        )),
        _ => Ok(others),
    }
}

/// Mappings by the order and shapes of layers.
struct Proposals {
    /// The first view with a mapping, and the patterns.
    first: Option<(usize, Vec<RenamePattern>)>,
    /// Why the first view with as many layers, or else the first, has none.
    reason: String,
}

impl Proposals {
    fn of(views: &[View], wanted: Wanted, in_order: bool) -> Self {
        let mut reasons = Vec::new();
        for (at, view) in views.iter().enumerate() {
            match propose(view, wanted, in_order) {
                Ok(patterns) if fit(view, wanted, &patterns).is_complete() => {
                    return Self {
                        first: Some((at, patterns)),
                        reason: String::new(),
                    };
                }
                Ok(_) => {}
                Err(reason) => reasons.push(reason),
            }
        }
        // A reason other than the number of layers is about the view that comes closest.
        let closest = reasons
            .iter()
            .position(|reason| !reason.contains(" with parameters and the network "));
        Self {
            first: None,
            reason: reasons
                .into_iter()
                .nth(closest.unwrap_or(0))
                .unwrap_or_default(),
        }
    }
}

/// What is wrong with the closest view, and what to do.
fn describe(fit: &Fit, rename: &Rename, proposals: &Proposals) -> (String, String) {
    let idle: Vec<String> = fit
        .idle
        .iter()
        .map(|pattern| format!("{pattern:?}"))
        .collect();
    let problems: Vec<String> = [
        (
            "`init.rename` has patterns that are the first match of no name in the file: ",
            &idle,
        ),
        ("`init.rename` gives names twice: ", &fit.collisions),
        ("shapes differ: ", &fit.misfits),
        ("not floating-point numbers: ", &fit.integers),
        ("not in the file: ", &fit.missing),
        ("not in the network: ", &fit.unknown),
    ]
    .iter()
    .filter(|(_, names)| !names.is_empty())
    .map(|(what, names)| format!("{what}{}", first_of(names)))
    .collect();
    let except = "to train anyway, list the parameters to initialize randomly in `init.except`, such as \"classifier.*\"";
    let reason = one_line(format!(
        "the layers don't match by order and shapes either: {}",
        proposals.reason
    ));
    let has_other_names = !fit.missing.is_empty() && !fit.unknown.is_empty();
    let advice = match &proposals.first {
        Some((_, patterns)) => suggestion(patterns),
        None if matches!(rename, Rename::Auto(_)) => reason,
        None if has_other_names => format!("{reason}; {except}"),
        None => except.to_string(),
    };
    (problems.join("; "), advice)
}

/// A mapping, ready to be pasted.
fn suggestion(patterns: &[RenamePattern]) -> String {
    let json = serde_json::to_string(patterns).unwrap_or_default();
    let is_short = json.len() <= MAX_SHOWN_BYTES && !json.contains(char::is_control);
    let shown = if is_short {
        format!("\"rename\": {json}")
    } else {
        format!("{} patterns", patterns.len())
    };
    format!(
        "by the order and shapes of the layers, this fits: {shown} (in `init`; \"rename\": \"auto\" or --rename auto takes it)"
    )
}

/// The first of some names, and how many more there are.
fn first_of(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
