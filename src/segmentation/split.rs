//! Pieces that are clearly several letters wide -> one piece a letter.
//!
//! Letters that touch are cut along the seam from top to bottom that crosses the least ink; it may lean, because letters do.
//! Only pieces wider than any single letter are cut: which of the narrower ones are pairs is for a reader to say.

use std::collections::HashMap;

use super::components::{Component, Components};
use super::geometry::Area;

/// A piece this much wider than a letter is high holds several: in NIST36's training letters 95 of 100 M and W are narrower
/// than 1.75 times their own height.
const SEVERAL_LETTERS: f32 = 1.8;
/// The same for the parts of a piece that was cut already: its letters are known to touch.
const TOUCHING_LETTERS: f32 = 1.4;
/// Ink that a seam may cross, in stroke widths: one stroke, met at an angle. Two are the sides of an O.
const MOST_INK: f32 = 1.7;
/// Narrowest part that a cut leaves, in letter heights.
const NARROWEST: f32 = 0.4;
/// Lowest part that a cut leaves, in letter heights.
const LOWEST: f32 = 0.6;
/// What a seam at the side costs more than one in the middle, in stroke widths.
const OFF_CENTRE: f32 = 0.5;
/// What a sideways step costs in pixels of ink: between equal seams the straighter one is taken.
const SIDEWAYS: f32 = 0.05;

/// A way from the top row to the bottom row: all pixels of row `y` left of `columns[y]` are on its left.
pub(super) struct Seam {
    pub columns: Vec<usize>,
    /// Ink that it crosses, in pixels.
    pub ink: f32,
    /// Ink and sideways steps.
    pub cost: f32,
}

/// Where pieces were cut off: by the label of the part on the right, the label of what it was part of and the ink that the
/// seam on its left crosses, in pixels.
pub(super) type Tears = HashMap<u32, (u32, f32)>;

/// Cuts every wide piece of `kept`, again and again; new pieces are added to both lists.
pub(super) fn split_wide(
    components: &mut Components,
    kept: &mut Vec<u32>,
    letter_height: f32,
    stroke_width: f32,
) -> Tears {
    let mut tears = Tears::new();
    for index in 0..kept.len() {
        let mut limit = SEVERAL_LETTERS;
        let whole = kept[index];
        let mut waiting = vec![whole];
        while let Some(label) = waiting.pop() {
            let parts = cut(components, label, limit, letter_height, stroke_width);
            if let Some((right, ink)) = parts {
                tears.insert(right, (whole, ink));
                kept.push(right);
                waiting.extend([label, right]);
                limit = TOUCHING_LETTERS;
            }
        }
    }
    tears
}

/// Cuts a piece once if it is wider than `limit` letter heights and has a cheap seam; returns the label of the right part
/// and the ink that the seam crosses.
fn cut(
    components: &mut Components,
    label: u32,
    limit: f32,
    letter_height: f32,
    stroke_width: f32,
) -> Option<(u32, f32)> {
    let whole = components.get(label)?.clone();
    let height = (whole.bounds.height() as f32).max(letter_height);
    if (whole.bounds.width() as f32) < limit * height {
        return None;
    }
    let mask = components.mask_in(&whole.bounds, label);
    let margin = (NARROWEST * letter_height) as usize;
    let seam = best_seam(&mask, whole.bounds.width(), margin, stroke_width)?;
    let parts = parts(&mask, &whole, &seam)?;
    let high_enough = |part: &Component| part.bounds.height() as f32 >= LOWEST * letter_height;
    if seam.ink > MOST_INK * stroke_width || !parts.iter().all(high_enough) {
        return None;
    }
    let [left, mut right] = parts;
    right.label = components.list.len() as u32 + 1;
    for (row, &column) in seam.columns.iter().enumerate() {
        let start = (whole.bounds.top + row) * components.width + whole.bounds.left;
        let cells = &mut components.labels[start..start + whole.bounds.width()];
        for cell in cells[column..].iter_mut().filter(|cell| **cell == label) {
            *cell = right.label;
        }
    }
    let new = right.label;
    components.list[label as usize - 1] = left;
    components.list.push(right);
    Some((new, seam.ink))
}

/// The seam with the least ink, those in the middle preferred, that stays `margin` away from both sides.
fn best_seam(mask: &[bool], width: usize, margin: usize, stroke_width: f32) -> Option<Seam> {
    let centre = width as f32 / 2.0;
    let cost = |seam: &Seam| {
        let middle = seam.columns.iter().sum::<usize>() as f32 / seam.columns.len() as f32;
        seam.ink + OFF_CENTRE * stroke_width * (middle - centre).abs() / centre
    };
    let half_way = mask.len() / width / 2;
    seams(mask, width, margin, half_way)
        .into_iter()
        .map(|seam| (cost(&seam), seam))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, seam)| seam)
}

