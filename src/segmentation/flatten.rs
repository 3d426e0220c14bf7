//! Photograph -> how much ink lies on each point of the paper, whatever the light.
//!
//! Comes in: the photograph. Goes out: a smaller grey copy to work on, the sheet of paper if a darker desk is in the
//! picture, the brightness of the bare paper everywhere, and the ink: the part of the light that it takes away (0 bare
//! paper, 1 black). No decision between ink and paper is made here.

use super::plane::{Plane, area_average, fitted_size};
use super::statistics::{median, otsu};
use image::RgbImage;

/// Longer side of the working copy in pixels. A study of course pages and phone photographs: 1000 costs 1.5 points of
/// accuracy, more than 1600 gains nothing.
const WORKING_SIDE: usize = 1600;

/// Longer side of the copy on which the sheet is searched, in pixels: text is gone, the outline is still exact to 0.3 %.
const SHEET_SIDE: usize = 400;
/// Radius of the closing that removes the writing from that copy, in its pixels; strokes are narrower than 2 %.
const SHEET_CLOSING: usize = 4;
/// Blur before the sheet's threshold, in pixels of that copy.
const SHEET_BLUR: f32 = 2.0;
/// The desk counts as a desk if it is darker than this part of the sheet's brightness.
const DESK_BRIGHTNESS: f32 = 0.5;
/// At the sheet's edge, at least this part of the step from desk to sheet is made ...
const SHARP_EDGE: f32 = 0.6;
/// ... within so many pixels of that copy to either side; a shadow's edge is softer. The whole step is measured further out.
const EDGE_REACH: usize = 3;
const STEP_REACH: usize = 12;
/// Parts of the picture that a sheet may cover; outside, the dark area is a shadow or the light one a lamp.
const SHEET_COVER: std::ops::RangeInclusive<f32> = 0.12..=0.97;
/// The sheet's rim that is left out, in pixels of that copy: its shadow and the blur of the threshold.
const SHEET_RIM: usize = 5;

/// Longer side of the copy on which the paper's brightness is found, in pixels.
const BACKGROUND_SIDE: usize = 200;
/// Radius of the closing that removes the writing, in pixels of that copy: strokes up to 5 % of the long side vanish.
const BACKGROUND_CLOSING: usize = 5;
/// Radius of the median that removes what the closing left, in pixels of that copy.
const BACKGROUND_MEDIAN: usize = 2;
/// Blur of the background, in pixels of that copy.
const BACKGROUND_BLUR: f32 = 1.5;
/// Darkest paper in grey levels: below, the ratio of two grey levels is noise.
const DARKEST_PAPER: f32 = 8.0;

/// The columns of the sheet in every row of the working copy (first, and first after); empty rows have none.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    pub spans: Vec<(usize, usize)>,
}

impl Sheet {
    pub fn contains(&self, x: usize, y: usize) -> bool {
        let (first, end) = self.spans[y];
        (first..end).contains(&x)
    }

    fn whole(width: usize, height: usize) -> Sheet {
        Sheet {
            spans: vec![(0, width); height],
        }
    }
}

/// What flattening knows of a page, all in the working copy's pixels except the background, which is coarser.
#[derive(Debug, Clone)]
pub(super) struct FlatPage {
    /// Brightness 0..=255, the least of the three channels.
    pub grey: Plane,
    /// Where the paper is.
    pub sheet: Sheet,
    /// Brightness of bare paper.
    pub background: Plane,
    /// Part of the light that the ink takes, 0..=1; 0 off the sheet.
    pub ink: Plane,
}

/// Finds the paper and measures the ink on it; `None` for a picture without pixels.
pub(super) fn flatten(photo: &RgbImage) -> Option<FlatPage> {
    if photo.width() == 0 || photo.height() == 0 {
        return None;
    }
    let grey = working_grey(photo);
    let sheet = find_sheet(&grey).unwrap_or_else(|| Sheet::whole(grey.width, grey.height));
    let background = background(&grey, &sheet);
    let ink = ink(&grey, &background, &sheet);
    Some(FlatPage {
        grey,
        sheet,
        background,
        ink,
    })
}

/// The least channel: coloured ink is dark in at least one of the three, paper is light in all.
fn working_grey(photo: &RgbImage) -> Plane {
    let size = (photo.width() as usize, photo.height() as usize);
    let target = fitted_size(size.0, size.1, WORKING_SIDE);
    let samples = photo.as_raw();
    area_average(size, target, |y, weight, sums| {
        let row = &samples[3 * size.0 * y..3 * size.0 * (y + 1)];
        for (sum, pixel) in sums.iter_mut().zip(row.chunks_exact(3)) {
            *sum += weight * f32::from(pixel[0].min(pixel[1]).min(pixel[2]));
        }
    })
}

