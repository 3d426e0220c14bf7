//! One channel of real values and the filters that the stages need: area reduction, blur, sliding maximum and minimum. Rows are
//! computed independently, so that the number of threads doesn't change the result.

use rayon::prelude::*;

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

    /// Computes every row on its own: `fill(y, row)`.
    pub fn from_rows(
        width: usize,
        height: usize,
        fill: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Plane {
        let mut plane = Plane::filled(width, height, 0.0);
        plane
            .values
            .par_chunks_mut(width)
            .enumerate()
            .for_each(|(y, row)| fill(y, row));
        plane
    }

    pub fn row(&self, y: usize) -> &[f32] {
        &self.values[y * self.width..(y + 1) * self.width]
    }

    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.width + x]
    }

    /// Bilinear value at a point; pixel (0, 0) covers [0, 1) x [0, 1), beyond the edge, the edge's value is repeated.
    pub fn sample(&self, x: f32, y: f32) -> f32 {
        let split = |position: f32, length: usize| {
            let position = (position - 0.5).clamp(0.0, (length - 1) as f32);
            let first = position as usize;
            (first, (first + 1).min(length - 1), position - first as f32)
        };
        let (x0, x1, fx) = split(x, self.width);
        let (y0, y1, fy) = split(y, self.height);
        let upper = self.at(x0, y0) * (1.0 - fx) + self.at(x1, y0) * fx;
        let lower = self.at(x0, y1) * (1.0 - fx) + self.at(x1, y1) * fx;
        upper * (1.0 - fy) + lower * fy
    }

    /// The same image in `width` x `height`, each value the mean over the area that it covers.
    pub fn resized(&self, width: usize, height: usize) -> Plane {
        area_average(
            (self.width, self.height),
            (width, height),
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
        let columns = cubic_taps(self.width, width);
        let rows = cubic_taps(self.height, height);
        let wide = Plane::from_rows(width, self.height, |y, out| {
            let row = self.row(y);
            for (out, taps) in out.iter_mut().zip(&columns) {
                *out = taps.mix(|x| row[x]);
            }
        });
        Plane::from_rows(width, height, |y, out| {
            for (x, out) in out.iter_mut().enumerate() {
                *out = rows[y].mix(|row| wide.at(x, row));
            }
        })
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
        let weight = |distance: usize| kernel[distance];
        self.along_columns(radius, weight)
            .along_rows(radius, weight)
    }

    fn along_rows(&self, radius: usize, weight: impl Fn(usize) -> f32 + Sync) -> Plane {
        Plane::from_rows(self.width, self.height, |y, out| {
            let row = self.row(y);
            for (x, out) in out.iter_mut().enumerate() {
                let window = x.saturating_sub(radius)..(x + radius + 1).min(self.width);
                let (mut sum, mut total) = (0.0, 0.0);
                for i in window {
                    let w = weight(i.abs_diff(x));
                    sum += w * row[i];
                    total += w;
                }
                *out = sum / total;
            }
        })
    }

    fn along_columns(&self, radius: usize, weight: impl Fn(usize) -> f32 + Sync) -> Plane {
        Plane::from_rows(self.width, self.height, |y, out| {
            let mut total = 0.0;
            for i in y.saturating_sub(radius)..(y + radius + 1).min(self.height) {
                let w = weight(i.abs_diff(y));
                total += w;
                for (out, value) in out.iter_mut().zip(self.row(i)) {
                    *out += w * value;
                }
            }
            for out in out.iter_mut() {
                *out /= total;
            }
        })
    }

    /// Largest value in the square of `2 radius + 1` around each pixel.
    pub fn dilated(&self, radius: usize) -> Plane {
        self.square_fold(radius, f32::max)
    }

    /// Smallest value in the square of `2 radius + 1` around each pixel.
    pub fn eroded(&self, radius: usize) -> Plane {
        self.square_fold(radius, f32::min)
    }

    fn square_fold(&self, radius: usize, pick: fn(f32, f32) -> f32) -> Plane {
        let rows = Plane::from_rows(self.width, self.height, |y, out| {
            let row = self.row(y);
            for (x, out) in out.iter_mut().enumerate() {
                let window = x.saturating_sub(radius)..(x + radius + 1).min(self.width);
                *out = row[window].iter().copied().fold(row[x], pick);
            }
        });
        Plane::from_rows(self.width, self.height, |y, out| {
            out.copy_from_slice(rows.row(y));
            for i in y.saturating_sub(radius)..(y + radius + 1).min(self.height) {
                for (out, value) in out.iter_mut().zip(rows.row(i)) {
                    *out = pick(*out, *value);
                }
            }
        })
    }
}

/// Four source pixels and their weights under one target pixel.
struct CubicTaps {
    sources: [usize; 4],
    weights: [f32; 4],
}

impl CubicTaps {
    fn mix(&self, value: impl Fn(usize) -> f32) -> f32 {
        let values = self.sources.map(value);
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
    let columns: Vec<_> = (0..width)
        .map(|x| covered(x, source_width, width))
        .collect();
    Plane::from_rows(width, height, |y, out| {
        let mut sums = vec![0.0; source_width];
        let rows = covered(y, source_height, height);
        let mut total = 0.0;
        for (row, weight) in &rows {
            add(*row, *weight, &mut sums);
            total += weight;
        }
        for (out, covered) in out.iter_mut().zip(&columns) {
            let (sum, weights) = covered.iter().fold((0.0, 0.0), |(sum, all), (x, weight)| {
                (sum + weight * sums[*x], all + weight)
            });
            *out = sum / (weights * total);
        }
    })
}

/// Source pixels under target pixel `index`, each with the covered part of it.
fn covered(index: usize, source: usize, target: usize) -> Vec<(usize, f32)> {
    let step = source as f64 / target as f64;
    let (from, to) = (index as f64 * step, (index + 1) as f64 * step);
    let first = (from as usize).min(source - 1);
    let last = (to.ceil() as usize).clamp(first + 1, source);
    (first..last)
        .map(|i| {
            let part = (to.min((i + 1) as f64) - from.max(i as f64)).max(1e-6);
            (i, part as f32)
        })
        .collect()
}
