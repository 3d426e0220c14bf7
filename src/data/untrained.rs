//! Classes without samples: in training alone, or in all splits.

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
        Some(alike) => format!("training has {alike:?}: use the same spelling for both"),
        None => "every class needs training images: add some, or leave it out".into(),
    };
    format!(
        "class {class:?} is in {}, but not in training; {advice}",
        split.name()
    )
}

/// What a source says about itself, and lines about classes that validation or test have, but not training, and about those that no split
/// has. A division by shares may leave such classes, and so may `data.exclude`, images that are skipped, and lists of classes.
pub fn notes(source: &dyn DataSource) -> Vec<String> {
    let [train, valid, test] = Split::ALL.map(|split| {
        let labels = (0..source.len(split)).map(|index| source.label(split, index));
        labels.collect::<BTreeSet<usize>>()
    });
    let held_out = &valid | &test;
    let all: BTreeSet<usize> = (0..source.classes().len()).collect();
    let mut notes = source.notes();
    if !train.is_empty() {
        let names = named(source, &held_out - &train);
        notes.extend(
            names.map(|n| format!("no training images, but some in validation or test: {n}")),
        );
    }
    let used = &train | &held_out;
    if !used.is_empty() {
        let names = named(source, &all - &used);
        notes.extend(names.map(|names| format!("no images in any split: {names}")));
    }
    notes
}

/// The names of some classes, the first ones if there are many; `None` of none.
fn named(source: &dyn DataSource, labels: BTreeSet<usize>) -> Option<String> {
    let shown: Vec<&str> = labels
        .iter()
        .take(SHOWN)
        .map(|&label| source.classes()[label].as_str())
        .collect();
    let more = match labels.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!shown.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
}