/// The cheapest seam through each column of one row that stays `margin` away from both sides. They don't cross.
pub(super) fn seams(mask: &[bool], width: usize, margin: usize, at: usize) -> Vec<Seam> {
    let height = mask.len() / width;
    let (first, end) = (margin.max(1), width.saturating_sub(margin));
    if first >= end || at >= height {
        return Vec::new();
    }
    let row = |y: usize| &mask[y * width..(y + 1) * width];
    let from_top = Ways::of((0..=at).map(row), first..end);
    let from_bottom = Ways::of((at..height).rev().map(row), first..end);
    (first..end)
        .map(|column| {
            let mut columns = from_top.back_from(column);
            columns.reverse();
            columns.extend(from_bottom.back_from(column).into_iter().skip(1));
            let here = f32::from(mask[at * width + column]);
            let cost = from_top.costs[column - first] + from_bottom.costs[column - first] - here;
            let ink = ink_crossed(mask, width, &columns);
            Seam { columns, ink, cost }
        })
        .collect()
}

/// Ink under a way, in pixels; a diagonal step is longer and crosses as much more.
fn ink_crossed(mask: &[bool], width: usize, columns: &[usize]) -> f32 {
    let pixels = columns
        .iter()
        .enumerate()
        .filter(|&(y, &x)| mask[y * width + x]);
    pixels
        .map(|(y, &x)| match y > 0 && columns[y - 1] != x {
            true => std::f32::consts::SQRT_2,
            false => 1.0,
        })
        .sum()
}

/// The cheapest way from the first of some rows to each column of the last.
struct Ways {
    first: usize,
    /// By column of the last row.
    costs: Vec<f32>,
    /// By row after the first: the column in the row before.
    steps: Vec<Vec<usize>>,
}

impl Ways {
    /// `rows` follow each other; ways stay inside `columns`.
    fn of<'a>(rows: impl Iterator<Item = &'a [bool]>, columns: std::ops::Range<usize>) -> Ways {
        let mut ways = Ways {
            first: columns.start,
            costs: vec![0.0; columns.len()],
            steps: Vec::new(),
        };
        for (y, row) in rows.enumerate() {
            let row = &row[columns.clone()];
            if y == 0 {
                ways.costs = row.iter().map(|&ink| f32::from(ink)).collect();
                continue;
            }
            let before = &ways.costs;
            let best = |x: usize| {
                let ink = f32::from(row[x]);
                let straight = (before[x] + ink, x);
                let aside = ink * std::f32::consts::SQRT_2 + SIDEWAYS;
                let left = x.checked_sub(1).map(|x| (before[x] + aside, x));
                let right = Some(x + 1).filter(|&x| x < before.len());
                let right = right.map(|x| (before[x] + aside, x));
                [left, right]
                    .into_iter()
                    .flatten()
                    .fold(
                        straight,
                        |best, way| if way.0 < best.0 { way } else { best },
                    )
            };
            let (costs, steps) = (0..row.len()).map(best).unzip();
            ways.costs = costs;
            ways.steps.push(steps);
        }
        ways
    }

    /// The columns from the last row back to the first.
    fn back_from(&self, column: usize) -> Vec<usize> {
        let mut at = column - self.first;
        let mut columns = vec![column];
        for steps in self.steps.iter().rev() {
            at = steps[at];
            columns.push(at + self.first);
        }
        columns
    }
}

/// The pieces left and right of a seam, both with the whole's label; `None` if one has no ink.
fn parts(mask: &[bool], whole: &Component, seam: &Seam) -> Option<[Component; 2]> {
    let width = whole.bounds.width();
    let mut bounds: [Option<Area>; 2] = [None; 2];
    let mut ink = [0; 2];
    for at in (0..mask.len()).filter(|&at| mask[at]) {
        let (x, y) = (at % width, at / width);
        let side = usize::from(x >= seam.columns[y]);
        let pixel = Area::pixel(whole.bounds.left + x, whole.bounds.top + y);
        bounds[side] = Some(bounds[side].map_or(pixel, |area| area.union(&pixel)));
        ink[side] += 1;
    }
    let part = |side: usize| {
        Some(Component {
            bounds: bounds[side]?,
            ink: ink[side],
            ..whole.clone()
        })
    };
    Some([part(0)?, part(1)?])
}
