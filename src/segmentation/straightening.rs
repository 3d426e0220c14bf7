//! A photograph seen straight on: a sheet in perspective becomes a rectangle, a page that slants is turned level.

use image::{Rgb, RgbImage};
use rayon::prelude::*;

use super::geometry::{MAX_SLANT, Rect};
use super::plane::MAX_COPY_PIXELS;

/// Corners from the upper left clockwise, as (column, row).
pub(super) type Corners = [(f32, f32); 4];

/// Opposite sides of a sheet differ by at least this factor where it is in perspective ...
const MIN_CONVERGENCE: f32 = 1.15;
/// ... or one of its corners is this far from a right angle, in degrees ...
const MIN_SKEW: f32 = 7.0;
/// ... or its upper side is this steep, in degrees.
const MIN_TILT: f32 = MAX_SLANT;
/// Focal lengths that cameras of telephones and others have, in longer sides of the photograph.
const FOCAL_LENGTHS: std::ops::RangeInclusive<f32> = 0.5..=4.0;
/// The focal length where the sheet doesn't tell it: a telephone's 26 mm on film of 36.
const USUAL_FOCAL_LENGTH: f32 = 0.72;
/// Width by height that sheets have, upright or on their side; others are a mistake about the corners.
const PROPORTIONS: std::ops::RangeInclusive<f32> = 0.2..=5.0;
/// Shortest side of what is straightened, in pixels.
const MIN_SIDE: f32 = 16.0;

/// How a page is straightened: which point of the photograph each of its points is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Straightening {
    /// From the unit square to the photograph: `x = (m0 u + m1 v + m2) / (m6 u + m7 v + 1)`, and y of `m3` to `m5`.
    matrix: [f32; 8],
    width: u32,
    height: u32,
    /// Degrees clockwise by which the page is turned, rounded.
    turned: i32,
}

impl Straightening {
    /// Of a sheet with these corners in a photograph of `size`; `None` if it is seen nearly straight on.
    pub(super) fn of_sheet(corners: Corners, size: (u32, u32)) -> Option<Straightening> {
        let [a, b, c, d] = corners;
        let sides = [
            distance(a, b),
            distance(b, c),
            distance(c, d),
            distance(d, a),
        ];
        if sides.iter().any(|&side| side < MIN_SIDE) {
            return None;
        }
        let ratio = |a: f32, b: f32| (a / b).max(b / a);
        let converges = ratio(sides[0], sides[2]).max(ratio(sides[1], sides[3]));
        let skew = (0..4).map(|i| skew(corners[(i + 3) % 4], corners[i], corners[(i + 1) % 4]));
        let tilt = (b.1 - a.1).atan2(b.0 - a.0).to_degrees();
        if converges < MIN_CONVERGENCE
            && skew.fold(0.0, f32::max) < MIN_SKEW
            && tilt.abs() < MIN_TILT
        {
            return None;
        }
        let aspect = aspect(corners, size);
        if !PROPORTIONS.contains(&aspect) {
            return None;
        }
        let width = sides[0].max(sides[2]).max(aspect * sides[1].max(sides[3]));
        Straightening::of_corners(corners, (width, width / aspect))
    }

    /// Of a photograph of `size` whose lines fall by `angle` radians from left to right.
    pub(super) fn of_slant(angle: f32, size: (u32, u32)) -> Option<Straightening> {
        let (sin, cos) = angle.sin_cos();
        let (width, height) = (size.0 as f32, size.1 as f32);
        let (across, down) = (
            width * cos.abs() + height * sin.abs(),
            width * sin.abs() + height * cos.abs(),
        );
        let corner = |u: f32, v: f32| {
            let (x, y) = (u * across / 2.0, v * down / 2.0);
            (
                width / 2.0 + x * cos - y * sin,
                height / 2.0 + x * sin + y * cos,
            )
        };
        let corners = [
            corner(-1.0, -1.0),
            corner(1.0, -1.0),
            corner(1.0, 1.0),
            corner(-1.0, 1.0),
        ];
        Straightening::of_corners(corners, (across, down))
    }

    /// The map from the unit square to a quadrilateral (Heckbert, Fundamentals of Texture Mapping and Image Warping, 1989).
    fn of_corners(corners: Corners, (width, height): (f32, f32)) -> Option<Straightening> {
        let [(x0, y0), (x1, y1), (x2, y2), (x3, y3)] = corners;
        let (dx1, dx2, sx) = (x1 - x2, x3 - x2, x0 - x1 + x2 - x3);
        let (dy1, dy2, sy) = (y1 - y2, y3 - y2, y0 - y1 + y2 - y3);
        let determinant = dx1 * dy2 - dx2 * dy1;
        let g = (sx * dy2 - dx2 * sy) / determinant;
        let h = (dx1 * sy - sx * dy1) / determinant;
        let matrix = [
            x1 - x0 + g * x1,
            x3 - x0 + h * x3,
            x0,
            y1 - y0 + g * y1,
            y3 - y0 + h * y3,
            y0,
            g,
            h,
        ];
        if !matrix.iter().all(|value| value.is_finite()) {
            return None;
        }
        let scale = (MAX_COPY_PIXELS / (width * height)).sqrt().min(1.0);
        Some(Straightening {
            matrix,
            width: (width * scale).round().max(1.0) as u32,
            height: (height * scale).round().max(1.0) as u32,
            turned: -(y1 - y0).atan2(x1 - x0).to_degrees().round() as i32,
        })
    }