/// The sheet on a dark desk; `None` where the whole picture is paper.
fn find_sheet(grey: &Plane) -> Option<Sheet> {
    let closed = grey
        .fitted(SHEET_SIDE)
        .dilated(SHEET_CLOSING)
        .eroded(SHEET_CLOSING);
    let small = closed.blurred(SHEET_BLUR);
    // Light multiplies: on a square-root scale a shadow on the sheet is nearer to the sheet than to the desk. (A logarithm
    // goes too far: the gloss on a black desk becomes sheet.)
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
    if brightness(dark) >= DESK_BRIGHTNESS * brightness(light) || !SHEET_COVER.contains(&cover) {
        return None;
    }
    let spans = largest_light_part(&small, threshold);
    if edge_sharpness(&closed, &spans) < SHARP_EDGE {
        return None;
    }
    let inner = shrink(&spans, small.width);
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
    Some(Sheet { spans })
}

/// First and last column of the largest connected part above the threshold, row by row.
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

/// How much of the step from desk to sheet is made right at the sheet's edge: the median over the edge; 0 without one.
fn edge_sharpness(plane: &Plane, spans: &[(usize, usize)]) -> f32 {
    let inside = |x: usize, y: usize| (spans[y].0..spans[y].1).contains(&x);
    // Light `reach` pixels inside an edge, less that as far outside; (dx, dy) points into the sheet.
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

/// Takes the rim off, but not where the sheet runs out of the picture.
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

/// Brightness of bare paper on a coarse copy: closing, median, blur, all of them over the sheet alone.
fn background(grey: &Plane, sheet: &Sheet) -> Plane {
    let small = grey.fitted(BACKGROUND_SIDE);
    let (width, height) = (small.width, small.height);
    let inside: Vec<bool> = (0..width * height)
        .map(|at| {
            let x = (at % width * 2 + 1) * grey.width / (2 * width);
            let y = (at / width * 2 + 1) * grey.height / (2 * height);
            sheet.contains(x.min(grey.width - 1), y.min(grey.height - 1))
        })
        .collect();
    let masked = |plane: &Plane, outside: f32| Plane {
        width,
        height,
        values: plane
            .values
            .iter()
            .zip(&inside)
            .map(|(&value, &inside)| if inside { value } else { outside })
            .collect(),
    };
    let dilated = masked(&small, 0.0).dilated(BACKGROUND_CLOSING);
    let closed = masked(&dilated, f32::MAX).eroded(BACKGROUND_CLOSING);
    let smooth = median_inside(&closed, &inside, BACKGROUND_MEDIAN);
    let weight = Plane {
        width,
        height,
        values: inside.iter().map(|&inside| f32::from(inside)).collect(),
    };
    let mut sum = masked(&smooth, 0.0).blurred(BACKGROUND_BLUR);
    let weight = weight.blurred(BACKGROUND_BLUR);
    for (value, weight) in sum.values.iter_mut().zip(&weight.values) {
        *value = (*value / weight.max(f32::EPSILON)).max(DARKEST_PAPER);
    }
    sum
}

/// Median over the square around each pixel, of the pixels that are inside.
fn median_inside(plane: &Plane, inside: &[bool], radius: usize) -> Plane {
    Plane::from_rows(plane.width, plane.height, |y, out| {
        let mut window = Vec::with_capacity((2 * radius + 1).pow(2));
        for (x, out) in out.iter_mut().enumerate() {
            window.clear();
            for row in y.saturating_sub(radius)..(y + radius + 1).min(plane.height) {
                for column in x.saturating_sub(radius)..(x + radius + 1).min(plane.width) {
                    if inside[row * plane.width + column] {
                        window.push(plane.at(column, row));
                    }
                }
            }
            *out = median(&mut window).unwrap_or(0.0);
        }
    })
}

/// `1 - grey / background` on the sheet, cut to 0..=1.
fn ink(grey: &Plane, background: &Plane, sheet: &Sheet) -> Plane {
    let sx = background.width as f32 / grey.width as f32;
    let sy = background.height as f32 / grey.height as f32;
    Plane::from_rows(grey.width, grey.height, |y, out| {
        let (first, end) = sheet.spans[y];
        for (x, out) in out.iter_mut().enumerate().take(end).skip(first) {
            let paper = background.sample((x as f32 + 0.5) * sx, (y as f32 + 0.5) * sy);
            *out = (1.0 - grey.at(x, y) / paper).clamp(0.0, 1.0);
        }
    })
}
