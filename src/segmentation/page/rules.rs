//! Removes printed rules, squares and underlines, so that letters which stand on them are connected ink of their own.
//!
//! A rule is followed from column to column (or from row to row) while the ink across it is thin. Strokes that cross it, and
//! bars that lie on it and are darker, stay.

use super::rule_tracing::{CrossSection, MAX_RELATIVE_WIDTH, MAX_SLOPE, Rule, Strip};
use crate::segmentation::geometry::{Area, neighbours};
use crate::segmentation::plane::Plane;

/// Connected ink that reaches over this fraction of the page's longer side may be rules: few words do, and no letter.
pub(super) const MIN_REACH: f32 = 0.1;
/// Pixels beyond the width of two rules that cross in which their blurs add up ...
const CROSSING_REACH: f32 = 4.0;
/// ... to at most this many times their ink.
const MAX_CROSSING_INK: f32 = 1.8;
/// The writing's ink is the value at this quantile of all ink.
const WRITING_QUANTILE: f32 = 0.97;

/// The side of a box goes from one rule to another: its ends are at most this many pixels from their edges.
const SIDE_GAP: f32 = 3.0;
/// Minimum fraction of its length over which a box's side is seen.
const MIN_SIDE_SEEN: f32 = 0.8;
/// What is left of a rule lies within this many pixels of its edges.
const LEFTOVER_REACH: f32 = 3.0;
/// Minimum length of a box's side in its own widths.
const MIN_SIDE: f32 = 5.0;

/// Removes rules from the mask, within an area that holds all connected ink of at least [`MIN_REACH`].
pub(super) fn remove_rules(mask: &mut [bool], ink: &Plane, area: &Area) {
    let page: &[bool] = mask;
    let writing = writing_ink(page, ink, area);
    let strips = [true, false].map(|along_rows| Strip {
        mask: page,
        ink,
        area,
        along_rows,
        writing,
    });
    let [(mut across, over), (mut down, under)] = strips.each_ref().map(Strip::rules);
    let sides = [sides(over, &down, &across), sides(under, &across, &down)];
    let [more_across, more_down] = sides;
    across.extend(more_across);
    down.extend(more_down);
    let of = |strip: &Strip, rules: &[Rule]| -> Vec<usize> {
        let pixels = rules.iter().flat_map(|rule| strip.pixels_of(rule));
        pixels.collect()
    };
    let (along_rows, along_columns) = (of(&strips[0], &across), of(&strips[1], &down));
    let crossed = crossings(page, ink, &across, &down);
    for at in along_rows.into_iter().chain(along_columns).chain(crossed) {
        mask[at] = false;
    }
    let left = [(true, &across), (false, &down)].map(|(along_rows, rules)| {
        let strip = Strip {
            mask,
            ink,
            area,
            along_rows,
            writing,
        };
        leftovers(&strip, rules)
    });
    for at in left.concat() {
        mask[at] = false;
    }
}

/// Pixels of ink that lies in the bands of the rules and nowhere else: darker or thicker stretches and the remains of crossings.
fn leftovers(strip: &Strip, rules: &[Rule]) -> Vec<usize> {
    let mut in_band = vec![false; strip.mask.len()];
    let (along, across) = strip.spans();
    for rule in rules {
        let reach = rule.width / 2.0 + LEFTOVER_REACH;
        for position in along.clone() {
            let Some(middle) = rule.at(position as f32) else {
                continue;
            };
            let first = ((middle - reach).max(0.0) as usize).max(across.start);
            let end = ((middle + reach) as usize + 1).min(across.end);
            for side in first..end {
                in_band[strip.index(position, side)] = true;
            }
        }
    }
    let (width, height) = (strip.ink.width, strip.ink.height);
    let mut seen = vec![false; strip.mask.len()];
    let mut pixels = Vec::new();
    for start in (0..strip.mask.len()).filter(|&at| in_band[at] && strip.mask[at]) {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        let (mut piece, mut next, mut stays) = (vec![start], 0, true);
        while let Some(&at) = piece.get(next) {
            next += 1;
            for beside in neighbours(at, width, height).filter(|&beside| strip.mask[beside]) {
                if !in_band[beside] {
                    stays = false;
                } else if !seen[beside] {
                    seen[beside] = true;
                    piece.push(beside);
                }
            }
        }
        if stays {
            pixels.extend(piece);
        }
    }
    pixels
}

