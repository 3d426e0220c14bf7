//! Decides which pixels are ink.
//!
//! A threshold with hysteresis, both levels from the page's own noise and ink: pixels above the high level are ink, and so is
//! what is connected with them above the low level. Printed rules are removed afterwards. There is no morphological closing: it
//! joins neighbouring letters (3 to 7 points of accuracy).

use rayon::prelude::*;

use super::flatten::FlatPage;
use super::outlines::outlines;
use super::rules::{MIN_REACH, remove_boxes, remove_rules};
use super::sheet::Sheet;
use crate::segmentation::geometry::{Area, neighbours};
use crate::segmentation::plane::Plane;
use crate::segmentation::statistics::{median_of_many, otsu};

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
/// Pixels beside a rule that its blur reaches.
const BESIDE_RULE: usize = 2;
/// Printed rules may be darker than pencil and hide it: if the level without them is less than this fraction of the level with them,
const HIDING_RULES: f32 = 0.8;
/// and at least this many times as much ink as theirs is above it, it counts.
const MIN_HIDDEN: f32 = 0.2;
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
    let levels = |ink: &Plane| {
        let inked = ink.values.par_iter().copied();
        let inked: Vec<f32> = inked.filter(|&value| value > floor).collect();
        let high = otsu(inked.iter().copied())
            .unwrap_or(0.0)
            .max(paper + HIGH_SIGMAS * sigma)
            .max(MIN_INK);
        (floor.max(low_part * high), high)
    };
    let mut ink = ink;
    let (mut low, high) = levels(&ink);
    let (mut mask, rules) = ink_without_rules(&ink, low, high);
    if !rules.is_empty() {
        let others = filled(&ink, &rules);
        let lower = levels(&others);
        let hidden = others.values.iter().filter(|&&value| value > lower.1);
        if lower.1 < HIDING_RULES * high && hidden.count() as f32 >= MIN_HIDDEN * rules.len() as f32
        {
            (ink, low) = (others, lower.0);
            (mask, _) = ink_without_rules(&ink, low, lower.1);
        }
    }
    BinaryPage {
        width: ink.width,
        height: ink.height,
        mask,
        ink,
        low,
    }
}

/// The page with rules filled by what is above and below them, so that strokes that cross them go on. Upright ones become paper: letters
/// are on either side of them.
fn filled(ink: &Plane, rules: &[usize]) -> Plane {
    let (width, height) = (ink.width, ink.height);
    let mut on_rule = vec![false; ink.values.len()];
    let mut pixels = Vec::new();
    for &at in rules {
        let (x, y) = (at % width, at / width);
        for row in y.saturating_sub(BESIDE_RULE)..(y + BESIDE_RULE + 1).min(height) {
            for column in x.saturating_sub(BESIDE_RULE)..(x + BESIDE_RULE + 1).min(width) {
                let beside = row * width + column;
                if !std::mem::replace(&mut on_rule[beside], true) {
                    pixels.push(beside);
                }
            }
        }
    }
    // Steps to the nearest pixels before and after this one that are on no rule.
    let reach = |at: usize, step: usize, before: usize, after: usize| {
        let first = (1..=before).find(|&n| !on_rule[at - n * step]);
        let second = (1..=after).find(|&n| !on_rule[at + n * step]);
        (first.unwrap_or(before + 1), second.unwrap_or(after + 1))
    };
    let mut filled = ink.clone();
    for at in pixels {
        let (x, y) = (at % width, at / width);
        let (left, right) = reach(at, 1, x, width - 1 - x);
        let (up, down) = reach(at, width, y, height - 1 - y);
        let is_level = up + down <= left + right && up <= y && y + down < height;
        filled.values[at] = if is_level {
            ink.values[at - up * width].min(ink.values[at + down * width])
        } else {
            0.0
        };
    }
    filled
}

