//! Ink -> [`BinaryPage`]: which points are written on.
//!
//! A threshold with hysteresis, both levels from the page's own noise and ink: points above the high level are ink, and so
//! is what hangs together with them above the low level; printed rules are taken out again (`rules`). No closing: it joins neighbours (3 to 7 points of accuracy).

use rayon::prelude::*;

use super::flatten::{FlatPage, Sheet};
use super::geometry::Area;
use super::plane::Plane;
use super::rules::{LONG_PIECE, remove_rules};
use super::statistics::{median, otsu};

/// Blur before the threshold, in working pixels: removes the grain of the sensor and leaves strokes of two pixels.
const GRAIN_BLUR: f32 = 0.8;
/// Ink is at least this many standard deviations above the paper to start a stroke.
const HIGH_SIGMAS: f32 = 6.0;
/// The same to continue one.
const LOW_SIGMAS: f32 = 4.0;
/// Least ink that starts a stroke (0..=1): fainter is the other side of the paper showing through.
const LEAST_INK: f32 = 0.06;
/// The low level as part of the high one.
const LOW_PART: f32 = 0.55;
/// 1.4826 times the median deviation is the standard deviation of a normal distribution (Hampel 1974).
const NORMAL_SPREAD: f32 = 1.4826;

/// A page in ink and paper, with the smoothed ink that it was cut from.
#[derive(Debug, Clone)]
pub(super) struct BinaryPage {
    pub width: usize,
    pub height: usize,
    /// True where ink is.
    pub mask: Vec<bool>,
    /// Ink values after the grain's blur.
    pub ink: Plane,
    /// The level above which ink continues a stroke.
    pub low: f32,
}

/// Thresholds the ink of a page.
pub(super) fn binarize(page: &FlatPage) -> BinaryPage {
    let ink = page.ink.blurred(GRAIN_BLUR);
    let (paper, sigma) = paper_noise(&ink, &page.sheet);
    let floor = paper + LOW_SIGMAS * sigma;
    let inked = ink.values.iter().copied().filter(|&value| value > floor);
    let high = otsu(inked)
        .unwrap_or(0.0)
        .max(paper + HIGH_SIGMAS * sigma)
        .max(LEAST_INK);
    let low = floor.max(LOW_PART * high);
    let (mut mask, long) = hysteresis(&ink, low, high);
    if let Some(area) = long {
        remove_rules(&mut mask, &ink, &area);
    }
    BinaryPage {
        width: ink.width,
        height: ink.height,
        mask,
        ink,
        low,
    }
}

/// Points above `low` that are connected (8 neighbours) with a point above `high`; and the box around all that hangs
/// together over a long way.
fn hysteresis(ink: &Plane, low: f32, high: f32) -> (Vec<bool>, Option<Area>) {
    let mut mask = vec![false; ink.values.len()];
    let (mut stack, mut long) = (Vec::new(), None::<Area>);
    let length = LONG_PIECE * ink.width.max(ink.height) as f32;
    for (start, &value) in ink.values.iter().enumerate() {
        if value <= high || mask[start] {
            continue;
        }
        mask[start] = true;
        stack.push(start);
        let mut bounds = Area::pixel(start % ink.width, start / ink.width);
        while let Some(at) = stack.pop() {
            bounds = bounds.union(&Area::pixel(at % ink.width, at / ink.width));
            for next in neighbours(at, ink.width, ink.height) {
                if !mask[next] && ink.values[next] > low {
                    mask[next] = true;
                    stack.push(next);
                }
            }
        }
        if bounds.longer_side() as f32 >= length {
            long = Some(long.map_or(bounds, |all| all.union(&bounds)));
        }
    }
    (mask, long)
}

/// The up to eight pixels around pixel `at`.
pub(super) fn neighbours(
    at: usize,
    width: usize,
    height: usize,
) -> impl Iterator<Item = usize> + use<> {
    let (x, y) = (at % width, at / width);
    let rows = y.saturating_sub(1)..(y + 2).min(height);
    let columns = x.saturating_sub(1)..(x + 2).min(width);
    rows.flat_map(move |row| columns.clone().map(move |column| row * width + column))
        .filter(move |&next| next != at)
}

/// Median and standard deviation of the ink values on bare paper, which is most of a page.
fn paper_noise(ink: &Plane, sheet: &Sheet) -> (f32, f32) {
    let mut values: Vec<f32> = (0..ink.height)
        .into_par_iter()
        .flat_map_iter(|y| {
            let (first, end) = sheet.spans[y];
            ink.row(y)[first..end].iter().copied()
        })
        .collect();
    let Some(paper) = median(&mut values) else {
        return (0.0, 0.0);
    };
    for value in &mut values {
        *value = (*value - paper).abs();
    }
    let deviation = median(&mut values).unwrap_or(0.0);
    (paper, NORMAL_SPREAD * deviation)
}
