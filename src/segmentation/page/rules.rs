//! Removes printed rules, squares and underlines, so that letters which stand on them are connected ink of their own.
//!
//! A rule is followed from column to column (or from row to row) while the ink across it is thin. Strokes that cross it, and
//! bars that lie on it and are darker, stay.

use super::outlines::Outline;
use super::rule_tracing::{
    CrossSection, MAX_EXTRA_WIDTH, MAX_RELATIVE_WIDTH, MAX_SLOPE, Rule, Strip,
};
use crate::segmentation::geometry::{Area, neighbours};
use crate::segmentation::plane::Plane;
use crate::segmentation::statistics::median;

/// Connected ink that reaches over this fraction of the page's longer side may be rules: few words do, and no letter.
pub(super) const MIN_REACH: f32 = 0.1;
/// Pixels beyond the width of two rules that cross in which their blurs add up ...
const CROSSING_REACH: f32 = 4.0;
/// ... to at most this many times their ink.
const MAX_CROSSING_INK: f32 = 1.8;
/// A box has writing if more ink than this part of one of its sides is left without them.
const MIN_WRITING: f32 = 0.5;
/// Boxes are alike if one is at most this many times as high as the other.
const SAME_HEIGHT: f32 = 1.2;
/// The writing's ink is the value at this quantile of all ink.
const WRITING_QUANTILE: f32 = 0.97;

/// The side of a box goes from one rule to another: its ends are at most this many pixels from their edges.
const SIDE_GAP: f32 = 3.0;
/// The same of a side that was continued through letters: such ink leads into the rule.
const JOINED_GAP: f32 = 1.0;
/// Minimum ink of such a side, as a fraction of that of the rules that it meets: pencil is fainter than print.
const MIN_SIDE_INK: f32 = 0.75;
/// Minimum fraction of its length over which a box's side is seen.
const MIN_SIDE_SEEN: f32 = 0.8;
/// Most pixels of paper in a part of a fragment that goes on.
const MAX_BLANK: usize = 2;
/// A stroke crosses a side if ink goes on this many pixels beyond both of its edges.
const CROSSING_STROKE: f32 = 2.0;
/// What is left of a rule lies within this many pixels of its edges.
const LEFTOVER_REACH: f32 = 3.0;
/// Minimum length of a box's side in its own widths.
const MIN_SIDE: f32 = 5.0;

/// Removes rules from the mask, within an area that holds all connected ink of at least [`MIN_REACH`]; returns their pixels.
pub(super) fn remove_rules(mask: &mut [bool], ink: &Plane, area: &Area) -> Vec<usize> {
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
    let more_across = sides(&strips[0], over, &down, &across);
    let more_down = sides(&strips[1], under, &across, &down);
    across.extend(more_across);
    down.extend(more_down);
    let lines = Lines {
        area: *area,
        across,
        down,
    };
    lines.erase(mask, ink)
}

/// Removes boxes from the mask, with the sides between their cells. One without writing may be a letter, unless a box of its height has
/// some. Returns their pixels.
pub(super) fn remove_boxes(mask: &mut [bool], ink: &Plane, boxes: Vec<Outline>) -> Vec<usize> {
    let (mut empty, mut heights, mut removed) = (Vec::new(), Vec::new(), Vec::new());
    for outline in boxes {
        let lines = Lines::of(outline, mask, ink);
        let erased = lines.erase(mask, ink);
        let area = &lines.area;
        let left = (area.top..area.bottom)
            .flat_map(|y| &mask[y * ink.width..][area.left..area.right])
            .filter(|&&ink| ink)
            .count();
        if left as f32 >= MIN_WRITING * area.height() as f32 * lines.down[0].width {
            heights.push(area.height() as f32);
            removed.extend(erased);
        } else {
            erased.into_iter().for_each(|at| mask[at] = true);
            empty.push(lines);
        }
    }
    for lines in empty {
        let height = lines.area.height() as f32;
        let is_alike = |other: &f32| (height / other).ln().abs() <= SAME_HEIGHT.ln();
        if heights.iter().any(is_alike) {
            removed.extend(lines.erase(mask, ink));
        }
    }
    removed
}

/// Rules in an area of the page.
struct Lines {
    area: Area,
    across: Vec<Rule>,
    down: Vec<Rule>,
}

