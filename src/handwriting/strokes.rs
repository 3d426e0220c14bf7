//! Rasterising pen strokes: shared by the synthetic glyphs, the pages and the UNIPEN segments.
//!
//! Strokes are polylines in pixel coordinates (x to the right, y down; pixel `(column, row)` covers the unit square whose centre is
//! `(column + 0.5, row + 0.5)`); the pen is round. Values are grey levels: 1 is paper, 0 is ink. Random numbers are drawn only for the edge of the ink.

use std::ops::Range;

use crate::rng::{NORMAL_LIMIT, Rng, normal};

/// A position: x to the right, y down.
pub type Point = [f32; 2];

/// The path of a pen between touching and leaving the paper. A single point is a dot.
pub type Polyline = Vec<Point>;

/// Half the width of the antialiased edge in pixels: the fraction of a pixel that a straight edge covers falls from 1 to 0
/// while the edge's distance from the pixel's centre goes from -0.5 to +0.5.
const EDGE: f32 = 0.5;

/// An affine map `(x, y) -> (xx x + xy y + x0, yx x + yy y + y0)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// Coefficient of x in the new x.
    pub xx: f32,
    /// Coefficient of y in the new x.
    pub xy: f32,
    /// Shift of x.
    pub x0: f32,
    /// Coefficient of x in the new y.
    pub yx: f32,
    /// Coefficient of y in the new y.
    pub yy: f32,
    /// Shift of y.
    pub y0: f32,
}

impl Affine {
    /// A shear (tangent, positive leans to the right) followed by a rotation (radians, positive turns clockwise) and
    /// one factor per axis; the origin is fixed.
    pub fn new(rotate: f32, shear: f32, scale_x: f32, scale_y: f32) -> Self {
        let (sin, cos) = rotate.sin_cos();
        Self {
            xx: cos * scale_x,
            xy: (-shear * cos - sin) * scale_x,
            x0: 0.0,
            yx: sin * scale_y,
            yy: (cos - shear * sin) * scale_y,
            y0: 0.0,
        }
    }

    /// The image of a point.
    pub fn apply(&self, [x, y]: Point) -> Point {
        [
            self.xx * x + self.xy * y + self.x0,
            self.yx * x + self.yy * y + self.y0,
        ]
    }

    /// Moves every point of the strokes.
    pub fn apply_all(&self, strokes: &mut [Polyline]) {
        for point in strokes.iter_mut().flatten() {
            *point = self.apply(*point);
        }
    }
}

/// The box around all points, `(lowest x and y, highest x and y)`; `None` without points.
pub fn extent(strokes: &[Polyline]) -> Option<(Point, Point)> {
    strokes.iter().flatten().fold(None, |found, &[x, y]| {
        Some(match found {
            None => ([x, y], [x, y]),
            Some((low, high)) => (
                [low[0].min(x), low[1].min(y)],
                [high[0].max(x), high[1].max(y)],
            ),
        })
    })
}

/// Moves and scales strokes so that the pen's ink on them is `longer` pixels long on its longer side and its box is
/// centred at `centre`. The pen's own width counts as ink.
pub fn fit(strokes: &mut [Polyline], longer: f32, radius: f32, centre: Point) {
    let Some((low, high)) = extent(strokes) else {
        return;
    };
    let side = (high[0] - low[0]).max(high[1] - low[1]).max(f32::EPSILON);
    let scale = (longer - 2.0 * radius).max(1.0) / side;
    let middle = [(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0];
    Affine {
        xx: scale,
        xy: 0.0,
        x0: centre[0] - scale * middle[0],
        yx: 0.0,
        yy: scale,
        y0: centre[1] - scale * middle[1],
    }
    .apply_all(strokes);
}

/// What is left of a thick pen where reading brings crops to one pen width: it thins by at most 40 % (`segmentation/ink.rs`).
const LEFT_OF_PEN: f32 = 0.6;

/// Least width of the pen in a crop whose ink is `longer` pixels long, if the box of the strokes is `side` long and was written with a
/// pen `pen` wide, both in the same unit: a dot is all pen.
pub fn crop_pen(side: f32, longer: f32, pen: f32) -> f32 {
    let left = LEFT_OF_PEN * pen;
    longer * left / (side + left).max(f32::EPSILON)
}

/// A raggedness of the ink's edge, as scanning at a low resolution leaves it.
pub struct Ragged<'a> {
    /// Standard deviation of the edge's position in pixels.
    pub strength: f32,
    /// Source of the random numbers.
    pub rng: &'a mut Rng,
}

