//! One channel of real values and the filters that the stages need: area reduction, blur, sliding maximum and minimum. Rows are
//! computed independently, so that the number of threads doesn't change the result.

use rayon::prelude::*;

use crate::vectorized::vectorized;

#[cfg(test)]
mod tests;

/// Most pixels of a copy of the photograph on which letters are found.
pub(super) const MAX_COPY_PIXELS: f32 = 5.2e6;

/// `width` x `height` values, row by row; neither side is 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plane {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

impl Plane {
    pub fn filled(width: usize, height: usize, value: f32) -> Plane {
        Plane {
            width,
            height,
            values: vec![value; width * height],
        }
    }

    /// Computes every row on its own, from zeros: `fill(y, row)`; see [`change_rows`](Self::change_rows).
    pub fn from_rows(
        width: usize,
        height: usize,
        fill: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Plane {
        let mut plane = Plane::filled(width, height, 0.0);
        plane.change_rows(fill);
        plane
    }

    /// Changes every row on its own: `change(y, row)`, which should be `#[inline(always)]` where time matters (see [`vectorized`]).
    pub fn change_rows(&mut self, change: impl Fn(usize, &mut [f32]) + Sync) {
        let rows = self.values.par_chunks_mut(self.width).enumerate();
        rows.for_each(|(y, row)| {
            vectorized(
                #[inline(always)]
                || change(y, row),
            );
        });
    }

    pub fn row(&self, y: usize) -> &[f32] {
        &self.values[y * self.width..(y + 1) * self.width]
    }

    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.width + x]
    }

    /// The same image in `width` x `height`, interpolated between the centres of pixels; beyond the edge, the edge's value is repeated.
    pub fn bilinear(&self, width: usize, height: usize) -> Plane {
        let taps = |source: usize, target: usize| -> Vec<LinearTaps> {
            let step = source as f32 / target as f32;
            let positions = (0..target).map(|index| (index as f32 + 0.5) * step);
            positions.map(|at| LinearTaps::at(at, source)).collect()
        };
        self.interpolated(&taps(self.width, width), &taps(self.height, height))
    }

    /// The same image in `width` x `height`, each value the mean over the area that it covers.
    pub fn resized(&self, width: usize, height: usize) -> Plane {
        area_average(
            (self.width, self.height),
            (width, height),
            #[inline(always)]
            |y, weight, sums| {
                for (sum, value) in sums.iter_mut().zip(self.row(y)) {
                    *sum += weight * value;
                }
            },
        )
    }

    /// The same image with more pixels, by cubic convolution (R. Keys, IEEE Trans. ASSP 29, 1981, a = -0.5), limited to the values
    /// around each point: no halo.
    pub fn enlarged(&self, width: usize, height: usize) -> Plane {
        self.interpolated(
            &cubic_taps(self.width, width),
            &cubic_taps(self.height, height),
        )
    }

    /// The image with these columns and rows, across first.
    fn interpolated<const N: usize, T: Taps<N>>(&self, columns: &[T], rows: &[T]) -> Plane {
        let width = columns.len();
        let wide = Plane::from_rows(
            width,
            self.height,
            #[inline(always)]
            |y, out| {
                let row = self.row(y);
                for (out, taps) in out.iter_mut().zip(columns) {
                    let sources = taps.sources();
                    *out = taps.mix(|tap| row[sources[tap]]);
                }
            },
        );
        Plane::from_rows(
            width,
            rows.len(),
            #[inline(always)]
            |y, out| {
                let sources = rows[y].sources();
                let lines: [&[f32]; N] = sources.map(|row| &wide.row(row)[..width]);
                for (x, out) in out.iter_mut().enumerate() {
                    *out = rows[y].mix(|tap| lines[tap][x]);
                }
            },
        )
    }

    /// The same image, turned clockwise by quarters.
    pub fn turned(self, quarter_turns: u8) -> Plane {
        let (width, height) = (self.width, self.height);
        match quarter_turns % 4 {
            0 => self,
            1 => Plane::from_rows(height, width, |y, out| {
                for (x, out) in out.iter_mut().enumerate() {
                    *out = self.at(y, height - 1 - x);
                }
            }),
            2 => {
                let mut turned = self;
                turned.values.reverse();
                turned
            }
            _ => Plane::from_rows(height, width, |y, out| {
                for (x, out) in out.iter_mut().enumerate() {
                    *out = self.at(width - 1 - y, x);
                }
            }),
        }
    }

    /// A copy whose longer side is at most `side`.
    pub fn fitted(&self, side: usize) -> Plane {
        let (width, height) = fitted_size(self.width, self.height, side);
        self.resized(width, height)
    }

    /// Gaussian blur; at the edges, the part of the kernel inside the image is renormalised.
    pub fn blurred(&self, sigma: f32) -> Plane {
        // Three sigma cover 99.7 % of a Gaussian.
        let radius = (3.0 * sigma).ceil() as usize;
        let kernel: Vec<f32> = (0..=radius)
            .map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp())
            .collect();
        self.along_columns(&kernel).along_rows(&kernel)
    }

    fn along_rows(&self, kernel: &[f32]) -> Plane {
        let (radius, width) = (kernel.len() - 1, self.width);
        let edge = |row: &[f32], x: usize| {
            let window = x.saturating_sub(radius)..(x + radius + 1).min(width);
            let (mut sum, mut total) = (0.0, 0.0);
            for i in window {
                let weight = kernel[i.abs_diff(x)];
                sum += weight * row[i];
                total += weight;
            }
            sum / total
        };
        // Where all of the kernel is inside the image.
        let start = radius.min(width);
        let inner = start..width.saturating_sub(radius).max(start);
        Plane::from_rows(
            width,
            self.height,
            #[inline(always)]
            |y, out| {
                let row = self.row(y);
                let mut total = 0.0;
                for shift in 0..=2 * radius {
                    let weight = kernel[shift.abs_diff(radius)];
                    total += weight;
                    for (out, value) in out[inner.clone()].iter_mut().zip(&row[shift.min(width)..])
                    {
                        *out += weight * value;
                    }
                }
                for out in &mut out[inner.clone()] {
                    *out /= total;
                }
                for x in (0..inner.start).chain(inner.end..width) {
                    out[x] = edge(row, x);
                }
            },
        )
    }

    fn along_columns(&self, kernel: &[f32]) -> Plane {
        let radius = kernel.len() - 1;
        Plane::from_rows(
            self.width,
            self.height,
            #[inline(always)]
            |y, out| {
                let mut total = 0.0;
                for i in y.saturating_sub(radius)..(y + radius + 1).min(self.height) {
                    let weight = kernel[i.abs_diff(y)];
                    total += weight;
                    for (out, value) in out.iter_mut().zip(self.row(i)) {
                        *out += weight * value;
                    }
                }
                for out in out.iter_mut() {
                    *out /= total;
                }
            },
        )
    }

    /// Largest value in the square of `2 radius + 1` around each pixel.
    pub fn dilated(&self, radius: usize) -> Plane {
        self.square_fold(
            radius,
            #[inline(always)]
            |a, b| a.max(b),
        )
    }

    /// Smallest value in the square of `2 radius + 1` around each pixel.
    pub fn eroded(&self, radius: usize) -> Plane {
        self.square_fold(
            radius,
            #[inline(always)]
            |a, b| a.min(b),
        )
    }

    fn square_fold(&self, radius: usize, pick: impl Fn(f32, f32) -> f32 + Sync) -> Plane {
        let rows = Plane::from_rows(
            self.width,
            self.height,
            #[inline(always)]
            |y, out| {
                let row = self.row(y);
                out.copy_from_slice(row);
                for shift in 1..=radius.min(self.width - 1) {
                    for (out, value) in out.iter_mut().zip(&row[shift..]) {
                        *out = pick(*out, *value);
                    }
                    for (out, value) in out[shift..].iter_mut().zip(row) {
                        *out = pick(*out, *value);
                    }
                }
            },
        );
        Plane::from_rows(
            self.width,
            self.height,
            #[inline(always)]
            |y, out| {
                out.copy_from_slice(rows.row(y));
                for i in y.saturating_sub(radius)..(y + radius + 1).min(self.height) {
                    for (out, value) in out.iter_mut().zip(rows.row(i)) {
                        *out = pick(*out, *value);
                    }
                }
            },
        )
    }
}

