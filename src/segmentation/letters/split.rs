//! Splits connected ink that is clearly several letters wide.
//!
//! Letters that touch are cut along the seam from top to bottom that crosses the least ink; it may lean, because letters do.
//! Only ink wider than any single letter is cut here: which of the narrower components are pairs is for a reader to say
//! ([`oversegmentation`](super::oversegmentation)).

use std::collections::HashMap;

use super::components::{Component, Components};
use super::seams::{Seam, seams};
use crate::progress::CancelToken;
use crate::segmentation::geometry::Area;

/// Least width of a component that is split, in its own heights: 95 % of the M and W among NIST36's training letters are
/// narrower than 1.75 times their own height.
const MIN_WIDTH: f32 = 1.8;
/// The same for parts of a component that was split already: its letters are known to touch.
const MIN_WIDTH_TOUCHING: f32 = 1.4;
/// Most ink that a seam may cross, in stroke widths: one stroke, met at an angle. Two strokes are the sides of an O.
const MAX_INK: f32 = 1.7;
/// Least width of a part, in letter heights.
const MIN_PART_WIDTH: f32 = 0.4;
/// Minimum height of a part, in letter heights.
const MIN_PART_HEIGHT: f32 = 0.6;
/// What a seam at the side costs more than one in the middle, in stroke widths of ink.
const OFF_CENTRE: f32 = 0.5;

/// A cut through touching letters.
pub(in crate::segmentation) struct Split {
    /// Label of the component before it was split.
    pub origin: u32,
    /// Ink that the seam crosses, in pixels.
    pub ink: f32,
}

/// The splits of a page, by the label of the part on the right of the seam.
pub(in crate::segmentation) type Splits = HashMap<u32, Split>;

/// Splits every wide component of `kept`, again and again, until it is cancelled; new parts are added to both lists.
pub(in crate::segmentation) fn split_wide(
    components: &mut Components,
    kept: &mut Vec<u32>,
    letter_height: f32,
    stroke_width: f32,
    cancel: &CancelToken,
) -> Splits {
    let mut splits = Splits::new();
    for index in 0..kept.len() {
        let mut limit = MIN_WIDTH;
        let origin = kept[index];
        let mut waiting = vec![origin];
        while let Some(label) = waiting.pop()
            && !cancel.is_cancelled()
        {
            let cut = cut(components, label, limit, letter_height, stroke_width);
            if let Some((right, ink)) = cut {
                splits.insert(right, Split { origin, ink });
                kept.push(right);
                waiting.extend([label, right]);
                limit = MIN_WIDTH_TOUCHING;
            }
        }
    }
    splits
}

/// Cuts a component once if it is wider than `limit` times its height and has a cheap seam; returns the label of the right part
/// and the ink that the seam crosses, in pixels.
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
    let margin = (MIN_PART_WIDTH * letter_height) as usize;
    let seam = best_seam(&mask, whole.bounds.width(), margin, stroke_width)?;
    let parts = parts(&mask, &whole, &seam)?;
    let high_enough =
        |part: &Component| part.bounds.height() as f32 >= MIN_PART_HEIGHT * letter_height;
    if seam.ink > MAX_INK * stroke_width || !parts.iter().all(high_enough) {
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

/// The seam with the least ink that stays `margin` pixels away from both sides; seams in the middle are preferred.
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

/// The parts left and right of a seam, both with the whole's label; `None` if one has no ink.
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
