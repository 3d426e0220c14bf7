//! Whether the first column of a table can hold its labels, where neither the config nor names say which one does.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::formats::array::Values;

/// Labels run from 0 or 1 without gaps, and at most this fraction of them is one class: the corner of an image is nearly always black.
const MAX_COMMONEST: f64 = 0.9;

/// Largest whole number that a label may be here; pixels have none that large.
const MAX_LABEL: f64 = 1e9;

/// A column of numbers.
struct Column {
    /// How often each whole number is there; `None` if there are others.
    counts: Option<BTreeMap<i64, usize>>,
    rows: usize,
}

impl Column {
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let (mut counts, mut rows) = (Some(BTreeMap::new()), 0);
        for number in numbers {
            rows += 1;
            match &mut counts {
                Some(counts) if number.fract() == 0.0 && number.abs() <= MAX_LABEL => {
                    *counts.entry(number as i64).or_insert(0) += 1;
                }
                _ => counts = None,
            }
        }
        Self { counts, rows }
    }

    /// Whether it has several whole numbers, and none of them nearly everywhere.
    fn is_spread(&self) -> bool {
        let counts = self.counts.iter().flat_map(BTreeMap::values);
        let commonest = counts.max().copied().unwrap_or_default();
        commonest > 0 && commonest as f64 <= MAX_COMMONEST * self.rows as f64
    }

    /// Whether it has the numbers that labels have.
    fn has_labels(&self) -> bool {
        let ends = self.numbers().next().zip(self.numbers().last());
        let has_no_gap = |(least, most): (i64, i64)| {
            (0..=1).contains(&least) && most - least + 1 == self.numbers().count() as i64
        };
        self.is_spread() && ends.is_some_and(has_no_gap)
    }

    /// Its whole numbers, each once; none if it has others.
    fn numbers(&self) -> impl Iterator<Item = i64> {
        self.counts.iter().flat_map(BTreeMap::keys).copied()
    }

    /// Whether two columns have at least half of their numbers in common, as neighbouring pixels do.
    fn is_like(&self, other: &Self) -> bool {
        let numbers: BTreeSet<i64> = other.numbers().collect();
        let common = self.numbers().filter(|n| numbers.contains(n)).count();
        let all = self.numbers().count() + numbers.len() - common;
        2 * common >= all
    }

    /// Whether all numbers are between two.
    fn is_within(&self, [low, high]: [f64; 2]) -> bool {
        let is_inside = |number: i64| (low..=high).contains(&(number as f64));
        self.numbers().all(is_inside)
    }
}

/// Reasons to doubt that the first column holds the labels.
pub(super) enum Doubt {
    /// They are not whole numbers; the index of the row.
    Fractions(usize),
    /// The last column may be the labels as well.
    LastAsLikely,
}

/// Reasons to doubt `labels`, one per row, which were in the first column, before `pixels` columns of `values`. Texts are labels.
pub(super) fn doubt(labels: &[String], values: &Values, pixels: usize) -> Option<Doubt> {
    let first: Option<Vec<f64>> = labels.iter().map(|label| label.parse().ok()).collect();
    let first = first?;
    if let Some(row) = first.iter().position(|number| number.fract() != 0.0) {
        return Some(Doubt::Fractions(row));
    }
    let number = |index: usize| values.number(index).unwrap_or_default();
    let column =
        |place: usize| Column::of((0..labels.len()).map(|row| number(row * pixels + place)));
    if labels.len() < 2 || pixels < 2 {
        return None;
    }
    let (first, last) = (Column::of(first.into_iter()), column(pixels - 1));
    let last_is_pixel = last.is_like(&column(pixels - 2));
    let first_is_pixel = first.is_like(&column(0));
    // Where the first has no usual labels, unusual ones may be in the last: few numbers, with gaps between them.
    let has_fewer = last.is_spread() && last.numbers().count() < first.numbers().count();
    let has_other_labels = !first.has_labels() && !last_is_pixel && has_fewer;
    if !last.has_labels() && !has_other_labels {
        return None;
    }
    // A value beyond all other pixels is not a pixel.
    let others = (0..values.len()).filter(|index| index % pixels != pixels - 1);
    let ends = others
        .map(number)
        .fold([0.0f64, 0.0], |[least, most], value| {
            [least.min(value), most.max(value)]
        });
    if last.is_within(ends) && !first.is_within(ends) {
        return None;
    }
    if first.has_labels() && last_is_pixel && !first_is_pixel {
        return None;
    }
    Some(Doubt::LastAsLikely)
}