impl Lines {
    /// The sides of a box and of its cells.
    fn of(outline: Outline, mask: &[bool], ink: &Plane) -> Lines {
        let Outline { area, across, down } = outline;
        let strips = [true, false].map(|along_rows| Strip {
            mask,
            ink,
            area: &area,
            along_rows,
            writing: 0.0,
        });
        let [over, under] = strips.each_ref().map(|strip| {
            let fragments = strip.followed(area.longer_side() as f32).into_iter();
            fragments
                .map(|sections| strip.measured(sections))
                .collect::<Vec<Rule>>()
        });
        let more_across = sides(&strips[0], over, &down, &across);
        let more_down = sides(&strips[1], under, &across, &down);
        Lines {
            area,
            across: across.into_iter().chain(more_across).collect(),
            down: down.into_iter().chain(more_down).collect(),
        }
    }

    /// Removes the rules and what is left of them where they were followed; returns the pixels.
    fn erase(&self, mask: &mut [bool], ink: &Plane) -> Vec<usize> {
        let directions = [(true, &self.across), (false, &self.down)];
        let page: &[bool] = mask;
        let on_rules = directions.iter().flat_map(|&(along_rows, rules)| {
            let strip = self.strip(page, ink, along_rows);
            let pixels = rules.iter().flat_map(move |rule| strip.pixels_of(rule));
            pixels.collect::<Vec<usize>>()
        });
        let mut erased: Vec<usize> = on_rules.collect();
        erased.extend(crossings(page, ink, &self.across, &self.down));
        erased.retain(|&at| mask[at]);
        erased.iter().for_each(|&at| mask[at] = false);
        let page: &[bool] = mask;
        let left = directions
            .map(|(along_rows, rules)| leftovers(&self.strip(page, ink, along_rows), rules));
        for at in left.concat() {
            mask[at] = false;
            erased.push(at);
        }
        erased
    }

    fn strip<'a>(&'a self, mask: &'a [bool], ink: &'a Plane, along_rows: bool) -> Strip<'a> {
        Strip {
            mask,
            ink,
            area: &self.area,
            along_rows,
            writing: 0.0,
        }
    }
}

/// Pixels of ink that lies in the bands of the rules and nowhere else: darker or thicker stretches and the remains of crossings.
fn leftovers(strip: &Strip, rules: &[Rule]) -> Vec<usize> {
    let (width, height) = (strip.ink.width, strip.ink.height);
    let area = strip.area;
    // By pixel of the area.
    let local = |at: usize| {
        let (x, y) = (at % width, at / width);
        let inside = (area.left..area.right).contains(&x) && (area.top..area.bottom).contains(&y);
        inside.then(|| (y - area.top) * area.width() + x - area.left)
    };
    let mut in_band = vec![false; area.width() * area.height()];
    let (along, across) = strip.spans();
    let mut banded = Vec::new();
    for rule in rules {
        let reach = rule.width / 2.0 + LEFTOVER_REACH;
        for position in along.clone() {
            let Some(middle) = rule.at(position as f32) else {
                continue;
            };
            let first = ((middle - reach).max(0.0) as usize).max(across.start);
            let end = ((middle + reach) as usize + 1).min(across.end);
            for at in (first..end).map(|side| strip.index(position, side)) {
                if let Some(place) = local(at) {
                    in_band[place] = true;
                    banded.push(at);
                }
            }
        }
    }
    let mut seen = vec![false; in_band.len()];
    let mut pixels = Vec::new();
    for start in banded.into_iter().filter(|&at| strip.mask[at]) {
        if local(start).is_none_or(|place| std::mem::replace(&mut seen[place], true)) {
            continue;
        }
        let (mut piece, mut next, mut stays) = (vec![start], 0, true);
        while let Some(&at) = piece.get(next) {
            next += 1;
            for beside in neighbours(at, width, height).filter(|&beside| strip.mask[beside]) {
                match local(beside).filter(|&place| in_band[place]) {
                    None => stays = false,
                    Some(place) if !seen[place] => {
                        seen[place] = true;
                        piece.push(beside);
                    }
                    Some(_) => {}
                }
            }
        }
        if stays {
            pixels.extend(piece);
        }
    }
    pixels
}