/// Draws strokes on white paper: `out` (`width * height` values, row by row) gets paper 1 and ink 0.
///
/// The coverage of a pixel is taken from its centre's distance to the nearest segment, so a pen of any radius (pixels)
/// keeps its ink. Anything outside the canvas is clipped. An `out` of another length is left unchanged.
pub fn draw(
    strokes: &[Polyline],
    radius: f32,
    width: usize,
    height: usize,
    ragged: Option<Ragged>,
    out: &mut [f32],
) {
    if out.len() != width * height || width == 0 {
        return;
    }
    // The reach covers the outermost ragged edge: the noise stays below 3.47 standard deviations.
    let slack = ragged
        .as_ref()
        .map_or(0.0, |ragged| ragged.strength * NORMAL_LIMIT);
    let reach = radius + EDGE + slack;
    out.fill(f32::INFINITY);
    for stroke in strokes {
        if let [only] = stroke.as_slice() {
            lower_distances([*only, *only], reach, width, out);
        }
        for pair in stroke.windows(2) {
            lower_distances([pair[0], pair[1]], reach, width, out);
        }
    }
    shade(radius, reach, ragged, out);
}

/// Lowers the squared distances of the pixels near one segment.
fn lower_distances([start, end]: [Point; 2], reach: f32, width: usize, distances: &mut [f32]) {
    let direction = [end[0] - start[0], end[1] - start[1]];
    let length2 = direction[0] * direction[0] + direction[1] * direction[1];
    let inverse = if length2 > 0.0 { 1.0 / length2 } else { 0.0 };
    let rows = near(start[1], end[1], reach, distances.len() / width);
    let columns = near(start[0], end[0], reach, width);
    let lines = distances.chunks_exact_mut(width);
    for (row, line) in lines.enumerate().take(rows.end).skip(rows.start) {
        let y = row as f32 + 0.5 - start[1];
        let cells = line.iter_mut().enumerate();
        for (column, cell) in cells.take(columns.end).skip(columns.start) {
            let x = column as f32 + 0.5 - start[0];
            let along = ((x * direction[0] + y * direction[1]) * inverse).clamp(0.0, 1.0);
            let (dx, dy) = (x - along * direction[0], y - along * direction[1]);
            *cell = cell.min(dx * dx + dy * dy);
        }
    }
}

/// The pixels of one axis whose centres are within `reach` of the span from `a` to `b`.
fn near(a: f32, b: f32, reach: f32, size: usize) -> Range<usize> {
    // Casting saturates: a negative or not-a-number bound becomes 0, and a range from beyond the end is empty.
    let first = (a.min(b) - reach - 0.5).ceil().max(0.0) as usize;
    let last = (a.max(b) + reach + 0.5).floor().max(0.0) as usize;
    first..last.min(size)
}

/// Squared distances -> grey values.
fn shade(radius: f32, reach: f32, mut ragged: Option<Ragged>, out: &mut [f32]) {
    let reach2 = reach * reach;
    // A pen thinner than a pixel covers at most its own width of it.
    let most = (2.0 * radius).min(1.0);
    for value in out {
        if *value >= reach2 {
            *value = 1.0;
            continue;
        }
        let noise = ragged
            .as_mut()
            .map_or(0.0, |ragged| ragged.strength * normal(ragged.rng));
        let coverage = radius + EDGE + noise - value.sqrt();
        *value = 1.0 - coverage.clamp(0.0, most);
    }
}
