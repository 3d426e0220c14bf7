//! Medians and two-class splits of plain numbers, for thresholds, noise and word gaps.

/// Median of the values (the upper of the middle two); `None` without any.
pub(super) fn median(values: &mut [f32]) -> Option<f32> {
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    Some(*values.select_nth_unstable_by(middle, f32::total_cmp).1)
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