/// Source pixels around a point and how its value follows from theirs.
pub(super) trait Taps<const N: usize>: Sync {
    /// Indices along one side.
    fn sources(&self) -> [usize; N];

    /// The value at the point; `value(tap)` is that of a source.
    fn mix(&self, value: impl Fn(usize) -> f32) -> f32;
}

/// Two neighbouring pixels and where a point lies between their centres.
pub(super) struct LinearTaps {
    sources: [usize; 2],
    part: f32,
}

impl LinearTaps {
    /// Around a position along a side of `length` pixels; pixel 0 covers [0, 1), beyond the edge, the edge's pixel is repeated.
    pub fn at(position: f32, length: usize) -> Self {
        let position = (position - 0.5).clamp(0.0, (length - 1) as f32);
        let first = position as usize;
        Self {
            sources: [first, (first + 1).min(length - 1)],
            part: position - first as f32,
        }
    }
}

impl Taps<2> for LinearTaps {
    #[inline(always)]
    fn sources(&self) -> [usize; 2] {
        self.sources
    }

    #[inline(always)]
    fn mix(&self, value: impl Fn(usize) -> f32) -> f32 {
        value(0) * (1.0 - self.part) + value(1) * self.part
    }
}

/// Four pixels and their weights.
struct CubicTaps {
    sources: [usize; 4],
    weights: [f32; 4],
}