/// The fragments that are sides of boxes: straight from one of the rules that they meet to another. A page without rules in one
/// direction has no boxes.
fn sides(fragments: Vec<Rule>, met: &[Rule], along: &[Rule]) -> Vec<Rule> {
    let meets = |rule: &Rule, end: &CrossSection| {
        // At a corner, the rule itself ends at the side.
        let (first, last) = (rule.sections[0], rule.sections[rule.sections.len() - 1]);
        let corner = rule.width + end.width() + SIDE_GAP;
        let at = end.middle().clamp(first.along as f32, last.along as f32);
        (at - end.middle()).abs() <= corner
            && rule.at(at).is_some_and(|middle| {
                (end.along as f32 + 0.5 - middle).abs() <= rule.width / 2.0 + SIDE_GAP
            })
    };
    let is_side = |fragment: &Rule| {
        let (first, last) = (
            fragment.sections[0],
            fragment.sections[fragment.sections.len() - 1],
        );
        let straight = (last.middle() - first.middle()).abs() <= MAX_SLOPE * fragment.length();
        let begins = met.iter().position(|rule| meets(rule, &first));
        let ends = met.iter().position(|rule| meets(rule, &last));
        straight
            && fragment.length() >= MIN_SIDE * fragment.width
            && fragment.sections.len() as f32 >= MIN_SIDE_SEEN * fragment.length()
            && begins.is_some()
            && ends.is_some()
            && begins != ends
            && along
                .iter()
                .all(|rule| fragment.width <= MAX_RELATIVE_WIDTH * rule.width + 2.0)
    };
    fragments.into_iter().filter(is_side).collect()
}

/// The writing's ink value.
fn writing_ink(mask: &[bool], ink: &Plane, area: &Area) -> f32 {
    let mut values: Vec<f32> = (area.top..area.bottom)
        .flat_map(|y| y * ink.width + area.left..y * ink.width + area.right)
        .filter(|&at| mask[at])
        .map(|at| ink.values[at])
        .collect();
    let place = (WRITING_QUANTILE * values.len() as f32) as usize;
    if place < values.len() {
        *values.select_nth_unstable_by(place, f32::total_cmp).1
    } else {
        0.0
    }
}

/// Pixels where two rules cross: their ink is darker, and thin in neither direction.
fn crossings(mask: &[bool], ink: &Plane, across: &[Rule], down: &[Rule]) -> Vec<usize> {
    let mut pixels = Vec::new();
    for row in across {
        for column in down {
            let Some((x, y)) = meeting(row, column) else {
                continue;
            };
            let reach = row.width.max(column.width) + CROSSING_REACH;
            let from = |middle: f32| (middle - reach).max(0.0) as usize;
            let to = |middle: f32, limit: usize| ((middle + reach).max(0.0) as usize).min(limit);
            let darkest = MAX_CROSSING_INK * row.ink.max(column.ink);
            for py in from(y)..to(y, ink.height) {
                for px in from(x)..to(x, ink.width) {
                    let at = py * ink.width + px;
                    let on = |rule: &Rule, along: usize, across: usize| {
                        rule.at(along as f32).is_some_and(|middle| {
                            (across as f32 + 0.5 - middle).abs() <= rule.width / 2.0 + 1.0
                        })
                    };
                    if mask[at]
                        && ink.values[at] <= darkest
                        && (on(row, px, py) || on(column, py, px))
                    {
                        pixels.push(at);
                    }
                }
            }
        }
    }
    pixels
}

/// Column and row in which a rule along the rows meets one along the columns.
fn meeting(row: &Rule, column: &Rule) -> Option<(f32, f32)> {
    let middle = &column.sections[column.sections.len() / 2];
    let mut x = middle.middle();
    let mut y = row.at(x)?;
    // Slopes are small, so every iteration divides the error by more than ten.
    for _ in 0..3 {
        x = column.at(y)?;
        y = row.at(x)?;
    }
    Some((x, y))
}
