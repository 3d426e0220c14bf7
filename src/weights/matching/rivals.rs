//! Whether the tensors that fit are the only ones: a file may have a network twice, as a student and a teacher.

use std::collections::HashMap;

use super::fit::Fit;
use super::settings::Settings;
use super::views::View;

/// A view and how it fits.
pub type Candidate<'c> = (&'c View<'c>, &'c Fit<'c>);

/// The dictionaries besides that of the chosen candidate that fit as well; refused where nothing tells which is meant: where two
/// prefixes fit, or names with and without a prefix, or two dictionaries of which the first is not a usual one.
pub fn rivals(
    (view, fit): Candidate,
    candidates: &[Candidate],
    settings: Settings,
) -> Result<Vec<String>, String> {
    let mut others: Vec<String> = Vec::new();
    for &(other, other_fit) in candidates {
        let is_around = view.path().starts_with(&other.path());
        let fits = other_fit.is_complete() || (is_around && other_fit.has_all());
        if !fits || !differ(fit, other_fit) {
            continue;
        }
        if is_around || other.dictionary == view.dictionary || !view.is_usual() {
            return Err(ambiguous(view, other, settings));
        }
        if !others.iter().any(|name| name == other.dictionary) {
            others.push(other.dictionary.to_string());
        }
    }
    Ok(others)
}

/// Whether two candidates have other numbers for the same parameter.
fn differ(a: &Fit, b: &Fit) -> bool {
    let of_a: HashMap<&str, _> = a
        .applied
        .iter()
        .map(|(name, t)| (name.as_str(), *t))
        .collect();
    let mut of_b = b.applied.iter();
    of_b.any(|(name, tensor)| {
        let same = of_a.get(name.as_str());
        same.is_some_and(|same| !same.is_same(tensor))
    })
}

fn ambiguous(first: &View, second: &View, settings: Settings) -> String {
    let shown = |view: &View| match view.path().trim_end_matches('.') {
        "" => "the names without a prefix".to_string(),
        _ if view.prefix.is_empty() => format!("`{}`", view.dictionary),
        path => format!("`{path}.`"),
    };
    // What lies within the other can be left out alone.
    let is_within = first.path().starts_with(&second.path());
    let left_out = if is_within { first } else { second };
    let pattern = format!("{}*", left_out.path());
    format!(
        "both {} and {} in the file fit; to leave one out, {}",
        shown(first),
        shown(second),
        settings.add_exceptions(&[pattern], true)
    )
}
