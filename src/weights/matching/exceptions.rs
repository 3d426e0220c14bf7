//! Which patterns of `except` would leave out what doesn't fit, and nothing else.

use super::fit::Fit;
use super::settings::Settings;
use super::views::View;
use crate::models::parameters::matches;

/// How many patterns a message shows, and their length in bytes in all.
const MAX_PATTERNS: usize = 8;
const MAX_SHOWN_BYTES: usize = 300;

/// How to skip the tensors that are only in the file, only in the network, or different in both; `None` if nothing else fits.
pub fn advice(view: &View, fit: &Fit, settings: Settings) -> Option<String> {
    if fit.applied.is_empty() {
        return None;
    }
    let missing = fit.missing.iter().map(String::as_str);
    let differing = fit.misfits.iter().map(|misfit| misfit.name.as_str());
    let integers = fit.integers.iter().map(|(name, _)| name.as_str());
    let ours: Vec<&str> = missing.chain(differing).chain(integers).collect();
    let theirs: Vec<&str> = fit.unknown.iter().map(|(name, _)| *name).collect();
    let is_different = !fit.misfits.is_empty() || !fit.integers.is_empty();
    let what = match (fit.missing.is_empty(), is_different) {
        (false, false) => "what the file lacks",
        (true, _) => "what differs",
        (false, true) => "what the file lacks and what differs",
    };
    let kept = Kept::of(view, fit);
    let without = |what: String, names: &[&str]| {
        if names.is_empty() {
            return None;
        }
        let (patterns, is_all) = kept.patterns_for(names);
        (!patterns.is_empty())
            .then(|| format!("{what}, {}", settings.add_exceptions(&patterns, is_all)))
    };
    let ours = without(format!("to initialize {what} at random"), &ours);
    let theirs = without("to leave out what the network lacks".into(), &theirs);
    let both: Vec<String> = ours.into_iter().chain(theirs).collect();
    (!both.is_empty()).then(|| both.join("; "))
}

/// Names of what fits, in the network and in the file: no pattern may match them.
struct Kept(Vec<String>);

impl Kept {
    fn of(view: &View, fit: &Fit) -> Self {
        let ours = fit.applied.iter().map(|(name, _)| name.clone());
        let theirs = fit.taken.iter().flat_map(|entry| view.names(entry));
        Self(ours.chain(theirs).collect())
    }

    /// Patterns for names, as many as a message shows, and whether they match all names.
    fn patterns_for(&self, names: &[&str]) -> (Vec<String>, bool) {
        let (mut patterns, mut length): (Vec<String>, usize) = (Vec::new(), 0);
        for name in names {
            if patterns.iter().any(|pattern| matches(pattern, name)) {
                continue;
            }
            let pattern = self.pattern_for(name);
            length += pattern.len();
            if patterns.len() == MAX_PATTERNS || length > MAX_SHOWN_BYTES {
                return (patterns, false);
            }
            patterns.push(pattern);
        }
        (patterns, true)
    }

    /// The widest pattern for a name that matches nothing else that fits: `fc.*`, or else the name itself.
    fn pattern_for(&self, name: &str) -> String {
        // A line break can't be typed.
        let name = name.replace(char::is_control, "*");
        let dots = name.match_indices('.');
        let mut patterns = dots.map(|(dot, _)| format!("{}.*", &name[..dot]));
        let is_free = |pattern: &String| !self.0.iter().any(|kept| matches(pattern, kept));
        patterns.find(is_free).unwrap_or(name)
    }
}
