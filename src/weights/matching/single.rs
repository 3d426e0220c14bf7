//! Single tensors that have other names in the file than in the network, told by their shapes: exporters rename some.

use std::collections::HashMap;

use super::fit::{Fit, Wanted};
use super::settings::Settings;
use super::views::View;
use crate::config::RenamePattern;
use crate::weights::formats::saved::Stored;

/// Most tensors that advice maps one by one.
const MAX_TENSORS: usize = 4;

/// How to map the tensors that are missing to those of other names, if nothing else is in the way and their shapes tell which is
/// which.
pub fn advice(view: &View, fit: &Fit, wanted: Wanted) -> Option<String> {
    let counts = (fit.missing.len(), fit.unknown.len());
    let is_rest = fit.misfits.is_empty() && fit.integers.is_empty() && fit.collisions.is_empty();
    if counts.0 != counts.1 || counts.0 > MAX_TENSORS || !is_rest || fit.applied.is_empty() {
        return None;
    }
    let mut theirs: HashMap<&[usize], &str> = HashMap::new();
    for (name, renamed) in &fit.unknown {
        let entry = view.tensors.iter().find(|entry| entry.name == *name)?;
        let Stored::Tensor(tensor) = entry.stored else {
            return None;
        };
        let is_first = theirs.insert(&tensor.shape, name).is_none();
        if !is_first || name != renamed {
            return None;
        }
    }
    let ours = wanted
        .parameters
        .iter()
        .filter(|parameter| fit.missing.contains(&parameter.name));
    let patterns = ours.map(|parameter| {
        let from = theirs.remove(parameter.shape.as_slice())?;
        Some(RenamePattern {
            from: from.to_string(),
            to: parameter.name.clone(),
        })
    });
    let patterns: Vec<RenamePattern> = patterns.collect::<Option<_>>()?;
    let settings: Settings = wanted.settings;
    let add = settings.add_rename(&patterns)?;
    Some(format!(
        "of the other tensors, these fit by their shapes: {add}"
    ))
}
