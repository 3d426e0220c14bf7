//! Decides which pixels are ink.
//!
//! A threshold with hysteresis, both levels from the page's own noise and ink: pixels above the high level are ink, and so is
//! what is connected with them above the low level. Printed rules are removed afterwards. There is no morphological closing: it
//! joins neighbouring letters (3 to 7 points of accuracy).

use rayon::prelude::*;

use super::flatten::FlatPage;
use super::rules::{MIN_REACH, remove_rules};
use super::sheet::Sheet;
use crate::segmentation::geometry::{Area, neighbours};
use crate::segmentation::plane::Plane;
use crate::segmentation::statistics::{median, otsu};

/// Blur before the threshold, in working pixels: removes the grain of the sensor and keeps strokes of two pixels.
const GRAIN_BLUR: f32 = 0.8;
/// Ink that starts a stroke is at least this many standard deviations above the paper.
const HIGH_SIGMAS: f32 = 6.0;
/// Ink that continues a stroke is at least this many standard deviations above the paper.
const LOW_SIGMAS: f32 = 4.0;
/// Minimum ink that starts a stroke, in 0..=1: fainter ink shows through from the other side of the paper.
const MIN_INK: f32 = 0.06;
/// The low level as a fraction of the high one.
const LOW_PART: f32 = 0.55;
/// Noise that hides ink below this level is looked at again: pencil has 0.2 to 0.6.
const MIN_HIDING: f32 = 0.3;
/// Ink is at least this much above the paper, as means of the two, where it is told from noise.
const MIN_INK_STEP: f32 = 0.25;
/// The low level of a page whose noise hides ink, as a fraction of the high one: its paper is nearly as dark as its strokes' edges.
const CROWDED_LOW_PART: f32 = 0.8;
/// 1.4826 times the median absolute deviation is the standard deviation of a normal distribution (Hampel 1974).
const NORMAL_SPREAD: f32 = 1.4826;

/// A page in ink and paper, with the smoothed ink values that were thresholded.
#[derive(Debug, Clone)]
pub(in crate::segmentation) struct BinaryPage {
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
pub(in crate::segmentation) fn binarize(page: &FlatPage) -> BinaryPage {
    let ink = page.ink.blurred(GRAIN_BLUR);
    let (paper, sigma) = paper_noise(&ink, &page.sheet);
    let below_ink = noise_below_ink(&ink, &page.sheet, paper + HIGH_SIGMAS * sigma);
    let low_part = if below_ink.is_some() {
        CROWDED_LOW_PART
    } else {
        LOW_PART
    };
    let (paper, sigma) = below_ink.unwrap_or((paper, sigma));
    let floor = paper + LOW_SIGMAS * sigma;
    let inked = ink.values.iter().copied().filter(|&value| value > floor);
    let high = otsu(inked)
        .unwrap_or(0.0)
        .max(paper + HIGH_SIGMAS * sigma)
        .max(MIN_INK);
    let low = floor.max(low_part * high);
    let (mut mask, far) = hysteresis(&ink, low, high);
    if let Some(area) = far {
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

/// Pixels above `low` that are connected (8 neighbours) with a pixel above `high`; and the box around all connected ink that
/// reaches far, which may be printed rules.
///
/// imageproc's `connected_components` labels the same pixels, but takes 3 to 5 times as long on a working copy (1600 px, 3 % ink):
/// it looks at every pixel, a flood only at ink.
fn hysteresis(ink: &Plane, low: f32, high: f32) -> (Vec<bool>, Option<Area>) {
    let mut mask = vec![false; ink.values.len()];
    let (mut stack, mut far) = (Vec::new(), None::<Area>);
    let length = MIN_REACH * ink.width.max(ink.height) as f32;
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
            far = Some(far.map_or(bounds, |all| all.union(&bounds)));
        }
    }
    (mask, far)
}

/// The ink values on the sheet.
fn on_sheet(ink: &Plane, sheet: &Sheet) -> Vec<f32> {
    (0..ink.height)
        .into_par_iter()
        .flat_map_iter(|y| {
            let (first, end) = sheet.spans[y];
            ink.row(y)[first..end].iter().copied()
        })
        .collect()
}

/// Median and standard deviation of the ink values on bare paper, which covers most of a page.
fn paper_noise(ink: &Plane, sheet: &Sheet) -> (f32, f32) {
    median_and_spread(on_sheet(ink, sheet))
}

/// The same of the paper alone, for a page on which noise that was measured on all of it would hide writing: dense grids, coarse paper
/// with pencil on it. `high` is the level of ink by that noise. `None` where it stays below what is clearly ink.
fn noise_below_ink(ink: &Plane, sheet: &Sheet, high: f32) -> Option<(f32, f32)> {
    if high < MIN_HIDING {
        return None;
    }
    let values = on_sheet(ink, sheet);
    let threshold = otsu(values.iter().copied())?;
    let mean = |part: &dyn Fn(f32) -> bool| {
        let part = values.iter().copied().filter(|&value| part(value));
        let (sum, count) = part.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
        sum / count.max(1) as f32
    };
    let step = mean(&|value| value > threshold) - mean(&|value| value <= threshold);
    if high <= threshold || step < MIN_INK_STEP {
        return None;
    }
    let paper = values.iter().copied().filter(|&value| value <= threshold);
    Some(median_and_spread(paper.collect()))
}

fn median_and_spread(mut values: Vec<f32>) -> (f32, f32) {
    let Some(paper) = median(&mut values) else {
        return (0.0, 0.0);
    };
    for value in &mut values {
        *value = (*value - paper).abs();
    }
    let deviation = median(&mut values).unwrap_or(0.0);
    (paper, NORMAL_SPREAD * deviation)
}
