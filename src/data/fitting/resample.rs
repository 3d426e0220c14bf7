//! Resampling a part of a photograph to another size.
//!
//! Separable, with the triangle filter: bilinear when enlarging, an average over the area of a target pixel when shrinking (torchvision's
//! and Pillow's antialiased bilinear resizing, with their weights). First down the columns, where the bytes of a row are adjacent, then
//! along the rows, from a line that fits into the first cache. Sums are taken in one fixed order and never fused, so that every machine gets
//! the same bits.

use std::cell::RefCell;
use std::ops::Range;

use pulp::{Arch, WithSimd};

/// A photograph in memory: rows of pixels, the channels of a pixel side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    pub width: usize,
    pub height: usize,
    /// 1 or 3.
    pub channels: usize,
    /// `height * width * channels` long.
    pub bytes: Box<[u8]>,
}

/// The weights that make the places of a result from the places of a source, along one axis.
pub struct Axis {
    /// The first source place of each place of the result.
    first: Vec<usize>,
    /// `taps` weights for each place of the result; they add up to 1.
    weights: Vec<f32>,
    /// Maximum number of source places per place of the result.
    taps: usize,
}

impl Axis {
    /// `source` (places of the photograph, not empty) is brought to `length` places, of which those in `window` are made.
    /// Nothing outside of `source` is looked at.
    pub fn new(source: Range<usize>, length: usize, window: Range<usize>) -> Self {
        let scale = source.len() as f64 / length as f64;
        let reach = scale.max(1.0);
        let spans: Vec<(usize, Vec<f64>)> = window
            .map(|place| span((place as f64 + 0.5) * scale, reach, source.len()))
            .collect();
        let taps = spans.iter().map(|(_, weights)| weights.len()).max();
        let taps = taps.unwrap_or(1);
        let mut axis = Self {
            first: Vec::with_capacity(spans.len()),
            weights: vec![0.0; spans.len() * taps],
            taps,
        };
        for ((first, weights), line) in spans.iter().zip(axis.weights.chunks_exact_mut(taps)) {
            // All places have as many taps; near the end the unused ones come first.
            let start = (*first).min(source.len() - taps);
            let total: f64 = weights.iter().sum();
            for (to, weight) in line[first - start..].iter_mut().zip(weights) {
                *to = (weight / total) as f32;
            }
            axis.first.push(source.start + start);
        }
        axis
    }

    /// Number of places that are made.
    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// Source places that are looked at.
    fn source(&self) -> Range<usize> {
        let first = self.first.iter().min().copied().unwrap_or(0);
        let last = self.first.iter().max().copied().unwrap_or(0);
        first..last + self.taps
    }

    /// First source place and weights of each place of the result.
    fn places(&self) -> impl Iterator<Item = (usize, &[f32])> {
        let weights = self.weights.chunks_exact(self.taps);
        self.first.iter().copied().zip(weights)
    }
}

/// First place and weights of a triangle of half width `reach` around `centre`, within `0..length`.
fn span(centre: f64, reach: f64, length: usize) -> (usize, Vec<f64>) {
    let weight = |place: usize| (1.0 - ((place as f64 + 0.5 - centre) / reach).abs()).max(0.0);
    // Negative numbers become 0.
    let mut first = ((centre - reach + 0.5) as usize).min(length - 1);
    let mut end = ((centre + reach + 0.5) as usize).clamp(first + 1, length);
    while end > first + 1 && weight(end - 1) == 0.0 {
        end -= 1;
    }
    while first + 1 < end && weight(first) == 0.0 {
        first += 1;
    }
    (first, (first..end).map(weight).collect())
}

/// Writes `[channels, rows, columns]` values in [0, 1]; `out` is that long.
pub fn to_values(photo: &Photo, columns: &Axis, rows: &Axis, out: &mut [f32]) {
    let plane = columns.len() * rows.len();
    each_row(photo, columns, rows, |row, lines| {
        let start = row * columns.len();
        for (plane, line) in out
            .chunks_exact_mut(plane)
            .zip(lines.chunks_exact(columns.len()))
        {
            for (value, sum) in plane[start..].iter_mut().zip(line) {
                // The weights add up to 1 but for rounding.
                *value = (sum * (1.0 / 255.0)).min(1.0);
            }
        }
    });
}

