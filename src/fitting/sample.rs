//! A decoded photograph as a sample of a given shape, or reduced to the size that random crops need.

use image::DynamicImage;

use super::border::{border, median};
use super::crops::{Part, centred, cover};
use super::letter;
use super::resample::{self, Axis, Photo};
use super::view::{Fit, View};
use crate::shape::ImageShape;

/// Photographs for random crops are cached with their shorter side at 256 for samples of 224, as in most ImageNet
/// recipes. Smaller would blur the smallest parts more, larger would cost memory and time.
const KEPT: f64 = 8.0 / 7.0;

/// Brings an image to the shape of a sample, as validation sees it: values in [0, 1], `[channels, height, width]`.
///
/// Colour becomes grey if `shape` has one channel.
pub fn to_sample(image: DynamicImage, shape: ImageShape, view: View) -> Vec<f32> {
    let bytes = ready(&photo(image, shape.channels), shape, view);
    let mut values = vec![0.0; bytes.len()];
    write_values(&bytes, &mut values);
    values
}

/// Bytes as values in [0, 1].
pub fn write_values(bytes: &[u8], out: &mut [f32]) {
    for (value, &byte) in out.iter_mut().zip(bytes) {
        *value = f32::from(byte) / 255.0;
    }
}

/// Converts the image to the given number of channels.
pub fn photo(image: DynamicImage, channels: usize) -> Photo {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let bytes = match channels {
        1 => image.into_luma8().into_raw(),
        _ => image.into_rgb8().into_raw(),
    };
    Photo {
        width,
        height,
        channels,
        bytes: bytes.into(),
    }
}

/// The width and height that a photograph is reduced to for random crops, if `crops`, or as a sample; `None` if its full size decides
/// the sample.
pub fn reduced_size(
    (width, height): (usize, usize),
    shape: ImageShape,
    view: View,
    crops: bool,
) -> Option<(usize, usize)> {
    match view.fit {
        Fit::Crop if crops => Some(cover(width, height, shape, view.centre.min(1.0 / KEPT))),
        Fit::Crop => Some(cover(width, height, shape, view.centre)),
        Fit::Stretch => Some((shape.width, shape.height)),
        Fit::Pad => Some(inside(width, height, shape)),
        // The strokes are followed at full size.
        Fit::Letter => None,
    }
}

/// The photograph no larger than random crops of it need, and never enlarged; `centre` may need more than those.
pub fn reduced(photo: Photo, shape: ImageShape, centre: f64) -> Photo {
    let share = centre.min(1.0 / KEPT);
    let (width, height) = cover(photo.width, photo.height, shape, share);
    if width >= photo.width || height >= photo.height {
        return photo;
    }
    let columns = Axis::new(0..photo.width, width, 0..width);
    let rows = Axis::new(0..photo.height, height, 0..height);
    resample::to_photo(&photo, &columns, &rows)
}

/// A sample as `[channels, height, width]` bytes.
pub fn ready(photo: &Photo, shape: ImageShape, view: View) -> Box<[u8]> {
    match view.fit {
        Fit::Stretch => {
            let columns = Axis::new(0..photo.width, shape.width, 0..shape.width);
            let rows = Axis::new(0..photo.height, shape.height, 0..shape.height);
            resample::to_planes(photo, &columns, &rows)
        }
        Fit::Crop => {
            let (columns, rows) = middle(photo, shape, view.centre);
            resample::to_planes(photo, &columns, &rows)
        }
        Fit::Pad => padded(photo, shape),
        Fit::Letter => letter::drawn(photo, shape).unwrap_or_else(|| padded(photo, shape)),
    }
}

/// Writes the middle of the photograph as a sample's values.
pub fn write_middle(photo: &Photo, shape: ImageShape, centre: f64, out: &mut [f32]) {
    let (columns, rows) = middle(photo, shape, centre);
    resample::to_values(photo, &columns, &rows, out);
}

/// Writes a part of the photograph as a sample's values.
pub fn write_part(photo: &Photo, shape: ImageShape, part: Part, out: &mut [f32]) {
    let columns = part.left..part.left + part.width;
    let rows = part.top..part.top + part.height;
    let columns = Axis::new(columns, shape.width, 0..shape.width);
    let rows = Axis::new(rows, shape.height, 0..shape.height);
    resample::to_values(photo, &columns, &rows, out);
}

/// The whole photograph is brought to the size whose middle is the sample; only that is made.
fn middle(photo: &Photo, shape: ImageShape, centre: f64) -> (Axis, Axis) {
    let (width, height) = cover(photo.width, photo.height, shape, centre);
    let axis = |source: usize, length: usize, side: usize| {
        let first = centred(length, side);
        Axis::new(0..source, length, first..first + side)
    };
    (
        axis(photo.width, width, shape.width),
        axis(photo.height, height, shape.height),
    )
}

/// The whole photograph in its proportions, on the median colour of its border.
fn padded(photo: &Photo, shape: ImageShape) -> Box<[u8]> {
    let (width, height) = inside(photo.width, photo.height, shape);
    let inner = resample::to_planes(
        photo,
        &Axis::new(0..photo.width, width, 0..width),
        &Axis::new(0..photo.height, height, 0..height),
    );
    let (left, top) = ((shape.width - width) / 2, (shape.height - height) / 2);
    let mut canvas = Vec::with_capacity(shape.values());
    for channel in 0..shape.channels {
        let fill = median(border(photo, channel));
        canvas.resize(canvas.len() + shape.height * shape.width, fill);
    }
    let planes = canvas.chunks_exact_mut(shape.height * shape.width);
    for (plane, inner) in planes.zip(inner.chunks_exact(height * width)) {
        let rows = plane.chunks_exact_mut(shape.width).skip(top);
        for (row, inner) in rows.zip(inner.chunks_exact(width)) {
            row[left..left + width].copy_from_slice(inner);
        }
    }
    canvas.into()
}

/// The largest size in these proportions that fits into a sample.
fn inside(width: usize, height: usize, shape: ImageShape) -> (usize, usize) {
    let across = scaled(width, shape.height, height).min(shape.width);
    let down = scaled(height, shape.width, width).min(shape.height);
    (across, down)
}

/// `length * numerator / denominator`, rounded to the nearest, at least 1.
fn scaled(length: usize, numerator: usize, denominator: usize) -> usize {
    let (product, denominator) = (length as u64 * numerator as u64, denominator.max(1) as u64);
    ((product + denominator / 2) / denominator).max(1) as usize
}
