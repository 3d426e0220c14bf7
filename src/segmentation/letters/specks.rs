//! Ink that is smaller than a mark: full stops and dots of a thin pen, which no letter is made of.

use super::components::{Component, Components};
use super::glyphs::Glyph;
use crate::segmentation::statistics::weighted_median;

/// Least longer side of a dot, in pens: a pen that touches paper leaves its own width.
const MIN_SIDE: f32 = 0.8;
/// Least shorter side, in pens.
const MIN_BREADTH: f32 = 0.5;
/// Longest side of a speck in letter heights: what is larger is a letter or a mark.
const SPECK: f32 = 0.18;
/// Least contrast as a part of the median: a full stop is as dark as the letters.
const MIN_CONTRAST: f32 = 0.6;
/// More specks than this per letter are the paper's, not the writer's.
const MAX_PER_LETTER: usize = 2;

/// Components that may be dots, if the page is not full of them.
pub(in crate::segmentation) fn specks(
    components: &Components,
    letters: usize,
    letter_height: f32,
    stroke_width: f32,
) -> Vec<Glyph> {
    let contrasts = components.list.iter();
    let contrasts = contrasts.map(|component| (component.contrast, component.ink));
    let contrast = weighted_median(contrasts.collect()).unwrap_or(0.0);
    let is_dot = |component: &&Component| {
        let (width, height) = (
            component.bounds.width() as f32,
            component.bounds.height() as f32,
        );
        width.max(height) < SPECK * letter_height
            && width.max(height) >= MIN_SIDE * stroke_width
            && width.min(height) >= MIN_BREADTH * stroke_width
            && component.contrast >= MIN_CONTRAST * contrast
            && !component.at_edge
    };
    let dots: Vec<Glyph> = components
        .list
        .iter()
        .filter(is_dot)
        .map(|component| Glyph {
            bounds: component.bounds,
            parts: vec![component.label],
        })
        .collect();
    if dots.len() > MAX_PER_LETTER * letters {
        return Vec::new();
    }
    dots
}
