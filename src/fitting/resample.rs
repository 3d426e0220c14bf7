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
        let places = window.map(|place| (place as f64 + 0.5) * scale);
        let spans: Vec<Span> = places
            .map(|centre| Span::new(centre, reach, source.len()))
            .collect();
        let taps = spans.iter().map(|span| span.places.len()).max();
        let taps = taps.unwrap_or(1);
        let mut axis = Self {
            first: Vec::with_capacity(spans.len()),
            weights: vec![0.0; spans.len() * taps],
            taps,
        };
        for (span, line) in spans.iter().zip(axis.weights.chunks_exact_mut(taps)) {
            // All places have as many taps; near the end the unused ones come first.
            let start = span.places.start.min(source.len() - taps);
            let total: f64 = span.weights().sum();
            let line = &mut line[span.places.start - start..];
            for (to, weight) in line.iter_mut().zip(span.weights()) {
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

/// A triangle of half width `reach` around `centre`.
struct Span {
    centre: f64,
    reach: f64,
    /// Where it is not 0.
    places: Range<usize>,
}

impl Span {
    /// Within `0..length`.
    fn new(centre: f64, reach: f64, length: usize) -> Self {
        // Negative numbers become 0.
        let start = ((centre - reach + 0.5) as usize).min(length - 1);
        let end = ((centre + reach + 0.5) as usize).clamp(start + 1, length);
        let places = start..end;
        let mut span = Self {
            centre,
            reach,
            places,
        };
        while span.places.len() > 1 && span.weight(span.places.end - 1) == 0.0 {
            span.places.end -= 1;
        }
        while span.places.len() > 1 && span.weight(span.places.start) == 0.0 {
            span.places.start += 1;
        }
        span
    }

    fn weight(&self, place: usize) -> f64 {
        (1.0 - ((place as f64 + 0.5 - self.centre) / self.reach).abs()).max(0.0)
    }

    fn weights(&self) -> impl Iterator<Item = f64> {
        self.places.clone().map(|place| self.weight(place))
    }
}

/// Writes `[channels, rows, columns]` values in [0, 1]; `out` is that long.
pub fn to_values(photo: &Photo, columns: &Axis, rows: &Axis, out: &mut [f32]) {
    let plane = columns.len() * rows.len();
    each_row(photo, columns, rows, Planes { out, plane });
}

/// The result as `[channels, rows, columns]` bytes, rounded.
pub fn to_planes(photo: &Photo, columns: &Axis, rows: &Axis) -> Box<[u8]> {
    let plane = columns.len() * rows.len();
    let mut bytes = vec![0; photo.channels * plane];
    let out = &mut bytes[..];
    each_row(photo, columns, rows, Planes { out, plane });
    bytes.into()
}

/// The result as a photograph, rounded.
pub fn to_photo(photo: &Photo, columns: &Axis, rows: &Axis) -> Photo {
    let mut bytes = vec![0; photo.channels * columns.len() * rows.len()];
    each_row(photo, columns, rows, Pixels(&mut bytes));
    Photo {
        width: columns.len(),
        height: rows.len(),
        channels: photo.channels,
        bytes: bytes.into(),
    }
}

/// What becomes of a weighted sum of bytes.
trait Value {
    /// From a sum between 0 and 255, but for rounding.
    fn from_sum(sum: f32) -> Self;
}

impl Value for u8 {
    /// To the nearest byte.
    #[inline(always)]
    fn from_sum(sum: f32) -> Self {
        // Added to 2^23, a whole number is in the lowest bits. A cast does the same, but compilers don't vectorize it.
        ((sum + 0.5).floor().min(255.0) + 8_388_608.0).to_bits() as u8
    }
}

impl Value for f32 {
    /// In [0, 1]: the weights add up to 1 but for rounding.
    #[inline(always)]
    fn from_sum(sum: f32) -> Self {
        let value = sum * (1.0 / 255.0);
        // `min` would look for NaN as well.
        if value < 1.0 { value } else { 1.0 }
    }
}

/// Where the rows of a result go.
trait Target {
    /// `sums` are `[columns, lanes]`, with the [`lanes`] of these channels.
    fn take(&mut self, row: usize, sums: &[f32], channels: usize);
}

/// `[rows, columns, channels]`.
struct Pixels<'a>(&'a mut [u8]);

impl Target for Pixels<'_> {
    #[inline(always)]
    fn take(&mut self, row: usize, sums: &[f32], channels: usize) {
        if channels == 3 {
            let (pixels, _) = sums.as_chunks::<4>();
            let bytes = self.0[row * pixels.len() * 3..].as_chunks_mut::<3>().0;
            for (bytes, pixel) in bytes.iter_mut().zip(pixels) {
                *bytes = [pixel[0], pixel[1], pixel[2]].map(u8::from_sum);
            }
            return;
        }
        for (byte, &sum) in self.0[row * sums.len()..].iter_mut().zip(sums) {
            *byte = u8::from_sum(sum);
        }
    }
}