impl Taps<4> for CubicTaps {
    #[inline(always)]
    fn sources(&self) -> [usize; 4] {
        self.sources
    }

    #[inline(always)]
    fn mix(&self, value: impl Fn(usize) -> f32) -> f32 {
        let values = [value(0), value(1), value(2), value(3)];
        let sum: f32 = values.iter().zip(&self.weights).map(|(v, w)| v * w).sum();
        sum.clamp(values[1].min(values[2]), values[1].max(values[2]))
    }
}

/// The taps of each target pixel along one side; beyond the edge, the edge's value is repeated.
fn cubic_taps(source: usize, target: usize) -> Vec<CubicTaps> {
    let step = source as f32 / target as f32;
    (0..target)
        .map(|index| {
            let position = (index as f32 + 0.5) * step - 0.5;
            let (first, t) = (position.floor(), position - position.floor());
            let at = |offset: f32| (first + offset).clamp(0.0, (source - 1) as f32) as usize;
            let (t2, t3) = (t * t, t * t * t);
            CubicTaps {
                sources: [at(-1.0), at(0.0), at(1.0), at(2.0)],
                weights: [
                    -0.5 * t + t2 - 0.5 * t3,
                    1.0 - 2.5 * t2 + 1.5 * t3,
                    0.5 * t + 2.0 * t2 - 1.5 * t3,
                    -0.5 * t2 + 0.5 * t3,
                ],
            }
        })
        .collect()
}

/// `width` x `height` scaled down so that the longer side is at most `side`; never up, never to 0.
pub(super) fn fitted_size(width: usize, height: usize, side: usize) -> (usize, usize) {
    let longer = width.max(height);
    if longer <= side {
        return (width, height);
    }
    let scaled = |length: usize| ((length * side + longer / 2) / longer).max(1);
    (scaled(width), scaled(height))
}

/// Area average of any source: `add(y, weight, sums)` adds the source row `y`, times `weight`, to `sums`.
pub(super) fn area_average(
    (source_width, source_height): (usize, usize),
    (width, height): (usize, usize),
    add: impl Fn(usize, f32, &mut [f32]) + Sync,
) -> Plane {
    let columns: Vec<Covered> = (0..width)
        .map(|x| Covered::by(x, source_width, width))
        .collect();
    Plane::from_rows(
        width,
        height,
        #[inline(always)]
        |y, out| {
            let mut sums = vec![0.0; source_width];
            let rows = Covered::by(y, source_height, height);
            for (row, &weight) in (rows.first..).zip(&rows.weights) {
                add(row, weight, &mut sums);
            }
            for (out, columns) in out.iter_mut().zip(&columns) {
                let sums = sums[columns.first..].iter().zip(&columns.weights);
                let sum = sums.fold(0.0, |sum, (value, weight)| sum + weight * value);
                *out = sum / (columns.total * rows.total);
            }
        },
    )
}

/// Source pixels under a target pixel.
struct Covered {
    first: usize,
    /// The covered part of each.
    weights: Vec<f32>,
    /// Sum of the weights.
    total: f32,
}

impl Covered {
    /// By the target pixel `index` of `target` along a side of `source` pixels.
    fn by(index: usize, source: usize, target: usize) -> Self {
        let step = source as f64 / target as f64;
        let (from, to) = (index as f64 * step, (index + 1) as f64 * step);
        let first = (from as usize).min(source - 1);
        let last = (to.ceil() as usize).clamp(first + 1, source);
        let part = |i: usize| (to.min((i + 1) as f64) - from.max(i as f64)).max(1e-6) as f32;
        let weights: Vec<f32> = (first..last).map(part).collect();
        Self {
            first,
            total: weights.iter().fold(0.0, |total, weight| total + weight),
            weights,
        }
    }
}
