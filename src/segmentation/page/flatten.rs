//! Measures the ink on each point of the paper, independently of light and shadow.

use image::RgbImage;

use super::polarity::with_dark_writing;
use super::sheet::{Sheet, find_sheet};
use crate::segmentation::plane::{Plane, area_average, fitted_size};
use crate::segmentation::statistics::median;
use crate::segmentation::view::View;

/// Longer side of the working copy, in pixels. In a study of course pages and phone photographs, 1000 cost 1.5 points of
/// accuracy and more than 1600 gained nothing.
const WORKING_SIDE: usize = 1600;

/// Longer side of the copy on which the paper's brightness is found, in pixels.
const BACKGROUND_SIDE: usize = 200;
/// Radius of the closing that removes the writing, in pixels of that copy: strokes up to 5 % of the long side vanish.
const BACKGROUND_CLOSING: usize = 5;
/// Radius of the median that removes what the closing left, in pixels of that copy.
const BACKGROUND_MEDIAN: usize = 2;
/// Blur of the background, in pixels of that copy.
const BACKGROUND_BLUR: f32 = 1.5;
/// Least brightness of paper, in grey levels of 255: below it, the ratio of two grey levels is noise.
const MIN_PAPER: f32 = 8.0;

/// A page without its light; all in pixels of the working copy but for the background, which is coarser.
#[derive(Debug, Clone)]
pub(in crate::segmentation) struct FlatPage {
    /// Brightness in 0..=255, the least of the three channels.
    pub grey: Plane,
    /// Where the paper is.
    pub sheet: Sheet,
    /// Brightness of bare paper.
    pub background: Plane,
    /// Part of the light that the ink absorbs, in 0..=1 (bare paper to black); 0 off the sheet.
    pub ink: Plane,
    /// Whether some of its writing is light on dark ground, inverted if the view says so.
    pub has_light_writing: bool,
}

/// Finds the paper and measures the ink on it, on a copy whose longer side has `side` pixels, or at most [`WORKING_SIDE`] without it;
/// `None` for a photograph without pixels.
pub(in crate::segmentation) fn flatten(
    photo: &RgbImage,
    view: View,
    side: Option<usize>,
) -> Option<FlatPage> {
    if photo.width() == 0 || photo.height() == 0 {
        return None;
    }
    let mut grey = working_grey(photo, side).turned(view.quarter_turns);
    let dark_writing = with_dark_writing(&grey);
    let has_light_writing = dark_writing.is_some();
    if view.light_writing {
        grey = dark_writing.unwrap_or(grey);
    }
    let sheet = find_sheet(&grey).unwrap_or_else(|| Sheet::whole(grey.width, grey.height));
    let background = background(&grey, &sheet);
    let ink = ink(&grey, &background, &sheet);
    Some(FlatPage {
        grey,
        sheet,
        background,
        ink,
        has_light_writing,
    })
}

/// The least channel: coloured ink is dark in at least one of the three, paper is light in all.
fn working_grey(photo: &RgbImage, side: Option<usize>) -> Plane {
    let size = (photo.width() as usize, photo.height() as usize);
    let target = fitted_size(size.0, size.1, side.unwrap_or(WORKING_SIDE));
    let samples = photo.as_raw();
    let grey = area_average(
        size,
        target,
        #[inline(always)]
        |y, weight, sums| {
            let row = &samples[3 * size.0 * y..3 * size.0 * (y + 1)];
            add_least(weight, row, sums);
        },
    );
    let longer = size.0.max(size.1);
    match side {
        Some(side) if side > longer => {
            let scaled = |length: usize| ((length * side + longer / 2) / longer).max(1);
            grey.enlarged(scaled(size.0), scaled(size.1))
        }
        _ => grey,
    }
}

/// Adds the least channel of each pixel, times `weight`, to `sums`.
#[inline(always)]
fn add_least(weight: f32, pixels: &[u8], sums: &mut [f32]) {
    // SIMD takes neighbouring bytes: the minimum of every three in a row, of which every third is a pixel's.
    const BLOCK: usize = 64;
    let (blocks, rest) = pixels.as_chunks::<{ 3 * BLOCK }>();
    let (block_sums, rest_sums) = sums.as_chunks_mut::<BLOCK>();
    for (pixels, sums) in blocks.iter().zip(block_sums) {
        let mut least = [0; 3 * BLOCK];
        let threes = pixels.iter().zip(&pixels[1..]).zip(&pixels[2..]);
        for (least, ((&a, &b), &c)) in least.iter_mut().zip(threes) {
            *least = a.min(b).min(c);
        }
        for (sum, least) in sums.iter_mut().zip(least.chunks_exact(3)) {
            *sum += weight * f32::from(least[0]);
        }
    }
    for (sum, pixel) in rest_sums.iter_mut().zip(rest.chunks_exact(3)) {
        *sum += weight * f32::from(pixel[0].min(pixel[1]).min(pixel[2]));
    }
}

/// Brightness of bare paper on a coarse copy: closing, median and blur, all restricted to the sheet.
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
        *value = (*value / weight.max(f32::EPSILON)).max(MIN_PAPER);
    }
    sum
}

/// Median of the pixels inside the sheet, over the square around each pixel.
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

/// `1 - grey / background` on the sheet, clamped to 0..=1.
fn ink(grey: &Plane, background: &Plane, sheet: &Sheet) -> Plane {
    let mut ink = background.bilinear(grey.width, grey.height);
    ink.change_rows(
        #[inline(always)]
        |y, row| {
            let (first, end) = sheet.spans[y];
            row[..first].fill(0.0);
            row[end..].fill(0.0);
            for (ink, grey) in row[first..end].iter_mut().zip(&grey.row(y)[first..end]) {
                *ink = (1.0 - grey / *ink).clamp(0.0, 1.0);
            }
        },
    );
    ink
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_channel_of_every_pixel_is_added() {
        for width in [0, 1, 63, 64, 65, 130] {
            let pixels: Vec<u8> = (0..3 * width).map(|at| (at * 89 % 251) as u8).collect();
            let mut sums = vec![1.0; width];
            add_least(0.5, &pixels, &mut sums);
            for (x, sum) in sums.into_iter().enumerate() {
                let least = *pixels[3 * x..3 * x + 3].iter().min().unwrap();
                assert_eq!(sum, 1.0 + 0.5 * f32::from(least), "{width}: {x}");
            }
        }
    }
}
