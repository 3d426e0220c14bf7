//! The ink of one letter, cut out of its page, and the small square image that a recogniser reads.

use super::distance::dilated;
use super::letters::components::Components;
use super::letters::glyphs::Glyph;
use super::page::binarize::BinaryPage;
use super::plane::{LinearTaps, Plane, Taps};

/// Longer side of the letter as a fraction of the crop: 25 px of 32. The course's letters (NIST36) have 25.5 on average.
const LETTER_PART: f32 = 25.0 / 32.0;
/// Width of the pen as a fraction of the crop: 2.75 px of 32, the mean pen of the NIST36 stand-in; measured the same way, the
/// pen of the real NIST letters is 3 % wider.
const PEN_PART: f32 = 2.75 / 32.0;
/// The pen is thinned by at most this part of its width: more breaks strokes that are thinner than most.
const MAX_THINNING: f32 = 0.4;
/// Fine grid points per crop pixel, along each side; the course's letters were reduced from binary images of this kind.
const GRID: usize = 4;
/// Largest enlargement from working pixels to the fine grid: a mark of a few pixels stays a mark.
const MAX_ENLARGEMENT: f32 = 16.0;
/// Working pixels of paper around the letter: the outline runs between ink and paper.
const RIM: usize = 2;

/// A letter's square image.
#[derive(Debug, Clone, PartialEq)]
pub struct Crop {
    /// Rows and columns.
    pub size: usize,
    /// `size * size` values in [0, 1], row by row; paper is 1 and ink is 0.
    pub pixels: Vec<f32>,
}

/// A letter's own ink with [`RIM`] pixels around it, in pixels of the working copy; everything else is bare paper.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ink {
    tile: Plane,
    /// Column and row of the working copy where the letter's box begins.
    origin: (usize, usize),
    /// Values above this are ink.
    threshold: f32,
    /// Width of the page's pen.
    stroke_width: f32,
}

impl Ink {
    /// Copies a letter's ink out of its page. Ink of other components is left out, and paper is kept below the threshold.
    pub fn of(page: &BinaryPage, components: &Components, glyph: &Glyph, stroke_width: f32) -> Ink {
        let bounds = &glyph.bounds;
        let (width, height) = (bounds.width() + 2 * RIM, bounds.height() + 2 * RIM);
        let mut tile = Plane::filled(width, height, 0.0);
        // The outermost pixels stay 0, because sampling repeats them beyond the tile.
        for y in 1..height - 1 {
            for x in 1..width - 1 {
                let inside = |position: usize, first: usize, length: usize| {
                    (position + first)
                        .checked_sub(RIM)
                        .filter(|&position| position < length)
                };
                let (Some(column), Some(row)) = (
                    inside(x, bounds.left, page.width),
                    inside(y, bounds.top, page.height),
                ) else {
                    continue;
                };
                let at = row * page.width + column;
                let label = components.labels[at];
                tile.values[y * width + x] = if glyph.parts.contains(&label) {
                    page.ink.values[at]
                } else if label == 0 {
                    page.ink.values[at].min(page.low)
                } else {
                    0.0
                };
            }
        }
        Ink {
            tile,
            origin: (bounds.left, bounds.top),
            threshold: page.low,
            stroke_width,
        }
    }

    /// The ink of both, from one page.
    pub fn with(&self, other: &Ink) -> Ink {
        let end = |ink: &Ink| {
            let (width, height) = (ink.tile.width - 2 * RIM, ink.tile.height - 2 * RIM);
            (ink.origin.0 + width, ink.origin.1 + height)
        };
        let (a, b) = (end(self), end(other));
        let left = self.origin.0.min(other.origin.0);
        let top = self.origin.1.min(other.origin.1);
        let (width, height) = (a.0.max(b.0) - left, a.1.max(b.1) - top);
        let mut tile = Plane::filled(width + 2 * RIM, height + 2 * RIM, 0.0);
        for ink in [self, other] {
            let (dx, dy) = (ink.origin.0 - left, ink.origin.1 - top);
            for (row, line) in ink.tile.values.chunks_exact(ink.tile.width).enumerate() {
                let start = (row + dy) * tile.width + dx;
                for (to, &from) in tile.values[start..].iter_mut().zip(line) {
                    *to = to.max(from);
                }
            }
        }
        Ink {
            tile,
            origin: (left, top),
            threshold: self.threshold,
            stroke_width: self.stroke_width,
        }
    }

