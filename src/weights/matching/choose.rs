//! Chooses which of a file's tensors are meant, and under which names: the first view of the file that fits the network.

use std::path::Path;

use super::fit::{Fit, Wanted, fit};
use super::proposals::Proposals;
use super::refusal::{Refused, mismatch};
use super::settings::Settings;
use super::views::{View, views};
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
}

/// Chooses the tensors of a file for a network. The error says why none fit.
pub fn choose(
    saved: &Saved,
    wanted: Wanted,
    rename: &Rename,
    path: &Path,
) -> Result<Choice, WeightsError> {
    let views = views(saved);
    if let Some((index, pattern)) = idle_exception(&views, wanted) {
        let problem = format!("matches no name in {} or the network", path.display());
        let first = wanted
            .parameters
            .first()
            .map_or("", |first| first.name.as_str());
        let advice = format!("names look like {first} (`kiln model info` lists the network's)");
        let settings = wanted.settings;
        return Err(settings.wrong_exception((index, pattern), &problem, &advice));
    }
    let patterns = rename.patterns();
    let fits = views.iter().map(|view| fit(view, wanted, patterns));
    let fits: Vec<Fit> = fits.collect();
    let complete: Vec<usize> = (0..fits.len())
        .filter(|&at| fits[at].is_complete())
        .collect();
    if let Some(&first) = complete.first() {
        let others = rivals(&views, &complete, wanted.settings);
        let others = others.map_err(|problem| mismatch(path, problem))?;
        if fits[first].applied.is_empty() {
            let problem = format!("excludes every tensor of {}", path.display());
            let advice = "exclude fewer";
            return Err(wanted.settings.wrong_exceptions(&problem, advice));
        }
        return Ok(chosen(&views[first], &fits[first], patterns, others));
    }
    let proposals = Proposals::of(&views, wanted, saved.in_order);
    if let (Rename::Auto(_), Some((first, patterns))) = (rename, proposals.first()) {
        let others = rivals(&views, &proposals.views(), wanted.settings);
        let others = others.map_err(|problem| mismatch(path, problem))?;
        let fit = fit(&views[first], wanted, patterns);
        return Ok(chosen(&views[first], &fit, patterns, others));
    }
    let refused = Refused {
        path,
        views: &views,
        fits: &fits,
        wanted,
        rename,
        proposals: &proposals,
        in_order: saved.in_order,
    };
    Err(refused.error())
}

fn chosen(view: &View, fit: &Fit, renamed: &[RenamePattern], others: Vec<String>) -> Choice {
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
        renamed: renamed.to_vec(),
    }
}

/// The first exception that matches no name, with its place.
fn idle_exception<'w>(views: &[View], wanted: Wanted<'w>) -> Option<(usize, &'w str)> {
    let mut all = wanted.except.iter().map(String::as_str).enumerate();
    all.find(|(_, pattern)| {
        let one = [pattern.to_string()];
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

/// The dictionaries besides the chosen one, the first, that fit as well; refused where nothing tells which is meant.
fn rivals(views: &[View], fitting: &[usize], settings: Settings) -> Result<Vec<String>, String> {
    let Some((&first, rest)) = fitting.split_first() else {
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
            "both `{}` and `{other}` in the file fit; to leave one out, {}",
            first.dictionary,
            settings.add_exceptions(&[format!("{other}.*")], true)
        )),
        _ => Ok(others),
    }
}