/// `[channels, rows, columns]`.
struct Planes<'a, T> {
    out: &'a mut [T],
    /// Length of a channel.
    plane: usize,
}

impl<T: Value> Target for Planes<'_, T> {
    #[inline(always)]
    fn take(&mut self, row: usize, sums: &[f32], channels: usize) {
        let start = row * (sums.len() / lanes(channels));
        let mut lines = self
            .out
            .chunks_exact_mut(self.plane)
            .map(|plane| &mut plane[start..]);
        match (lines.next(), lines.next(), lines.next()) {
            (Some(red), Some(green), Some(blue)) => {
                let places = red.iter_mut().zip(green).zip(blue);
                for (((red, green), blue), pixel) in places.zip(sums.as_chunks::<4>().0) {
                    *red = T::from_sum(pixel[0]);
                    *green = T::from_sum(pixel[1]);
                    *blue = T::from_sum(pixel[2]);
                }
            }
            (Some(grey), ..) => {
                for (grey, &sum) in grey.iter_mut().zip(sums) {
                    *grey = T::from_sum(sum);
                }
            }
            _ => {}
        }
    }
}

thread_local! {
    /// A line of the source and one of the result, so that a sample costs no allocation but its weights.
    static LINES: RefCell<(Vec<f32>, Vec<f32>)> = RefCell::default();
}

/// Passes every row of the result to `target`, as values from 0 to 255.
fn each_row(photo: &Photo, columns: &Axis, rows: &Axis, target: impl Target) {
    LINES.with_borrow_mut(|(mixed, line)| {
        // Pixels of three channels are read as four values: the last one needs a neighbour.
        mixed.resize(columns.source().len() * photo.channels + 1, 0.0);
        line.resize(columns.len() * lanes(photo.channels), 0.0);
        Arch::new().dispatch(Rows {
            photo,
            columns,
            rows,
            mixed,
            line,
            target,
        });
    });
}

/// Values of a pixel in a line of the result: four fill a vector and three don't. The fourth is of no use.
fn lanes(channels: usize) -> usize {
    if channels == 3 { 4 } else { channels }
}

/// The work of [`each_row`], compiled for the widest instructions of the machine.
struct Rows<'a, T> {
    photo: &'a Photo,
    columns: &'a Axis,
    rows: &'a Axis,
    mixed: &'a mut [f32],
    line: &'a mut [f32],
    target: T,
}

