//! Finds the sheet of paper where a darker desk is in the image.

use super::corners::corners;
use crate::segmentation::plane::Plane;
use crate::segmentation::statistics::{median, otsu};

/// Longer side of the copy on which the sheet is searched, in pixels: text is gone, the outline is still exact to 0.3 %.
const SHEET_SIDE: usize = 400;
/// Radius of the closing that removes the writing, in pixels of that copy; strokes are narrower than 2 % of it.
const SHEET_CLOSING: usize = 4;
/// Blur before the sheet's threshold, in pixels of that copy.
const SHEET_BLUR: f32 = 2.0;
/// The dark part of the image is a desk if its brightness is below this fraction of the sheet's.
const MAX_DESK_BRIGHTNESS: f32 = 0.5;
/// Minimum fraction of the step from desk to sheet that lies within [`EDGE_REACH`] of the sheet's edge; a shadow's edge is softer.
const MIN_EDGE_SHARPNESS: f32 = 0.6;
/// Distance from the edge, to either side, in pixels of that copy.
const EDGE_REACH: usize = 3;
/// Distance from the edge at which the whole step is measured, in pixels of that copy.
const STEP_REACH: usize = 12;
/// Fraction of the image that a sheet may cover; outside this range the dark area is a shadow, or the light one a lamp.
const SHEET_COVER: std::ops::RangeInclusive<f32> = 0.12..=0.97;
/// Width of the sheet's rim that is ignored, in pixels of that copy: its shadow and the blur of the threshold.
const SHEET_RIM: usize = 5;

/// Where the paper is: the sheet's columns in every row of the working copy, as first and one past the last.
#[derive(Debug, Clone)]
pub(in crate::segmentation) struct Sheet {
    /// By row; `(0, 0)` where a row has none.
    pub spans: Vec<(usize, usize)>,
    /// Its corners in working pixels, from the upper left clockwise; `None` where it is not a quadrilateral, or is all of the image.
    pub corners: Option<[(f32, f32); 4]>,
}

impl Sheet {
    /// Whether a pixel lies on the sheet.
    pub fn contains(&self, x: usize, y: usize) -> bool {
        let (first, end) = self.spans[y];
        (first..end).contains(&x)
    }

    /// An image that is all paper.
    pub fn whole(width: usize, height: usize) -> Sheet {
        Sheet {
            spans: vec![(0, width); height],
            corners: None,
        }
    }
}

/// Finds a sheet on a darker desk; `None` where the whole image is paper.
pub(super) fn find_sheet(grey: &Plane) -> Option<Sheet> {
    let closed = grey
        .fitted(SHEET_SIDE)
        .dilated(SHEET_CLOSING)
        .eroded(SHEET_CLOSING);
    let small = closed.blurred(SHEET_BLUR);
    // Light multiplies: on a square-root scale a shadow on the sheet is nearer to the sheet than to the desk. (A logarithm
    // goes too far: the gloss on a black desk becomes part of the sheet.)
    let roots = small.values.iter().map(|&value| value.sqrt());
    let threshold = otsu(roots)?.powi(2);
    let (mut light, mut dark) = ((0.0, 0usize), (0.0, 0usize));
    for &value in &small.values {
        let side = if value > threshold {
            &mut light
        } else {
            &mut dark
        };
        side.0 += value;
        side.1 += 1;
    }
    let cover = light.1 as f32 / small.values.len() as f32;
    let brightness = |(sum, count): (f32, usize)| sum / count.max(1) as f32;
    if brightness(dark) >= MAX_DESK_BRIGHTNESS * brightness(light) || !SHEET_COVER.contains(&cover)
    {
        return None;
    }
    let outline = largest_light_part(&small, threshold);
    if edge_sharpness(&closed, &outline) < MIN_EDGE_SHARPNESS {
        return None;
    }
    let inner = shrink(&outline, small.width);
    let (sx, sy) = (
        grey.width as f32 / small.width as f32,
        grey.height as f32 / small.height as f32,
    );
    let spans = (0..grey.height)
        .map(|y| {
            let (first, end) = inner[((y as f32 / sy) as usize).min(inner.len() - 1)];
            (
                (first as f32 * sx) as usize,
                ((end as f32 * sx) as usize).min(grey.width),
            )
        })
        .collect();
    let corners = corners(&outline, small.width)
        .map(|corners| within(corners).map(|(x, y)| (x * sx, y * sy)));
    Some(Sheet { spans, corners })
}

