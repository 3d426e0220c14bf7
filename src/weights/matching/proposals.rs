//! Mappings by the order and shapes of layers, for each view of a file.

use super::fit::{Wanted, fit};
use super::propose::{Apart, NoMapping, propose};
use super::views::View;
use crate::config::RenamePattern;

/// Maximum length in bytes of a layer's name that advice shows.
const MAX_SHOWN_BYTES: usize = 150;

/// The views that have a mapping, and why the others have none.
pub struct Proposals {
    /// Views and patterns, the best first.
    found: Vec<(usize, Vec<RenamePattern>)>,
    /// Why the view that comes closest has none.
    obstacle: Option<NoMapping>,
}

impl Proposals {
    /// The mappings of all views.
    pub fn of(views: &[View], wanted: Wanted, in_order: bool) -> Self {
        let (mut found, mut reasons) = (Vec::new(), Vec::new());
        for (at, view) in views.iter().enumerate() {
            match propose(view, wanted, in_order) {
                Ok(patterns) => {
                    let fit = fit(view, wanted, &patterns);
                    if fit.is_complete() && !fit.applied.is_empty() {
                        found.push((at, patterns));
                    }
                }
                Err(reason) => reasons.push(reason),
            }
        }
        // Of views of the same tensors, the one with the shortest names; among equals the first, which is the most usual.
        let length = |patterns: &[RenamePattern]| -> usize {
            patterns.iter().map(|pattern| pattern.from.len()).sum()
        };
        found.sort_by_key(|(_, patterns)| length(patterns));
        // A view with another number of layers is further away than one with other layers.
        let closest = reasons.iter().position(|reason| reason.is_count_equal);
        let obstacle = (!reasons.is_empty()).then(|| reasons.swap_remove(closest.unwrap_or(0)));
        Self { found, obstacle }
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
        let reason = self.obstacle.as_ref().map(|obstacle| &*obstacle.reason);
        reason.unwrap_or_default()
    }

    /// The layers without which there would be a mapping, if it takes no more than those that the reason names.
    pub fn but_for(&self, views: &[View], wanted: Wanted, in_order: bool) -> Option<Apart> {
        let apart = &self.obstacle.as_ref()?.apart;
        let more = || apart.theirs.iter().chain(&apart.ours);
        let can_show =
            |name: &String| name.len() <= MAX_SHOWN_BYTES && !name.contains(char::is_control);
        if !more().all(can_show) {
            return None;
        }
        let except: Vec<String> = wanted.except.iter().chain(more()).cloned().collect();
        let wanted = Wanted {
            except: &except,
            ..wanted
        };
        let is_enough = Self::of(views, wanted, in_order).first().is_some();
        is_enough.then(|| apart.clone())
    }
}
