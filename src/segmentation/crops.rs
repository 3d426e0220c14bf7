//! A letter -> a [`Crop`]: the small square picture that a recogniser reads, drawn like the images that it learned from.
//!
//! Only the ink of the letter's own pieces is shown. Its outline is traced on a fine grid, the pen is brought to one width,
//! and the grid is reduced by area averaging.

use rayon::prelude::*;

use super::binarize::BinaryPage;
use super::components::Components;
use super::geometry::Area;
use super::letters::Letter;
use super::plane::{Plane, distances_inside};

/// Longer side of the letter as part of the crop: 25 px of 32. The course's letters (NIST36) have 25.5 on average.
const LETTER_PART: f32 = 25.0 / 32.0;
/// Width of the pen as part of the crop: 2.75 px of 32, which is the mean pen of the NIST36 stand-in; measured alike, the
/// real NIST letters have 3 % more than that set.
const PEN_PART: f32 = 2.75 / 32.0;
/// The pen is made thinner by at most this part of its width: more breaks the strokes that are thinner than most.
const MOST_THINNING: f32 = 0.4;
/// Fine grid points a crop pixel, along each side; the course's letters were reduced from binary images of this kind.
const GRID: usize = 4;
/// Largest enlargement from working pixels to the fine grid: a mark of a few pixels stays a mark.
const MOST_ENLARGEMENT: f32 = 16.0;

/// A letter's square picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Crop {
    /// Rows and columns.
    pub size: usize,
    /// `size * size` values in [0, 1], row by row; paper is 1 and ink is 0.
    pub pixels: Vec<f32>,
}

/// Draws a letter of a page whose pen is `stroke_width` working pixels wide.
pub(super) fn crop(
    page: &BinaryPage,
    components: &Components,
    letter: &Letter,
    stroke_width: f32,
    size: usize,
) -> Crop {
    let grid = size * GRID;
    let placing = Placing::of(&letter.bounds, stroke_width, grid as f32);
    let tile = own_ink(page, components, letter);
    let mut mask: Vec<bool> = (0..grid * grid)
        .map(|at| {
            let (x, y) = ((at % grid) as f32 + 0.5, (at / grid) as f32 + 0.5);
            placing.ink_at(&tile, x, y) > page.low
        })
        .collect();
    // The outline runs half a grid point beyond the ink's outermost points.
    if placing.growth > 0.0 {
        let paper: Vec<bool> = mask.iter().map(|ink| !ink).collect();
        let distances = distances_inside(&paper, grid, grid);
        // Beyond the grid counts as no paper, so that the distance there is to the grid's edge: ask for ink nearby too.
        for at in 0..mask.len() {
            mask[at] |=
                distances[at] <= placing.growth + 0.5 && !at_rim(at, grid, placing.growth + 0.5);
        }
    } else {
        let distances = distances_inside(&mask, grid, grid);
        for at in 0..mask.len() {
            mask[at] &= distances[at] > 0.5 - placing.growth;
        }
    }
    Crop {
        size,
        pixels: reduce(&mask, size),
    }
}

/// Whether a grid point is so near the grid's edge that its distance may be that to the edge.
fn at_rim(at: usize, grid: usize, reach: f32) -> bool {
    let (x, y) = (at % grid, at / grid);
    let nearest = x.min(y).min(grid - 1 - x).min(grid - 1 - y);
    (nearest as f32) < reach
}

/// How a letter lies on the fine grid.
struct Placing {
    /// Grid points a working pixel.
    scale: f32,
    /// Middle of the letter's ink in the tile, in working pixels.
    centre: (f32, f32),
    /// Middle of the grid.
    middle: f32,
    /// What the pen gains on either side, in grid points; negative where it is made thinner.
    growth: f32,
}

impl Placing {
    /// The letter's middle lines are scaled and the pen is added: the pen's width doesn't depend on the letter's size.
    fn of(bounds: &Area, stroke_width: f32, grid: f32) -> Placing {
        let (target, pen) = (LETTER_PART * grid, PEN_PART * grid);
        let longer = bounds.longer_side() as f32;
        let lines = (longer - stroke_width).max(1.0);
        let mut scale = ((target - pen) / lines).min(MOST_ENLARGEMENT);
        let mut growth = (pen - stroke_width * scale) / 2.0;
        let thinnest = -MOST_THINNING * stroke_width * scale / 2.0;
        if growth < thinnest {
            scale = target / (longer - MOST_THINNING * stroke_width).max(1.0);
            growth = -MOST_THINNING * stroke_width * scale / 2.0;
        }
        Placing {
            scale,
            centre: (
                TILE_RIM as f32 + bounds.width() as f32 / 2.0,
                TILE_RIM as f32 + bounds.height() as f32 / 2.0,
            ),
            middle: grid / 2.0,
            growth,
        }
    }

    fn ink_at(&self, tile: &Plane, x: f32, y: f32) -> f32 {
        let x = (x - self.middle) / self.scale + self.centre.0;
        let y = (y - self.middle) / self.scale + self.centre.1;
        tile.sample(x, y)
    }
}

/// Working pixels around the letter that its tile shows: the outline passes between ink and paper.
const TILE_RIM: usize = 2;

/// The letter's ink with a rim; other pieces are bare paper, and paper stays below the threshold.
fn own_ink(page: &BinaryPage, components: &Components, letter: &Letter) -> Plane {
    let bounds = &letter.bounds;
    let (width, height) = (
        bounds.width() + 2 * TILE_RIM,
        bounds.height() + 2 * TILE_RIM,
    );
    let mut tile = Plane::filled(width, height, 0.0);
    // The outermost pixels stay 0: beyond the tile its edge is repeated.
    for y in 1..height - 1 {
        for x in 1..width - 1 {
            let inside = |position: usize, first: usize, length: usize| {
                (position + first)
                    .checked_sub(TILE_RIM)
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
            tile.values[y * width + x] = if letter.parts.contains(&label) {
                page.ink.values[at]
            } else if label == 0 {
                page.ink.values[at].min(page.low)
            } else {
                0.0
            };
        }
    }
    tile
}

/// Share of paper under each pixel of the crop.
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

/// Crops of many letters, in their order.
pub(super) fn crops<'a>(
    page: &BinaryPage,
    components: &Components,
    letters: impl IntoIterator<Item = &'a Letter>,
    stroke_width: f32,
    size: usize,
) -> Vec<Crop> {
    let letters: Vec<&Letter> = letters.into_iter().collect();
    letters
        .par_iter()
        .map(|letter| crop(page, components, letter, stroke_width, size))
        .collect()
}
