//! Medians and two-class splits of plain numbers, for thresholds, noise and word gaps.

use rayon::prelude::*;

/// Median of the values (the upper of the middle two); `None` without any.
pub(super) fn median(values: &mut [f32]) -> Option<f32> {
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    Some(*values.select_nth_unstable_by(middle, f32::total_cmp).1)
}

/// Bits of a value that [`median_of_many`] counts first: sign, exponent and five bits of the fraction.
const COUNTED_BITS: u32 = 14;

/// [`median`] of the values of many rows, which are traversed twice.
pub(super) fn median_of_many<I>(rows: impl IndexedParallelIterator<Item = I> + Clone) -> Option<f32>
where
    I: Iterator<Item = f32>,
{
    // In the order of the values (`f32::total_cmp`).
    let ordered = |value: f32| {
        let bits = value.to_bits();
        bits ^ if bits >> 31 == 1 { u32::MAX } else { 1 << 31 }
    };
    let bin = |value: f32| (ordered(value) >> (u32::BITS - COUNTED_BITS)) as usize;
    let none = || vec![0u32; 1 << COUNTED_BITS];
    let counts = rows
        .clone()
        .fold(none, |mut counts, row| {
            row.for_each(|value| counts[bin(value)] += 1);
            counts
        })
        .reduce_with(|mut all, counts| {
            all.iter_mut()
                .zip(counts)
                .for_each(|(all, count)| *all += count);
            all
        })?;
    let mut before = counts.iter().map(|&count| count as usize).sum::<usize>() / 2;
    let middle = counts.iter().position(|&count| {
        let is_here = before < count as usize;
        if !is_here {
            before -= count as usize;
        }
        is_here
    })?;
    let mut values: Vec<f32> = rows
        .flat_map_iter(|row| row.filter(|&value| bin(value) == middle))
        .collect();
    Some(*values.select_nth_unstable_by(before, f32::total_cmp).1)
}

/// Medians of one count of values in many windows at once.
///
/// Batcher's merge exchange (Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M) without the exchanges that the middle
/// doesn't depend on: it always compares the same places, so that windows are vectors' lanes.
pub(super) struct Medians {
    count: usize,
    exchanges: Vec<(usize, usize)>,
}

/// Windows that are looked at together.
pub(super) const LANES: usize = 16;

/// One value of each window, in a line of the processor's cache.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
pub(super) struct Lanes(pub [f32; LANES]);

impl Medians {
    /// Of windows of `count` values.
    pub fn of(count: usize) -> Self {
        let mut exchanges = Vec::new();
        let top = count.next_power_of_two() / 2;
        let mut step = top;
        while step > 0 {
            let (mut around, mut residue, mut distance) = (top, 0, step);
            loop {
                let pairs = (0..count.saturating_sub(distance)).filter(|i| i & step == residue);
                exchanges.extend(pairs.map(|i| (i, i + distance)));
                if around == step {
                    break;
                }
                (distance, around, residue) = (around - step, around / 2, step);
            }
            step /= 2;
        }
        let mut needed = vec![false; count];
        if let Some(middle) = needed.get_mut(count / 2) {
            *middle = true;
        }
        let mut kept: Vec<_> = exchanges
            .into_iter()
            .rev()
            .filter(|&(low, high)| {
                let is_kept = needed[low] || needed[high];
                if is_kept {
                    (needed[low], needed[high]) = (true, true);
                }
                is_kept
            })
            .collect();
        kept.reverse();
        Self {
            count,
            exchanges: kept,
        }
    }

    /// Values of a window.
    pub fn count(&self) -> usize {
        self.count
    }

    /// [`median`] of each window, none of which has NaN; `values[i]` has the value `i` of all windows, and their order is lost.
    #[inline(always)]
    pub fn find(&self, values: &mut [Lanes]) -> [f32; LANES] {
        for &(low, high) in &self.exchanges {
            let (a, b) = (values[low].0, values[high].0);
            let (mut least, mut most) = (a, b);
            for lane in 0..LANES {
                least[lane] = a[lane].min(b[lane]);
                most[lane] = a[lane].max(b[lane]);
            }
            (values[low].0, values[high].0) = (least, most);
        }
        values[self.count / 2].0
    }
}

/// Median of values with weights: the smallest value at which half of the weight is reached; `None` without values.
pub(super) fn weighted_median(mut values: Vec<(f32, usize)>) -> Option<f32> {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: usize = values.iter().map(|(_, weight)| weight).sum();
    let mut below = 0;
    values.into_iter().find_map(|(value, weight)| {
        below += weight;
        (2 * below >= total).then_some(value)
    })
}