/// The largest connected part (4 neighbours) above the threshold: its columns in each row, as first and one past the last.
fn largest_light_part(plane: &Plane, threshold: f32) -> Vec<(usize, usize)> {
    let mut seen = vec![false; plane.values.len()];
    let (mut best_size, mut best) = (0, vec![(0, 0); plane.height]);
    for start in 0..plane.values.len() {
        if seen[start] || plane.values[start] <= threshold {
            continue;
        }
        let mut spans = vec![(usize::MAX, 0); plane.height];
        let (mut size, mut stack) = (0, vec![start]);
        seen[start] = true;
        while let Some(at) = stack.pop() {
            let (x, y) = (at % plane.width, at / plane.width);
            size += 1;
            spans[y] = (spans[y].0.min(x), spans[y].1.max(x + 1));
            let mut visit = |next: usize| {
                if !seen[next] && plane.values[next] > threshold {
                    seen[next] = true;
                    stack.push(next);
                }
            };
            if x > 0 {
                visit(at - 1);
            }
            if x + 1 < plane.width {
                visit(at + 1);
            }
            if y > 0 {
                visit(at - plane.width);
            }
            if y + 1 < plane.height {
                visit(at + plane.width);
            }
        }
        if size > best_size {
            (best_size, best) = (size, spans);
        }
    }
    for span in &mut best {
        if span.0 >= span.1 {
            *span = (0, 0);
        }
    }
    best
}

/// Fraction of the step from desk to sheet that lies right at the sheet's edge, as median along the edge; 0 without an edge.
fn edge_sharpness(plane: &Plane, spans: &[(usize, usize)]) -> f32 {
    let inside = |x: usize, y: usize| (spans[y].0..spans[y].1).contains(&x);
    // Brightness `reach` pixels inside an edge, less that as far outside; (dx, dy) points into the sheet.
    let step = |(x, y): (usize, usize), (dx, dy): (isize, isize), reach: usize| {
        let at = |reach: isize| {
            let along = |from: usize, step: isize, length: usize| {
                from.saturating_add_signed(step * reach).min(length - 1)
            };
            plane.at(along(x, dx, plane.width), along(y, dy, plane.height))
        };
        at(reach as isize) - at(-(reach as isize))
    };
    let mut shares = Vec::new();
    let mut measure = |edge: (usize, usize), inwards: (isize, isize)| {
        let whole = step(edge, inwards, STEP_REACH);
        if whole > 0.0 {
            shares.push(step(edge, inwards, EDGE_REACH) / whole);
        }
    };
    for (y, &(first, end)) in spans.iter().enumerate().filter(|(_, span)| span.0 < span.1) {
        if first > 0 {
            measure((first, y), (1, 0));
        }
        if end < plane.width {
            measure((end, y), (-1, 0));
        }
    }
    for x in 0..plane.width {
        let mut rows = (0..plane.height).filter(|&y| inside(x, y));
        let Some(top) = rows.next() else { continue };
        let bottom = rows.next_back().unwrap_or(top);
        if top > 0 {
            measure((x, top), (0, 1));
        }
        if bottom + 1 < plane.height {
            measure((x, bottom + 1), (0, -1));
        }
    }
    median(&mut shares).unwrap_or(0.0)
}

/// Corners without the rim.
fn within(corners: [(f32, f32); 4]) -> [(f32, f32); 4] {
    let mean = |of: fn(&(f32, f32)) -> f32| corners.iter().map(of).sum::<f32>() / 4.0;
    let middle = (mean(|corner| corner.0), mean(|corner| corner.1));
    // A corner is further from the middle than the sides are.
    let rim = std::f32::consts::SQRT_2 * SHEET_RIM as f32;
    corners.map(|(x, y)| {
        let (dx, dy) = (middle.0 - x, middle.1 - y);
        let part = (rim / dx.hypot(dy).max(1.0)).min(1.0);
        (x + part * dx, y + part * dy)
    })
}

/// Removes the rim, but not where the sheet runs out of the image.
fn shrink(spans: &[(usize, usize)], width: usize) -> Vec<(usize, usize)> {
    (0..spans.len())
        .map(|y| {
            let rows = y.saturating_sub(SHEET_RIM)..(y + SHEET_RIM + 1).min(spans.len());
            let (first, end) = spans[rows].iter().fold((0, width), |(first, end), span| {
                (first.max(span.0), end.min(span.1))
            });
            let first = if first == 0 { 0 } else { first + SHEET_RIM };
            let end = if end == width {
                width
            } else {
                end.saturating_sub(SHEET_RIM)
            };
            if first < end { (first, end) } else { (0, 0) }
        })
        .collect()
}
