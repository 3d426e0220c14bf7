//! Mappings by the order and shapes of layers, for each view of a file.

use super::apart::Apart;
use super::propose::{NoMapping, propose};
use crate::config::RenamePattern;
use crate::weights::matching::fit::{Wanted, fit};
use crate::weights::matching::views::View;

/// Maximum length in bytes of a layer's name that advice shows.
const MAX_SHOWN_BYTES: usize = 150;

/// In how many views it is tried whether there is a mapping without some layers.
const MAX_TRIED: usize = 4;

/// The views that have a mapping, and why the others have none.
pub struct Proposals {
    /// Views and patterns, the best first.
    found: Vec<(usize, Vec<RenamePattern>)>,
    /// Why the view that comes closest has none.
    obstacle: Option<String>,
    /// The layers that stand in the way in the views without a mapping, those of the closest one first.
    apart: Vec<Apart>,
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
        found.sort_by_key(|(at, patterns)| (views[*at].needs_exceptions, length(patterns)));
        // A view with another number of layers is further away than one with other layers.
        reasons.sort_by_key(|reason: &NoMapping| !reason.is_count_equal);
        let obstacle = reasons.first().map(|closest| closest.reason.clone());
        let mut apart: Vec<Apart> = reasons.into_iter().map(|reason| reason.apart).collect();
        apart.truncate(MAX_TRIED);
        Self {
            found,
            obstacle,
            apart,
        }
    }

    /// The best view and its patterns.
    pub fn first(&self) -> Option<(usize, &[RenamePattern])> {
        let (view, patterns) = self.found.first()?;
        Some((*view, patterns))
    }

    /// All views with a mapping, the best first.
    pub fn all(&self) -> impl Iterator<Item = (usize, &[RenamePattern])> {
        self.found
            .iter()
            .map(|(at, patterns)| (*at, patterns.as_slice()))
    }

    /// Why there is none.
    pub fn reason(&self) -> &str {
        self.obstacle.as_deref().unwrap_or_default()
    }

    /// The layers without which there would be a mapping, if they are few.
    pub fn but_for(&self, views: &[View], wanted: Wanted, in_order: bool) -> Option<Apart> {
        let mut apart = self.apart.iter().filter(|apart| {
            let can_show =
                |name: &String| name.len() <= MAX_SHOWN_BYTES && !name.contains(char::is_control);
            apart.all().next().is_some() && apart.all().all(can_show)
        });
        let found = apart.find(|apart| {
            let except: Vec<String> = wanted.except.iter().chain(apart.all()).cloned().collect();
            let wanted = Wanted {
                except: &except,
                ..wanted
            };
            Self::of(views, wanted, in_order).first().is_some()
        });
        found.cloned()
    }
}
