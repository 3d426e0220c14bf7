//! Chooses which of a file's tensors are meant, and under which names: the first view of the file that fits the network.

use std::collections::HashSet;
use std::path::Path;

use super::fit::{Fit, Wanted, fit};
use super::mapping::Proposals;
use super::refusal::{Refused, mismatch};
use super::rivals::{Candidate, rivals};
use super::views::{Entry, View, ends, views};
use crate::config::{Rename, RenamePattern};
use crate::models::parameters::matches;
use crate::weights::error::WeightsError;
use crate::weights::formats::saved::Saved;
use crate::weights::formats::tensor::FileTensor;

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
    /// Names of the network whose tensors are transposed in the file.
    pub transposed: Vec<String>,
}

/// Chooses the tensors of a file for a network. The error says why none fit.
pub fn choose(
    saved: &Saved,
    wanted: Wanted,
    rename: &Rename,
    path: &Path,
) -> Result<Choice, WeightsError> {
    let is_excepted = |view: &View, tensor: &Entry| wanted.excepts_any(view, tensor, &tensor.name);
    let views = views(saved, &is_excepted);
    if let Some(at) = idle_exception(&views, wanted) {
        let problem = format!("matches no name in {} or the network", path.display());
        return Err(idle(wanted, at, &problem));
    }
    let chosen = Chosen {
        saved,
        wanted,
        path,
    };
    let patterns = rename.patterns();
    let fits = views.iter().map(|view| fit(view, wanted, patterns));
    let fits: Vec<Fit> = fits.collect();
    let is_complete = |at: &usize| fits[*at].is_complete();
    let complete: Vec<usize> = (0..fits.len()).filter(is_complete).collect();
    let mut applied = complete.iter().filter(|&&at| !fits[at].applied.is_empty());
    if let Some(&first) = applied.next() {
        let candidates: Vec<Candidate> = views.iter().zip(&fits).collect();
        return chosen.choice(candidates[first], &candidates, patterns);
    }
    if !complete.is_empty() && fits.iter().all(|fit| fit.applied.is_empty()) {
        let problem = format!("excludes every tensor of {}", path.display());
        return Err(wanted.settings.wrong_exceptions(&problem, "exclude fewer"));
    }
    let proposals = Proposals::of(&views, wanted, saved.in_order);
    if let (Rename::Auto(_), Some((_, patterns))) = (rename, proposals.first()) {
        let mapped: Vec<(&View, Fit)> = proposals
            .all()
            .map(|(at, patterns)| (&views[at], fit(&views[at], wanted, patterns)))
            .collect();
        let candidates: Vec<Candidate> = mapped.iter().map(|(view, fit)| (*view, fit)).collect();
        if let Some(&first) = candidates.first() {
            return chosen.choice(first, &candidates, patterns);
        }
    }
    let refused = Refused {
        path,
        views: &views,
        fits: &fits,
        wanted,
        rename,
        proposals: &proposals,
        saved,
    };
    Err(refused.error())
}

/// What a view is chosen of, and for.
struct Chosen<'c> {
    saved: &'c Saved,
    wanted: Wanted<'c>,
    path: &'c Path,
}

impl Chosen<'_> {
    /// A view that fits, unless others fit as well and nothing tells which is meant, or an exception leaves out nothing there.
    fn choice(
        &self,
        (view, fit): Candidate,
        candidates: &[Candidate],
        renamed: &[RenamePattern],
    ) -> Result<Choice, WeightsError> {
        let others = rivals((view, fit), candidates, self.wanted.settings);
        let others = others.map_err(|problem| mismatch(self.path, problem))?;
        if let Some(at) = self.idle_exception(view) {
            let path = self.path.display();
            let problem =
                format!("matches no name of the network or of what is left out in {path}");
            return Err(idle(self.wanted, at, &problem));
        }
        let outside = view.outside.iter();
        let outside = outside.filter(|entry| !fit.joined.contains(&entry.full));
        let applied = fit.applied.iter().zip(&fit.taken);
        let transposed = applied.filter(|(_, entry)| self.saved.transposed.contains(entry.full));
        Ok(Choice {
            tensors: fit
                .applied
                .iter()
                .map(|(name, tensor)| (name.clone(), (*tensor).clone()))
                .collect(),
            fresh: fit.fresh.clone(),
            unused: fit.unused.clone(),
            dictionary: view.dictionary.to_string(),
            others,
            prefix: view.prefix.clone(),
            is_unwrapped: view.is_unwrapped,
            outside: outside.map(|entry| entry.name.clone()).collect(),
            renamed: renamed.to_vec(),
            transposed: transposed.map(|((name, _), _)| name.clone()).collect(),
        })
    }

    /// The first exception that changes nothing if a view is taken: it matches none of its tensors, none of the network's, and
    /// nothing in the rest of the file.
    fn idle_exception(&self, view: &View) -> Option<usize> {
        if self.wanted.except.is_empty() {
            return None;
        }
        let inside: HashSet<&str> = view.tensors.iter().map(|entry| entry.full).collect();
        let outside = self.saved.tensors.iter().map(|(name, _)| name.as_str());
        let outside: Vec<&str> = outside.filter(|name| !inside.contains(name)).collect();
        first_idle(self.wanted, |pattern| {
            let one = [pattern.to_string()];
            let only = Wanted {
                except: &one,
                ..self.wanted
            };
            let mut of_view = view.tensors.iter();
            let mut others = outside.iter().flat_map(|name| ends(name));
            of_view.any(|entry| only.excepts_any(view, entry, &entry.name))
                || others.any(|name| matches(pattern, name))
        })
    }
}

/// The error of the exception at a place, which leaves out nothing.
fn idle(wanted: Wanted, at: usize, problem: &str) -> WeightsError {
    let pattern = wanted.except.get(at).map_or("", String::as_str);
    let first = wanted.parameters.first();
    let first = first.map_or("", |first| first.name.as_str());
    let advice = format!("names look like {first} (`kiln model info` lists the network's)");
    let settings = wanted.settings;
    settings.wrong_exception((at, pattern), problem, &advice)
}

/// The place of the first exception that matches no name, in any view or in the network.
fn idle_exception(views: &[View], wanted: Wanted) -> Option<usize> {
    first_idle(wanted, |pattern| {
        let one = [pattern.to_string()];
        let only = Wanted {
            except: &one,
            ..wanted
        };
        views.iter().any(|view| {
            let mut tensors = view.tensors.iter();
            tensors.any(|entry| only.excepts_any(view, entry, &entry.name))
        })
    })
}

/// The place of the first exception that matches no parameter of the network, and nothing of the file.
fn first_idle(wanted: Wanted, is_in_file: impl Fn(&str) -> bool) -> Option<usize> {
    let is_ours = |pattern: &str| {
        let mut ours = wanted.parameters.iter();
        ours.any(|parameter| matches(pattern, &parameter.name))
    };
    let mut all = wanted.except.iter();
    all.position(|pattern| !is_ours(pattern) && !is_in_file(pattern))
}