impl<T: Target> WithSimd for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self {
            photo,
            columns,
            rows,
            mixed,
            line,
            mut target,
        } = self;
        let channels = photo.channels;
        let stride = photo.width * channels;
        let source = columns.source();
        let part = source.start * channels..source.end * channels;
        let sums = part.len();
        for (row, (first, weights)) in rows.places().enumerate() {
            let bytes = &photo.bytes[first * stride + part.start..];
            mix(&mut mixed[..sums], bytes, stride, weights);
            match (channels, columns.taps) {
                (3, 2) => along::<3, 4, 2>(mixed, columns, source.start, line),
                (3, 3) => along::<3, 4, 3>(mixed, columns, source.start, line),
                (3, 4) => along::<3, 4, 4>(mixed, columns, source.start, line),
                (3, 5) => along::<3, 4, 5>(mixed, columns, source.start, line),
                (3, 6) => along::<3, 4, 6>(mixed, columns, source.start, line),
                (3, _) => along_many::<3, 4>(mixed, columns, source.start, line),
                (_, 2) => along::<1, 1, 2>(mixed, columns, source.start, line),
                (_, 3) => along::<1, 1, 3>(mixed, columns, source.start, line),
                (_, 4) => along::<1, 1, 4>(mixed, columns, source.start, line),
                _ => along_many::<1, 1>(mixed, columns, source.start, line),
            }
            target.take(row, line, channels);
        }
    }
}

/// Values that are summed at once: the compiler keeps them in registers.
const LANES: usize = 64;

/// The weighted sum of rows of bytes, `stride` from each other.
#[inline(always)]
fn mix(sums: &mut [f32], bytes: &[u8], stride: usize, weights: &[f32]) {
    let Some(last) = sums.len().checked_sub(LANES) else {
        for (place, to) in sums.iter_mut().enumerate() {
            *to = 0.0;
            for (tap, &weight) in weights.iter().enumerate() {
                *to += weight * f32::from(bytes[tap * stride + place]);
            }
        }
        return;
    };
    // The last block overlaps the one before: what both have comes out the same.
    for from in (0..last).step_by(LANES).chain([last]) {
        sums[from..][..LANES].copy_from_slice(&mixed(&bytes[from..], stride, weights));
    }
}

/// A block of weighted sums.
#[inline(always)]
fn mixed(bytes: &[u8], stride: usize, weights: &[f32]) -> [f32; LANES] {
    let mut total = [0.0f32; LANES];
    for (tap, &weight) in weights.iter().enumerate() {
        let row = &bytes[tap * stride..][..LANES];
        for (sum, &byte) in total.iter_mut().zip(row) {
            *sum += weight * f32::from(byte);
        }
    }
    total
}

/// Makes a line of pixels of `C` channels from one of the source that begins at place `start`, with `TAPS` weights a pixel. A pixel is
/// taken as `W` values, its [`lanes`].
#[inline(always)]
fn along<const C: usize, const W: usize, const TAPS: usize>(
    source: &[f32],
    columns: &Axis,
    start: usize,
    line: &mut [f32],
) {
    let (weights, _) = columns.weights.as_chunks::<TAPS>();
    let (line, _) = line.as_chunks_mut::<W>();
    let places = columns.first.iter().zip(weights);
    for ((first, weights), to) in places.zip(line) {
        let pixels = &source[(first - start) * C..][..(TAPS - 1) * C + W];
        let mut sums = [0.0f32; W];
        for tap in 0..TAPS {
            for lane in 0..W {
                sums[lane] += weights[tap] * pixels[tap * C + lane];
            }
        }
        *to = sums;
    }
}

/// [`along`] with any number of weights.
#[inline(always)]
fn along_many<const C: usize, const W: usize>(
    source: &[f32],
    columns: &Axis,
    start: usize,
    line: &mut [f32],
) {
    let (line, _) = line.as_chunks_mut::<W>();
    for ((first, weights), to) in columns.places().zip(line) {
        let pixels = &source[(first - start) * C..][..(weights.len() - 1) * C + W];
        let mut sums = [0.0f32; W];
        for (tap, weight) in weights.iter().enumerate() {
            let pixel = &pixels[tap * C..][..W];
            for lane in 0..W {
                sums[lane] += weight * pixel[lane];
            }
        }
        *to = sums;
    }
}
