//! Draws recorded strokes as a sample, with the plain pen or a random one.

use super::config::UnipenConfig;
use crate::data::glyphs::proportions as p;
use crate::handwriting::hand::{self, Variation};
use crate::handwriting::strokes::{self, Affine, Polyline, Ragged};
use crate::rng::{Rng, normal};

/// Longer side of a segment in the file's units.
pub const UNITS: f32 = 1000.0;

/// Width-to-height ratios outside this range are left unchanged (bars, J, 1).
const SQUARED_RANGE: (f32, f32) = (0.35, 3.0);

/// Exponent that pulls the ratio a little towards 1, because the letters of NIST36 are squarer than those of UNIPEN; the
/// value is the one that the UNIPEN stand-in for NIST36 was drawn with.
const SQUARED: f32 = 0.85;

/// How much wider letters are drawn: natural logarithm of the factor, and its standard deviation when `draw` is not 0. These and
/// the three below are the stand-in's as well.
const WIDER: f32 = 0.08;
const ASPECT_SPREAD: f32 = 0.12;

/// Longer side of the ink when `draw` is not 0, in pixels of a 32 x 32 image: standard deviation, and range.
const LONGER_SPREAD: f32 = 3.6;
const LONGER_RANGE: (f32, f32) = (16.0, 31.0);

/// Offset from the centre along each axis when `draw` is not 0: standard deviation in the same pixels.
const OFFSET_SPREAD: f32 = 0.9;

/// Minimum distance between the ink's box and the image's border.
const MARGIN: f32 = 0.25;

/// Standard deviations of the pen's width, of its natural logarithm, between the thinnest pen and the thickest.
const PEN_SPREADS: f32 = 5.0;

/// Width of a pen on paper in x-heights, for small marks: median and standard deviation of its natural logarithm. A
/// dot is as wide as the pen, so its size says how thick the pen is.
const PAPER_PEN: (f32, f32) = (0.2, 0.3);

/// Draws strokes with the plain pen, or (`vary`) a random one. `real_side` is the longer side of their box in x-heights,
/// where it is known: small marks are drawn with a pen as thick as reading would enlarge it.
pub(super) fn render(
    config: &UnipenConfig,
    strokes: &[Polyline],
    real_side: Option<f32>,
    edge: &mut Rng,
    vary: bool,
    out: &mut [f32],
) {
    let size = config.size;
    let unit = size as f32 / p::SIZE;
    let mut draw = |strength: f32| if vary { strength * normal(edge) } else { 0.0 };
    let longer = p::LONGER + draw(LONGER_SPREAD);
    let longer = longer.clamp(LONGER_RANGE.0, LONGER_RANGE.1) * unit;
    let room = (size as f32 - longer - 2.0 * MARGIN * unit).max(0.0) / 2.0;
    let middle = size as f32 / 2.0;
    let mut offset = || middle + (unit * draw(OFFSET_SPREAD)).clamp(-room, room);
    let centre = [offset(), offset()];
    let stretch = (WIDER + draw(ASPECT_SPREAD)).exp();
    let (thinnest, thickest) = (config.pen_min, config.pen_max);
    let spread = (thickest / thinnest).ln() / PEN_SPREADS;
    let pen = (thinnest * thickest).sqrt() * draw(spread).exp();
    let mut pen = pen.clamp(thinnest, thickest);
    if let Some(side) = real_side {
        let paper_pen = PAPER_PEN.0 * draw(PAPER_PEN.1).exp();
        pen = pen.max(strokes::crop_pen(side, longer, paper_pen));
    }

    let mut strokes = strokes.to_vec();
    if is_point(&strokes) {
        strokes = vec![vec![[0.0, 0.0]]];
    } else if vary && config.hand > 0.0 {
        let unit = 1.0 / UNITS;
        Affine::new(0.0, 0.0, unit, unit).apply_all(&mut strokes);
        let variation = Variation::MANY.scaled(config.hand);
        hand::rewrite(&mut strokes, &variation, edge);
        Affine::new(0.0, 0.0, UNITS, UNITS).apply_all(&mut strokes);
    }
    square(&mut strokes, stretch);
    strokes::fit(&mut strokes, longer, pen / 2.0, centre);
    let ragged = Ragged {
        strength: p::RAGGED * unit,
        rng: edge,
    };
    strokes::draw(&strokes, pen / 2.0, size, size, Some(ragged), out);
}

/// Whether all points are one.
fn is_point(strokes: &[Polyline]) -> bool {
    strokes::extent(strokes).is_none_or(|(low, high)| low == high)
}

/// Pulls the proportions a little towards the square, and multiplies the width by `stretch`.
fn square(strokes: &mut [Polyline], stretch: f32) {
    let Some((low, high)) = strokes::extent(strokes) else {
        return;
    };
    let ratio = (high[0] - low[0]).max(1.0) / (high[1] - low[1]).max(1.0);
    if ratio > SQUARED_RANGE.0 && ratio < SQUARED_RANGE.1 {
        let wider = stretch * ratio.powf(SQUARED - 1.0);
        Affine::new(0.0, 0.0, wider, 1.0).apply_all(strokes);
    }
}