    /// Draws the letter like the images that recognisers learn from: its outline is traced on a fine grid, the pen is brought
    /// to one width, and the grid is reduced by area averaging.
    pub fn crop(&self, size: usize) -> Crop {
        let grid = size * GRID;
        let placement = Placement::of(self, grid as f32);
        let mut mask = placement.ink(&self.tile, self.threshold, grid);
        placement.adjust_pen(&mut mask, grid);
        Crop {
            size,
            pixels: reduce(&mask, size),
        }
    }
}

/// How a letter lies on the fine grid.
struct Placement {
    /// Grid points per working pixel.
    scale: f32,
    /// Middle of the letter in the tile, in working pixels.
    centre: (f32, f32),
    /// Middle of the grid.
    middle: f32,
    /// What the pen gains on either side, in grid points; negative where it is thinned.
    growth: f32,
}

impl Placement {
    /// The letter's centre lines are scaled and the pen is added: the pen's width doesn't depend on the letter's size.
    fn of(ink: &Ink, grid: f32) -> Placement {
        let (width, height) = (ink.tile.width - 2 * RIM, ink.tile.height - 2 * RIM);
        let stroke_width = ink.stroke_width;
        let (target, pen) = (LETTER_PART * grid, PEN_PART * grid);
        let longer = width.max(height) as f32;
        let lines = (longer - stroke_width).max(1.0);
        let mut scale = ((target - pen) / lines).min(MAX_ENLARGEMENT);
        let mut growth = (pen - stroke_width * scale) / 2.0;
        let thinnest = -MAX_THINNING * stroke_width * scale / 2.0;
        if growth < thinnest {
            scale = target / (longer - MAX_THINNING * stroke_width).max(1.0);
            growth = -MAX_THINNING * stroke_width * scale / 2.0;
        }
        Placement {
            scale,
            centre: (
                RIM as f32 + width as f32 / 2.0,
                RIM as f32 + height as f32 / 2.0,
            ),
            middle: grid / 2.0,
            growth,
        }
    }

    /// Where on the grid the tile is above a threshold, bilinear between its pixels.
    fn ink(&self, tile: &Plane, threshold: f32, grid: usize) -> Vec<bool> {
        let along = |centre: f32, length: usize| -> Vec<LinearTaps> {
            let positions = (0..grid).map(|at| at as f32 + 0.5);
            let in_tile = positions.map(|at| (at - self.middle) / self.scale + centre);
            in_tile.map(|at| LinearTaps::at(at, length)).collect()
        };
        let columns = along(self.centre.0, tile.width);
        let mut mask = Vec::with_capacity(grid * grid);
        for row in along(self.centre.1, tile.height) {
            let lines = row.sources().map(|y| tile.row(y));
            mask.extend(columns.iter().map(|column| {
                let sources = column.sources();
                let across = |line: &[f32]| column.mix(|tap| line[sources[tap]]);
                row.mix(|tap| across(lines[tap])) > threshold
            }));
        }
        mask
    }

    /// Makes the pen thicker or thinner. The outline runs half a grid point beyond the ink's outermost points.
    fn adjust_pen(&self, mask: &mut [bool], grid: usize) {
        if self.growth > 0.0 {
            let reach = self.growth + 0.5;
            let near = dilated(mask, grid, reach, false);
            for at in 0..mask.len() {
                // Letters keep their distance from the rim.
                mask[at] |= near[at] && !at_rim(at, grid, reach);
            }
        } else {
            let paper: Vec<bool> = mask.iter().map(|ink| !ink).collect();
            let near = dilated(&paper, grid, 0.5 - self.growth, true);
            for at in 0..mask.len() {
                mask[at] &= !near[at];
            }
        }
    }
}

/// Whether a grid point is nearer to the grid's rim than the pen may grow.
fn at_rim(at: usize, grid: usize, reach: f32) -> bool {
    let (x, y) = (at % grid, at / grid);
    let nearest = x.min(y).min(grid - 1 - x).min(grid - 1 - y);
    (nearest as f32) < reach
}

/// Fraction of paper under each pixel of the crop.
fn reduce(mask: &[bool], size: usize) -> Vec<f32> {
    let grid = size * GRID;
    (0..size * size)
        .map(|at| {
            let (left, top) = (at % size * GRID, at / size * GRID);
            let ink = (top..top + GRID)
                .flat_map(|y| &mask[y * grid + left..y * grid + left + GRID])
                .filter(|&&ink| ink)
                .count();
            1.0 - ink as f32 / (GRID * GRID) as f32
        })
        .collect()
}
