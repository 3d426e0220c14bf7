//! The samples of all splits in one list.

use std::collections::HashSet;

use serde::Serialize;

use crate::data::{DataSource, Split};

/// A sample of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// Its name, as lists of samples use it.
    pub name: String,
    /// Its split.
    pub split: Split,
    /// Its index within the split.
    pub index: usize,
    /// The name of its class.
    pub class: String,
    /// The index of its class.
    #[serde(skip)]
    pub label: usize,
}

/// All samples of a source, split by split; those that a mix repeats once.
pub(super) fn all(source: &dyn DataSource) -> Vec<Sample> {
    let mut seen = HashSet::new();
    let mut samples = Vec::new();
    for split in Split::ALL {
        for index in 0..source.len(split) {
            let name = source.name(split, index).into_owned();
            if !seen.insert(name.clone()) {
                continue;
            }
            let label = source.label(split, index);
            samples.push(Sample {
                name,
                split,
                index,
                class: source.classes()[label].clone(),
                label,
            });
        }
    }
    samples
}