/// The result as `[channels, rows, columns]` bytes, rounded.
pub fn to_planes(photo: &Photo, columns: &Axis, rows: &Axis) -> Box<[u8]> {
    let plane = columns.len() * rows.len();
    let mut bytes = vec![0; photo.channels * plane];
    each_row(photo, columns, rows, |row, lines| {
        let start = row * columns.len();
        for (plane, line) in bytes
            .chunks_exact_mut(plane)
            .zip(lines.chunks_exact(columns.len()))
        {
            for (byte, &sum) in plane[start..].iter_mut().zip(line) {
                *byte = rounded(sum);
            }
        }
    });
    bytes.into()
}

/// The result as a photograph, rounded.
pub fn to_photo(photo: &Photo, columns: &Axis, rows: &Axis) -> Photo {
    let channels = photo.channels;
    let mut bytes = vec![0; channels * columns.len() * rows.len()];
    each_row(photo, columns, rows, |row, lines| {
        let start = row * columns.len() * channels;
        for (channel, line) in lines.chunks_exact(columns.len()).enumerate() {
            let places = bytes[start + channel..].iter_mut().step_by(channels);
            for (byte, &sum) in places.zip(line) {
                *byte = rounded(sum);
            }
        }
    });
    Photo {
        width: columns.len(),
        height: rows.len(),
        channels,
        bytes: bytes.into(),
    }
}

/// To the nearest byte; a cast keeps to the range.
fn rounded(sum: f32) -> u8 {
    (sum + 0.5) as u8
}

thread_local! {
    /// A line of the source and one of the result, so that a sample costs no allocation but its weights.
    static LINES: RefCell<(Vec<f32>, Vec<f32>)> = RefCell::default();
}

/// Passes every row of the result to `take`: `[channels, columns]` values from 0 to 255.
fn each_row(photo: &Photo, columns: &Axis, rows: &Axis, take: impl FnMut(usize, &[f32])) {
    LINES.with_borrow_mut(|(mixed, line)| {
        mixed.resize(columns.source().len() * photo.channels, 0.0);
        line.resize(columns.len() * photo.channels, 0.0);
        Arch::new().dispatch(Rows {
            photo,
            columns,
            rows,
            mixed,
            line,
            take,
        });
    });
}

/// The work of [`each_row`], compiled for the widest instructions of the machine.
struct Rows<'a, F> {
    photo: &'a Photo,
    columns: &'a Axis,
    rows: &'a Axis,
    mixed: &'a mut [f32],
    line: &'a mut [f32],
    take: F,
}

impl<F: FnMut(usize, &[f32])> WithSimd for Rows<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(mut self, _: S) {
        let channels = self.photo.channels;
        let stride = self.photo.width * channels;
        let source = self.columns.source();
        let part = source.start * channels..source.end * channels;
        for (row, (first, weights)) in self.rows.places().enumerate() {
            for (tap, &weight) in weights.iter().enumerate() {
                let bytes = &self.photo.bytes[(first + tap) * stride..][part.clone()];
                match tap {
                    0 => mix::<true>(self.mixed, bytes, weight),
                    _ => mix::<false>(self.mixed, bytes, weight),
                }
            }
            match channels {
                3 => along::<3>(self.mixed, self.columns, source.start, self.line),
                _ => along::<1>(self.mixed, self.columns, source.start, self.line),
            }
            (self.take)(row, self.line);
        }
    }
}

/// Adds a weighted row of bytes to `sums`, or starts them with it.
#[inline(always)]
fn mix<const START: bool>(sums: &mut [f32], bytes: &[u8], weight: f32) {
    for (sum, &byte) in sums.iter_mut().zip(bytes) {
        let term = weight * f32::from(byte);
        *sum = if START { term } else { *sum + term };
    }
}

/// Makes a line of the result, one channel after the other, from a line of source pixels that begins at place `start`.
#[inline(always)]
fn along<const C: usize>(source: &[f32], columns: &Axis, start: usize, line: &mut [f32]) {
    let count = columns.len();
    for (column, (first, weights)) in columns.places().enumerate() {
        let mut sums = [0.0f32; C];
        let (pixels, _) = source[(first - start) * C..].as_chunks::<C>();
        for (pixel, weight) in pixels.iter().zip(weights) {
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum += weight * value;
            }
        }
        for (channel, sum) in sums.into_iter().enumerate() {
            line[channel * count + column] = sum;
        }
    }
}
