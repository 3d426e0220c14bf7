//! Mappings by the order and shapes of layers, for each view of a file.

use super::fit::{Wanted, fit};
use super::propose::{NoMapping, propose};
use super::views::View;
use crate::config::RenamePattern;

/// The views that have a mapping, and why the others have none.
pub struct Proposals {
    /// Views and patterns, the best first.
    found: Vec<(usize, Vec<RenamePattern>)>,
    /// Why the view that comes closest has none.
    reason: String,
}

impl Proposals {
    /// The mappings of all views.
    pub fn of(views: &[View], wanted: Wanted, in_order: bool) -> Self {
        let (mut found, mut reasons) = (Vec::new(), Vec::new());
        for (at, view) in views.iter().enumerate() {
            match propose(view, wanted, in_order) {
                Ok(patterns) if fit(view, wanted, &patterns).is_complete() => {
                    found.push((at, patterns));
                }
                Ok(_) => {}
                Err(reason) => reasons.push(reason),
            }
        }
        // Of views of the same tensors, the one with the shortest names; among equals the first, which is the most usual.
        let length = |patterns: &[RenamePattern]| -> usize {
            patterns.iter().map(|pattern| pattern.from.len()).sum()
        };
        found.sort_by_key(|(_, patterns)| length(patterns));
        // A view with another number of layers is further away than one with other layers.
        let is_close = |reason: &&NoMapping| matches!(reason, NoMapping::Layers(_));
        let closest = reasons.iter().find(is_close).or(reasons.first());
        let reason = closest.map(|reason| reason.to_string());
        Self {
            found,
            reason: reason.unwrap_or_default(),
        }
    }

    /// The best view and its patterns.
    pub fn first(&self) -> Option<(usize, &[RenamePattern])> {
        let (view, patterns) = self.found.first()?;
        Some((*view, patterns))
    }

    /// All views with a mapping, the best first.
    pub fn views(&self) -> Vec<usize> {
        self.found.iter().map(|(view, _)| *view).collect()
    }

    /// Why there is none.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}