/// The fragments that are sides of boxes: straight from one of the rules that they meet to another, through the letters that touch them.
/// A page without rules in one direction has no boxes.
fn sides(strip: &Strip, fragments: Vec<Rule>, met: &[Rule], along: &[Rule]) -> Vec<Rule> {
    let meets = |rule: &Rule, end: &CrossSection, gap: f32| {
        // At a corner, the rule itself ends at the side.
        let (first, last) = (rule.sections[0], rule.sections[rule.sections.len() - 1]);
        let corner = rule.width + end.width() + SIDE_GAP;
        let at = end.middle().clamp(first.along as f32, last.along as f32);
        (at - end.middle()).abs() <= corner
            && rule.at(at).is_some_and(|middle| {
                (end.along as f32 + 0.5 - middle).abs() <= rule.width / 2.0 + gap
            })
    };
    let is_side = |fragment: &Rule, gap: f32| {
        let (first, last) = (
            fragment.sections[0],
            fragment.sections[fragment.sections.len() - 1],
        );
        let straight = (last.middle() - first.middle()).abs() <= MAX_SLOPE * fragment.length();
        let begins = met.iter().position(|rule| meets(rule, &first, gap));
        let ends = met.iter().position(|rule| meets(rule, &last, gap));
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
    if met.len() < 2 {
        return Vec::new();
    }
    // A letter's stem may lead from one rule to another as well.
    let of = |value: fn(&Rule) -> f32| {
        let mut values: Vec<f32> = met.iter().map(value).collect();
        median(&mut values).unwrap_or(0.0)
    };
    let (width, ink) = (of(|rule| rule.width), of(|rule| rule.ink));
    let is_like_others = |part: &Rule| {
        part.width <= MAX_RELATIVE_WIDTH * width + MAX_EXTRA_WIDTH && part.ink >= MIN_SIDE_INK * ink
    };
    let mut found = Vec::new();
    for fragment in fragments {
        if is_side(&fragment, SIDE_GAP) {
            found.push(fragment);
            continue;
        }
        // Sides of boxes above each other may be one fragment.
        let parts = unbroken(strip, &fragment).into_iter();
        let parts = parts.filter(is_like_others);
        let parts = parts.filter_map(|part| continued(strip, &part));
        found.extend(parts.filter(|part| is_side(part, JOINED_GAP)));
    }
    found
}

/// A fragment's parts between stretches of paper.
fn unbroken(strip: &Strip, fragment: &Rule) -> Vec<Rule> {
    let is_paper = |position: usize| {
        fragment
            .at(position as f32)
            .is_some_and(|middle| !strip.mask[strip.index(position, middle as usize)])
    };
    let joined = |pair: &[CrossSection; 2]| {
        let between = pair[0].along + 1..pair[1].along;
        between.filter(|&position| is_paper(position)).count() <= MAX_BLANK
    };
    let parts = fragment
        .sections
        .chunk_by(|a, b| joined(&[*a, *b]))
        .map(|part| strip.measured(part.to_vec()));
    parts.collect()
}

/// A fragment with the straight stretches before, in and after it that ink on one of its sides makes wider; `None` if it is too short to
/// tell where it leads.
fn continued(strip: &Strip, fragment: &Rule) -> Option<Rule> {
    let (first, last) = (
        fragment.sections[0],
        fragment.sections[fragment.sections.len() - 1],
    );
    if fragment.length() < MIN_SIDE * fragment.width {
        return None;
    }
    let slope = (last.middle() - first.middle()) / (last.along - first.along).max(1) as f32;
    if slope.abs() > MAX_SLOPE {
        return None;
    }
    let (along, across) = strip.spans();
    let half = fragment.width / 2.0;
    let is_ink = |position: usize, side: f32| {
        let inside = side >= across.start as f32 && side < across.end as f32;
        inside && strip.mask[strip.index(position, side as usize)]
    };
    let expected = |position: usize| {
        fragment
            .at(position as f32)
            .unwrap_or_else(|| first.middle() + slope * (position as f32 - first.along as f32))
    };
    let goes_on = |position: &usize| is_ink(*position, expected(*position));
    let start = (along.start..first.along).rev().take_while(goes_on).last();
    let end = (last.along + 1..along.end).take_while(goes_on).last();
    let range = start.unwrap_or(first.along)..=end.unwrap_or(last.along);
    let mut seen = fragment.sections.iter().copied().peekable();
    let mut sections = Vec::new();
    for position in range {
        if let Some(section) = seen.next_if(|section| section.along == position) {
            sections.push(section);
            continue;
        }
        let middle = expected(position);
        // Strokes that cross it stay.
        let crosses = [-1.0, 1.0]
            .iter()
            .all(|side| is_ink(position, middle + side * (half + CROSSING_STROKE)));
        if is_ink(position, middle) && !crosses {
            let from = (middle - half).round().max(across.start as f32) as usize;
            let to = ((middle + half).round() as usize).min(across.end);
            sections.push(CrossSection {
                along: position,
                first: from.min(to),
                end: to,
            });
        }
    }
    Some(strip.measured(sections))
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
