//! Classes that validation or test have, but not training.

use std::collections::BTreeSet;

use super::{DataSource, Split};

/// Maximum classes that a line names.
const SHOWN: usize = 5;

/// What is wrong with a class of validation or test that is not among `known`, those of training, and what to do.
pub(super) fn problem<'a>(
    class: &str,
    split: Split,
    known: impl IntoIterator<Item = &'a String>,
) -> String {
    let lower = class.to_lowercase();
    let alike = known
        .into_iter()
        .find(|other| other.to_lowercase() == lower);
    let advice = match alike {
        Some(alike) => format!("training has {alike:?}: write both alike"),
        None => "every class needs training images: add some, or leave it out".into(),
    };
    format!(
        "class {class:?} is in {}, but not in training; {advice}",
        split.name()
    )
}

/// What a source says about itself, and a line about classes that validation or test have, but not training. A division by shares may leave
/// such classes, and so may `data.exclude`.
pub fn notes(source: &dyn DataSource) -> Vec<String> {
    let mut notes = source.notes();
    notes.extend(untrained(source));
    notes
}

fn untrained(source: &dyn DataSource) -> Option<String> {
    if source.len(Split::Train) == 0 {
        return None;
    }
    let classes = |split: Split| {
        let labels = (0..source.len(split)).map(|index| source.label(split, index));
        labels.collect::<BTreeSet<usize>>()
    };
    let trained = classes(Split::Train);
    let held_out = &classes(Split::Valid) | &classes(Split::Test);
    let missing: Vec<&str> = held_out
        .difference(&trained)
        .map(|&label| source.classes()[label].as_str())
        .collect();
    let more = match missing.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let shown = missing[..missing.len().min(SHOWN)].join(", ");
    (!missing.is_empty())
        .then(|| format!("no training images, but some of validation or test: {shown}{more}"))
}