/// Ink by two levels, without rules and boxes; and their pixels.
fn ink_without_rules(ink: &Plane, low: f32, high: f32) -> (Vec<bool>, Vec<usize>) {
    let (mut mask, pieces) = hysteresis(ink, low, high);
    let boxes = outlines(&mask, ink, &pieces);
    let mut removed = remove_boxes(&mut mask, ink, boxes);
    if let Some(area) = far(&pieces, MIN_REACH * ink.width.max(ink.height) as f32) {
        let rules = remove_rules(&mut mask, ink, &area);
        // Boxes that rules went through.
        if !rules.is_empty() {
            let boxes = outlines(&mask, ink, &connected(&mask, ink, &area));
            removed.extend(remove_boxes(&mut mask, ink, boxes));
        }
        removed.extend(rules);
    }
    (mask, removed)
}

/// The bounds of each piece of connected ink that begins in an area.
fn connected(mask: &[bool], ink: &Plane, area: &Area) -> Vec<Area> {
    let mut waiting = mask.to_vec();
    let mut pieces = Vec::new();
    for y in area.top..area.bottom {
        for start in y * ink.width + area.left..y * ink.width + area.right {
            if waiting[start] {
                pieces.push(flood(ink, start, &mut waiting));
            }
        }
    }
    pieces
}

/// The bounds of connected ink from one of its pixels, which is taken out of the mask.
fn flood(ink: &Plane, start: usize, waiting: &mut [bool]) -> Area {
    waiting[start] = false;
    let mut stack = vec![start];
    let mut bounds = Area::pixel(start % ink.width, start / ink.width);
    while let Some(at) = stack.pop() {
        bounds = bounds.union(&Area::pixel(at % ink.width, at / ink.width));
        for next in neighbours(at, ink.width, ink.height) {
            if std::mem::replace(&mut waiting[next], false) {
                stack.push(next);
            }
        }
    }
    bounds
}

/// The box around all connected ink that is at least `reach` pixels long, which may be printed rules.
fn far(pieces: &[Area], reach: f32) -> Option<Area> {
    let far = pieces
        .iter()
        .filter(|piece| piece.longer_side() as f32 >= reach);
    far.copied().reduce(|all, piece| all.union(&piece))
}

/// Pixels above `low` that are connected (8 neighbours) with a pixel above `high`; and the bounds of each piece of connected ink.
///
/// imageproc's `connected_components` labels the same pixels, but takes 3 to 5 times as long on a working copy (1600 px, 3 % ink):
/// it looks at every pixel, a flood only at ink.
fn hysteresis(ink: &Plane, low: f32, high: f32) -> (Vec<bool>, Vec<Area>) {
    let mut mask = vec![false; ink.values.len()];
    let (mut stack, mut pieces) = (Vec::new(), Vec::new());
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
        pieces.push(bounds);
    }
    (mask, pieces)
}

/// The ink values on the sheet, by row.
fn on_sheet<'a>(
    ink: &'a Plane,
    sheet: &'a Sheet,
) -> impl IndexedParallelIterator<Item = impl Iterator<Item = f32> + Clone + Send + 'a> + Clone + 'a
{
    sheet
        .spans
        .par_iter()
        .enumerate()
        .map(|(y, &(first, end))| ink.row(y)[first..end].iter().copied())
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
    let rows = on_sheet(ink, sheet);
    let values: Vec<f32> = rows.clone().flat_map_iter(|row| row).collect();
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
    Some(median_and_spread(rows.map(move |row| {
        row.filter(move |&value| value <= threshold)
    })))
}

fn median_and_spread<I>(rows: impl IndexedParallelIterator<Item = I> + Clone) -> (f32, f32)
where
    I: Iterator<Item = f32> + Send,
{
    let Some(paper) = median_of_many(rows.clone()) else {
        return (0.0, 0.0);
    };
    let deviations = rows.map(|row| row.map(|value| (value - paper).abs()));
    let deviation = median_of_many(deviations).unwrap_or(0.0);
    (paper, NORMAL_SPREAD * deviation)
}