    /// Degrees clockwise by which the page is turned, in 0..360; 0 where lines may slant as much without it.
    pub fn degrees(&self) -> u16 {
        if (self.turned.abs() as f32) < MIN_TILT {
            0
        } else {
            self.turned.rem_euclid(360) as u16
        }
    }

    /// Columns and rows of the straightened page.
    pub(super) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The point of the photograph at a point of the straightened page, both in pixels.
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        let m = &self.matrix;
        let (u, v) = (x / self.width as f32, y / self.height as f32);
        let depth = m[6] * u + m[7] * v + 1.0;
        (
            (m[0] * u + m[1] * v + m[2]) / depth,
            (m[3] * u + m[4] * v + m[5]) / depth,
        )
    }

    /// The straightened page; what lies outside the photograph repeats its edge.
    pub(super) fn straighten(&self, photo: &RgbImage) -> RgbImage {
        let mut page = RgbImage::new(self.width, self.height);
        let row_length = 3 * self.width as usize;
        page.par_chunks_exact_mut(row_length)
            .enumerate()
            .for_each(|(y, row)| {
                for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                    let (px, py) = self.at(x as f32 + 0.5, y as f32 + 0.5);
                    pixel.copy_from_slice(&sample(photo, px - 0.5, py - 0.5).0);
                }
            });
        page
    }

    /// The box in the photograph, of `width` x `height` pixels, around a box of the straightened page.
    pub(super) fn to_photo(self, rect: Rect, width: u32, height: u32) -> Rect {
        let (left, top) = (rect.x as f32, rect.y as f32);
        let (right, bottom) = (left + rect.width as f32, top + rect.height as f32);
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
            .map(|(x, y)| self.at(x, y));
        let span = |values: [f32; 4], limit: u32| {
            let low = values.into_iter().fold(f32::MAX, f32::min).floor();
            let high = values.into_iter().fold(f32::MIN, f32::max).ceil();
            let first = (low.max(0.0) as u32).min(limit.saturating_sub(1));
            let end = (high.max(0.0) as u32).clamp(first + 1, limit.max(first + 1));
            (first, end - first)
        };
        let (x, width) = span(corners.map(|corner| corner.0), width);
        let (y, height) = span(corners.map(|corner| corner.1), height);
        Rect {
            x,
            y,
            width,
            height,
        }
    }
}

fn distance(a: (f32, f32), b: (f32, f32)) -> f32 {
    (a.0 - b.0).hypot(a.1 - b.1)
}

/// How far the angle at `corner` is from 90 degrees.
fn skew(before: (f32, f32), corner: (f32, f32), after: (f32, f32)) -> f32 {
    let (a, b) = (
        (before.0 - corner.0, before.1 - corner.1),
        (after.0 - corner.0, after.1 - corner.1),
    );
    let cross = (a.0 * b.1 - a.1 * b.0).abs();
    let dot = a.0 * b.0 + a.1 * b.1;
    (cross.atan2(dot).to_degrees() - 90.0).abs()
}

/// Width by height of the sheet itself, from what perspective does to its corners, if the camera pointed at the photograph's middle
/// (Zhang and He, Whiteboard scanning and image enhancement, 2007).
fn aspect(corners: Corners, size: (u32, u32)) -> f32 {
    let longer = size.0.max(size.1) as f32;
    let point = |(x, y): (f32, f32)| {
        [
            (x - size.0 as f32 / 2.0) / longer,
            (y - size.1 as f32 / 2.0) / longer,
            1.0,
        ]
    };
    let [upper_left, upper_right, lower_right, lower_left] = corners.map(point);
    let diagonal = cross(upper_left, lower_right);
    let depth = |other: [f32; 3], opposite: [f32; 3]| {
        dot(diagonal, opposite) / dot(cross(other, lower_right), opposite)
    };
    let edge = |depth: f32, to: [f32; 3]| [0, 1, 2].map(|i| depth * to[i] - upper_left[i]);
    let across = edge(depth(upper_right, lower_left), upper_right);
    let down = edge(depth(lower_left, upper_right), lower_left);
    let focal = -(across[0] * down[0] + across[1] * down[1]) / (across[2] * down[2]);
    let focal = Some(focal.sqrt())
        .filter(|focal| FOCAL_LENGTHS.contains(focal))
        .unwrap_or(USUAL_FOCAL_LENGTH);
    let length = |edge: [f32; 3]| edge[0].hypot(edge[1]).hypot(edge[2] * focal);
    length(across) / length(down)
}

fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Bilinear value between pixels' centres; beyond the edge, the edge is repeated.
fn sample(photo: &RgbImage, x: f32, y: f32) -> Rgb<u8> {
    let split = |at: f32, length: u32| {
        let at = at.clamp(0.0, (length - 1) as f32);
        let first = at as u32;
        (first, (first + 1).min(length - 1), at - first as f32)
    };
    let (x0, x1, fx) = split(x, photo.width());
    let (y0, y1, fy) = split(y, photo.height());
    let corners = [(x0, y0), (x1, y0), (x0, y1), (x1, y1)].map(|(x, y)| photo.get_pixel(x, y).0);
    Rgb([0, 1, 2].map(|channel| {
        let value = corners.map(|corner| f32::from(corner[channel]));
        let upper = value[0] * (1.0 - fx) + value[1] * fx;
        let lower = value[2] * (1.0 - fx) + value[3] * fx;
        (upper * (1.0 - fy) + lower * fy).round() as u8
    }))
}
