//! Pieces that are clearly several letters wide -> one piece a letter.
//!
//! Letters that touch are cut along the seam from top to bottom that crosses the least ink; it may lean, because letters do.
//! Only pieces wider than any single letter are cut: which of the narrower ones are pairs is for a reader to say.

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
struct Seam {
    columns: Vec<usize>,
    /// Ink that it crosses, in pixels.
    ink: f32,
}

/// Cuts every wide piece of `kept`, again and again; new pieces are added to both lists.
pub(super) fn split_wide(
    components: &mut Components,
    kept: &mut Vec<u32>,
    letter_height: f32,
    stroke_width: f32,
) {
    for index in 0..kept.len() {
        let mut limit = SEVERAL_LETTERS;
        let mut waiting = vec![kept[index]];
        while let Some(label) = waiting.pop() {
            if let Some(right) = cut(components, label, limit, letter_height, stroke_width) {
                kept.push(right);
                waiting.extend([label, right]);
                limit = TOUCHING_LETTERS;
            }
        }
    }
}

/// Cuts a piece once if it is wider than `limit` letter heights and has a cheap seam; returns the label of the right part.
fn cut(
    components: &mut Components,
    label: u32,
    limit: f32,
    letter_height: f32,
    stroke_width: f32,
) -> Option<u32> {
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
    Some(new)
}

/// The seam with the least ink, those in the middle preferred, that stays `margin` away from both sides.
fn best_seam(mask: &[bool], width: usize, margin: usize, stroke_width: f32) -> Option<Seam> {
    let height = mask.len() / width;
    let (first, end) = (margin.max(1), width.saturating_sub(margin));
    if first >= end || height == 0 {
        return None;
    }
    // costs[y][x]: the least cost from the top row to this pixel; steps[y][x]: the column in the row above.
    let mut costs = vec![f32::INFINITY; width];
    let mut steps = vec![0; mask.len()];
    for y in 0..height {
        let above = std::mem::replace(&mut costs, vec![f32::INFINITY; width]);
        for x in first..end {
            let ink = f32::from(mask[y * width + x]);
            if y == 0 {
                costs[x] = ink;
                continue;
            }
            let near = x.max(first + 1) - 1..(x + 2).min(end);
            for (from, above) in near.clone().zip(&above[near]) {
                // A diagonal step is longer and crosses as much more ink.
                let step = if from == x {
                    ink
                } else {
                    ink * std::f32::consts::SQRT_2 + SIDEWAYS
                };
                if above + step < costs[x] {
                    costs[x] = above + step;
                    steps[y * width + x] = from;
                }
            }
        }
    }
    let centre = width as f32 / 2.0;
    (first..end)
        .map(|bottom| {
            let columns = trace(&steps, width, height, bottom);
            let middle = columns.iter().sum::<usize>() as f32 / height as f32;
            let aside = (middle - centre).abs() / centre;
            (
                costs[bottom] + OFF_CENTRE * stroke_width * aside,
                bottom,
                columns,
            )
        })
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, bottom, columns)| Seam {
            columns,
            ink: costs[bottom],
        })
}

/// Follows the steps from a column of the bottom row up.
fn trace(steps: &[usize], width: usize, height: usize, bottom: usize) -> Vec<usize> {
    let mut columns = vec![bottom; height];
    for y in (1..height).rev() {
        columns[y - 1] = steps[y * width + columns[y]];
    }
    columns
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
