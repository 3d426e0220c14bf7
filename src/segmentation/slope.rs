//! How lines slant: the slope that gathers the middles of letters in the fewest rows.

use super::geometry::MAX_SLANT;
use super::letters::glyphs::Glyph;

/// Steepest slope that is tried, in rows per column: [`MAX_SLANT`] either way.
const MAX_SLOPE: f32 = 0.25;
/// Step between the slopes that are tried: a quarter of a degree.
const SLOPE_STEP: f32 = 0.005;
/// Bins of the slope's histogram, in letter heights.
const SLOPE_BIN: f32 = 0.25;
/// Fraction of its score that a page loses per unit of slope: decides for a level page where the histogram can't (a single line of few
/// letters).
const SLOPE_PENALTY: f32 = 0.5;
/// Step between the angles at which steep lines are searched, in degrees.
const ANGLE_STEP: f32 = 0.5;
/// Steep lines gather letters this many times as sharply as level or upright ones: the diagonals of a grid do so less than its rows.
const MIN_STEEP_CONTRAST: f32 = 1.5;
/// Fewest letters that tell a steep slant.
const MIN_STEEP_LETTERS: usize = 8;

/// Row of a letter's middle on the levelled page.
pub(super) fn level_row(letter: &Glyph, slope: f32) -> f32 {
    let (x, y) = letter.bounds.centre();
    y - slope * x
}

/// The slope that gathers the middles of these letters in the fewest rows: largest sum of squares of their histogram.
pub(super) fn slope_of(letters: &[Glyph], of: &[usize], letter_height: f32) -> f32 {
    let steps = (MAX_SLOPE / SLOPE_STEP).round() as i32;
    let bin = SLOPE_BIN * letter_height;
    let mut best = (f32::MIN, 0.0);
    for step in -steps..=steps {
        let slope = step as f32 * SLOPE_STEP;
        let mut rows: Vec<f32> = of
            .iter()
            .map(|&i| level_row(&letters[i], slope) / bin)
            .collect();
        rows.sort_by(f32::total_cmp);
        let sharpness = sharpness(&rows) * (1.0 - SLOPE_PENALTY * slope.abs());
        if sharpness > best.0 || (sharpness == best.0 && slope.abs() < f32::abs(best.1)) {
            best = (sharpness, slope);
        }
    }
    best.1
}

/// The angle, in radians from level, by which lines fall from left to right if it is too steep for [`slope_of`]; `None` on other pages.
pub(super) fn steep_slant(letters: &[Glyph], letter_height: f32) -> Option<f32> {
    if letters.len() < MIN_STEEP_LETTERS {
        return None;
    }
    let bin = SLOPE_BIN * letter_height;
    let (mut level, mut steep) = (0.0f32, (0.0, 0.0));
    let steps = (90.0 / ANGLE_STEP) as i32;
    for step in 1 - steps..=steps {
        let degrees = step as f32 * ANGLE_STEP;
        let (sin, cos) = degrees.to_radians().sin_cos();
        let mut rows: Vec<f32> = letters
            .iter()
            .map(|letter| letter.bounds.centre())
            .map(|(x, y)| (y * cos - x * sin) / bin)
            .collect();
        rows.sort_by(f32::total_cmp);
        let sharpness = sharpness(&rows);
        if degrees.abs() <= MAX_SLANT || degrees.abs() >= 90.0 - MAX_SLANT {
            level = level.max(sharpness);
        } else if sharpness > steep.0 {
            steep = (sharpness, degrees);
        }
    }
    (steep.0 >= MIN_STEEP_CONTRAST * level).then(|| steep.1.to_radians())
}

/// Sum of squares of a histogram with unit bins; each count is shared between the two nearest bins.
fn sharpness(sorted: &[f32]) -> f32 {
    let (mut sum, mut bin, mut here, mut next) = (0.0, f32::MIN, 0.0, 0.0);
    for &row in sorted {
        let floor = row.floor();
        while bin < floor && (here > 0.0 || next > 0.0) {
            sum += here * here;
            (here, next, bin) = (next, 0.0, bin + 1.0);
        }
        bin = floor;
        here += 1.0 - (row - floor);
        next += row - floor;
    }
    sum + here * here + next * next
}