/// Bins of the histogram that Otsu's threshold is found on.
const OTSU_BINS: usize = 256;

/// Otsu's threshold (1979): the cut with the largest variance between the two classes. `None` where all values are equal.
pub(super) fn otsu(values: impl Iterator<Item = f32> + Clone) -> Option<f32> {
    let (low, high) = values
        .clone()
        .fold((f32::MAX, f32::MIN), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    if low >= high {
        return None;
    }
    let step = (high - low) / OTSU_BINS as f32;
    let mut counts = [0u64; OTSU_BINS];
    for value in values {
        counts[(((value - low) / step) as usize).min(OTSU_BINS - 1)] += 1;
    }
    let all: u64 = counts.iter().sum();
    let all_sum: u64 = (0..).zip(&counts).map(|(bin, count)| bin * count).sum();
    let (mut below, mut below_sum) = (0u64, 0u64);
    let (mut best, mut best_bin) = (-1.0, 0);
    for (bin, count) in counts.iter().enumerate().take(OTSU_BINS - 1) {
        below += count;
        below_sum += bin as u64 * count;
        if below == 0 || below == all {
            continue;
        }
        let mean_below = below_sum as f64 / below as f64;
        let mean_above = (all_sum - below_sum) as f64 / (all - below) as f64;
        let between = below as f64 * (all - below) as f64 * (mean_above - mean_below).powi(2);
        if between > best {
            (best, best_bin) = (between, bin);
        }
    }
    Some(low + (best_bin + 1) as f32 * step)
}

/// A few numbers split into a lower and an upper class, by Otsu's criterion on the numbers themselves.
pub(super) struct TwoClasses {
    /// Mean of the lower class.
    pub lower: f32,
    /// Mean of the upper class.
    pub upper: f32,
    /// Largest of the lower class.
    pub lower_end: f32,
    /// Smallest of the upper class.
    pub upper_start: f32,
    /// Fraction of the numbers in the lower class, in 0..=1.
    pub lower_share: f32,
}

/// Splits at the largest variance between the classes; `None` for fewer than two different numbers.
pub(super) fn two_classes(values: &[f32]) -> Option<TwoClasses> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
    let mut best: Option<(f32, TwoClasses)> = None;
    for cut in 1..sorted.len() {
        let (lower, upper) = (mean(&sorted[..cut]), mean(&sorted[cut..]));
        let between = cut as f32 * (sorted.len() - cut) as f32 * (upper - lower).powi(2);
        if between > 0.0 && best.as_ref().is_none_or(|(most, _)| between > *most) {
            let classes = TwoClasses {
                lower,
                upper,
                lower_end: sorted[cut - 1],
                upper_start: sorted[cut],
                lower_share: cut as f32 / sorted.len() as f32,
            };
            best = Some((between, classes));
        }
    }
    best.map(|(_, classes)| classes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, seeded, uniform};

    fn draws(rng: &mut Rng, count: usize) -> Vec<f32> {
        // Few different values: most of a window are equal.
        (0..count)
            .map(|_| (18.0 * uniform(rng)).floor() / 8.0 - 1.125)
            .collect()
    }

    #[test]
    fn the_medians_of_many_windows_are_those_of_each() {
        let mut rng = seeded(&[1]);
        for count in 1..=49 {
            let windows: Vec<Vec<f32>> = (0..LANES).map(|_| draws(&mut rng, count)).collect();
            let mut values: Vec<Lanes> = (0..count)
                .map(|at| Lanes(std::array::from_fn(|lane| windows[lane][at])))
                .collect();
            let found = Medians::of(count).find(&mut values);
            for (mut window, found) in windows.into_iter().zip(found) {
                assert_eq!(Some(found), median(&mut window), "{count}");
            }
        }
    }

    #[test]
    fn the_median_of_many_rows_is_that_of_all_values() {
        let mut rng = seeded(&[2]);
        for count in [0, 1, 2, 3, 1000, 1001] {
            let mut values = draws(&mut rng, count);
            values.extend((0..count).map(|_| (2.0 * uniform(&mut rng) - 1.0).powi(5)));
            let rows = values.par_chunks(7).map(|row| row.iter().copied());
            assert_eq!(median_of_many(rows), median(&mut values.clone()), "{count}");
        }
    }
}
