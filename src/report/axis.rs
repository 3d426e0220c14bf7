//! Axes of a chart: range, scale (linear or logarithmic) and ticks, as ranges that plotters maps to the picture.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

use super::format::{percent, tick};

/// About how many labelled ticks an axis gets; a minor chart's vertical axis gets two thirds of it.
pub(super) const TICKS: usize = 6;
/// A logarithmic axis is used when the largest value is more than this many times the median: half of the curve would
/// lie within the lowest tenth of a linear axis.
const LOG_RATIO: f64 = 10.0;
/// Fraction of the data's range that is left free below and above it.
const HEADROOM: f64 = 0.06;

/// A linear axis with given ticks.
#[derive(Clone)]
pub(super) struct TickedRange {
    pub(super) low: f64,
    pub(super) high: f64,
    ticks: Vec<f64>,
}

impl Ranged for TickedRange {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (value - self.low) / (self.high - self.low);
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            // There are no lines between the ticks.
            return Vec::new();
        }
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

/// The horizontal axis from the first to the last epoch, with ticks at whole epochs a round number apart.
pub(super) fn epoch_range(first: usize, last: usize) -> TickedRange {
    // Half an epoch on either side of a single one; otherwise a little, so that dots are not clipped.
    let side = if first == last {
        0.5
    } else {
        0.02 * (last - first) as f64
    };
    let step = round_step((last - first) as f64 / TICKS as f64).max(1.0) as usize;
    let start = first.checked_next_multiple_of(step).unwrap_or(first);
    let mut ticks: Vec<f64> = (start..=last).step_by(step).map(|e| e as f64).collect();
    // The first epoch is 1, which is not a multiple of a larger step.
    if step > 1 && start - first > step / 2 {
        ticks.insert(0, first as f64);
    }
    TickedRange {
        low: first as f64 - side,
        high: last as f64 + side,
        ticks,
    }
}

/// The vertical axis. A `height` on it is the value, or its decimal logarithm.
pub(super) struct ValueAxis {
    logarithmic: bool,
    fraction: bool,
    pub(super) range: TickedRange,
}

impl ValueAxis {
    /// An axis with about `ticks` ticks for these finite values; `fraction` says that they are fractions of 1.
    pub(super) fn new(values: &[f64], fraction: bool, ticks: usize) -> Self {
        let logarithmic = !fraction && demands_logarithm(values);
        let heights = values
            .iter()
            .map(|&v| if logarithmic { v.log10() } else { v });
        let (least, most) = heights.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), h| {
            (least.min(h), most.max(h))
        });
        let (mut low, mut high) = widen(least, most);
        if !logarithmic && least >= 0.0 && (low < 0.0 || least < most / 3.0 || least == most) {
            low = 0.0;
        }
        if fraction && most <= 1.0 {
            high = high.min(1.0);
        }
        let ticks = if logarithmic {
            log_ticks(low, high, ticks)
        } else {
            linear_ticks(low, high, ticks)
        };
        Self {
            logarithmic,
            fraction,
            range: TickedRange { low, high, ticks },
        }
    }

    /// Where a value lies on the axis.
    pub(super) fn height(&self, value: f64) -> f64 {
        if self.logarithmic {
            value.log10()
        } else {
            value
        }
    }

    /// The label at a height.
    pub(super) fn label(&self, height: f64) -> String {
        let value = if self.logarithmic {
            10f64.powf(height)
        } else {
            height
        };
        if self.fraction {
            let step = match self.range.ticks[..] {
                [first, second, ..] => second - first,
                _ => 1.0,
            };
            percent(value, if step < 0.0099 { 1 } else { 0 })
        } else {
            tick(value)
        }
    }
}

/// The range with some room to either side, and never empty.
fn widen(least: f64, most: f64) -> (f64, f64) {
    let room = (most - least) * HEADROOM;
    let room = if room > 0.0 && room.is_finite() {
        room
    } else if most != 0.0 {
        most.abs() * HEADROOM
    } else {
        // All zero: any range will do.
        1.0
    };
    (least - room, most + room)
}

/// Whether half of the values would lie within the lowest tenth of a linear axis.
fn demands_logarithm(values: &[f64]) -> bool {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.first(), sorted.get(sorted.len() / 2), sorted.last()) {
        (Some(&least), Some(&median), Some(&most)) => least > 0.0 && most / median > LOG_RATIO,
        _ => false,
    }
}

/// About `count` multiples of a round step within the range.
fn linear_ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let step = round_step((high - low) / count as f64);
    // A little over the upper end, for the rounding of the division.
    let (from, to) = ((low / step).ceil(), (high / step + 1e-6).floor());
    let ticks = (0..=2 * count).map(|index| from + index as f64);
    ticks.take_while(|n| *n <= to).map(|n| n * step).collect()
}

/// Logarithms of round values within the range: 1, 2, 5 of each decade, or only powers of ten when those would be too
/// many.
fn log_ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let decades = (low.floor() as i32)..=(high.ceil() as i32);
    let within = |mantissas: &[f64], every: usize| -> Vec<f64> {
        decades
            .clone()
            .step_by(every)
            .flat_map(|decade| mantissas.iter().map(move |m| f64::from(decade) + m.log10()))
            .filter(|height| (low..=high).contains(height))
            .collect()
    };
    let fine = within(&[1.0, 2.0, 5.0], 1);
    if fine.len() <= 2 * count {
        return fine;
    }
    let every = decades.clone().count().div_ceil(2 * count).max(1);
    within(&[1.0], every)
}

/// The next larger of 1, 2, 5 times a power of ten.
fn round_step(least: f64) -> f64 {
    if least.is_nan() || least <= 0.0 {
        return 1.0;
    }
    let decade = 10f64.powf(least.log10().floor());
    let fits = |factor: &f64| factor * decade >= least * 0.999_999;
    [1.0, 2.0, 5.0].into_iter().find(fits).unwrap_or(10.0) * decade
}
