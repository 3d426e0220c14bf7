//! Exact and near duplicates as one list.

use std::collections::BTreeMap;

use super::near::{self, Candidate};
use crate::data::DataSource;
use crate::data_check::error::CheckError;
use crate::data_check::findings::{Duplicate, Likeness};
use crate::data_check::samples::Sample;
use crate::data_check::scan::Scanned;
use crate::progress::Monitor;

/// What is found, and which samples belong together.
pub struct Duplicates {
    /// Sorted: with different classes first, then across splits, then by likeness.
    pub list: Vec<Duplicate>,
    /// For each sample the place of the first one of its group, which is its own if there is no other.
    pub groups: Vec<usize>,
}

/// Finds the images that occur more than once. Blank ones are not among the near duplicates: they show nothing that could be compared.
pub fn find(
    source: &dyn DataSource,
    samples: &[Sample],
    scanned: &[Result<Scanned, String>],
    monitor: &Monitor,
) -> Result<Duplicates, CheckError> {
    let mut groups: Vec<usize> = (0..samples.len()).collect();
    let mut by_content: BTreeMap<[u8; 32], Vec<usize>> = BTreeMap::new();
    for (place, scanned) in scanned.iter().enumerate() {
        if let Ok(scanned) = scanned {
            by_content.entry(scanned.content).or_default().push(place);
        }
    }
    let mut list = Vec::new();
    let mut firsts = Vec::new();
    for places in by_content.values() {
        firsts.push(places[0]);
        if places.len() > 1 {
            list.push(duplicate(samples, places, Likeness::Exact, 1.0));
            for &place in places {
                groups[place] = places[0];
            }
        }
    }
    firsts.sort_unstable();
    let candidates = candidates(samples, scanned, &firsts);
    for pair in near::find(source, &candidates, monitor)? {
        let correlation = f64::from(pair.correlation.min(1.0));
        list.push(duplicate(
            samples,
            &pair.places,
            Likeness::Near,
            correlation,
        ));
        let [a, b] = pair.places.map(|place| first_of(&groups, place));
        groups[a.max(b)] = a.min(b);
    }
    for place in 0..groups.len() {
        // Those before it name the first of their groups already.
        groups[place] = groups[groups[place]];
    }
    list.sort_by(|a, b| {
        (b.different_classes, b.across_splits)
            .cmp(&(a.different_classes, a.across_splits))
            .then_with(|| b.correlation.total_cmp(&a.correlation))
            .then_with(|| a.samples[0].name.cmp(&b.samples[0].name))
    });
    Ok(Duplicates { list, groups })
}

/// The first sample of a group, where each names one before it or itself.
fn first_of(groups: &[usize], mut place: usize) -> usize {
    while groups[place] != place {
        place = groups[place];
    }
    place
}

/// Of exact copies, one is compared with the others.
fn candidates<'a>(
    samples: &'a [Sample],
    scanned: &'a [Result<Scanned, String>],
    firsts: &[usize],
) -> Vec<Candidate<'a>> {
    let candidate = |&place: &usize| {
        let scanned = scanned[place].as_ref().ok()?;
        let is_blank = scanned.thumb.iter().min() == scanned.thumb.iter().max();
        (!is_blank).then_some(Candidate {
            place,
            sample: &samples[place],
            thumb: &scanned.thumb,
        })
    };
    firsts.iter().filter_map(candidate).collect()
}

fn duplicate(
    samples: &[Sample],
    places: &[usize],
    likeness: Likeness,
    correlation: f64,
) -> Duplicate {
    let members: Vec<Sample> = places.iter().map(|&place| samples[place].clone()).collect();
    let first = &members[0];
    Duplicate {
        likeness,
        correlation,
        across_splits: members.iter().any(|sample| sample.split != first.split),
        different_classes: members.iter().any(|sample| sample.label != first.label),
        samples: members,
    }
}
