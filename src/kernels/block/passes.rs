//! The passes over one image, a register of channels at a time.

use std::mem::MaybeUninit;

use pulp::Simd;

use crate::kernels::conv::{Geometry, GradientGrid};
use crate::kernels::memory::array;
use crate::kernels::simd::{ByChannel, Real, add_wide, fill, get, put};

/// Marks an output that ReLU set to zero: no input gets its gradient.
pub(super) const NONE: f64 = 4.0;

/// The inputs of an output: four with a pool, one without.
const PLACES: [f64; 4] = [0.0, 1.0, 2.0, 3.0];

/// Rows and columns of a window of `AREA` inputs.
const fn side(area: usize) -> usize {
    if area == 1 { 1 } else { 2 }
}

/// [`PLACES`] in registers.
#[inline(always)]
fn places<S: Simd, T: Real, const AREA: usize>(simd: S) -> [T::Vector<S>; AREA] {
    array(|place| T::splat(simd, T::of(PLACES[place])))
}

/// Sums of all positions, or of their squared distances from a value; in `T` along a row, in `f64` over the rows.
pub(super) struct Sums<'a, T> {
    pub g: &'a Geometry,
    pub image: &'a [T],
    pub around: Option<&'a [T]>,
    pub sums: &'a mut [f64],
}

impl<T: Real> ByChannel<T> for Sums<'_, T> {
    fn channels(&self) -> usize {
        self.g.outputs
    }

    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, channel: usize) {
        let n = self.g.outputs;
        let around = self.around.map(|around| get::<S, T>(around, channel));
        for row in self.image.chunks_exact(self.g.output_width() * n) {
            let mut sum = T::splat(simd, T::ZERO);
            for position in row.chunks_exact(n) {
                let x = get::<S, T>(position, channel);
                sum = match around {
                    None => T::plus(simd, sum, x),
                    Some(around) => {
                        let distance = T::minus(simd, x, around);
                        T::multiply_add(simd, distance, distance, sum)
                    }
                };
            }
            add_wide::<S, T>(self.sums, channel, sum);
        }
    }
}

/// `max(0, scale x + shift)` and the max pool of one image, with the origin of each output, the first of equals.
pub(super) struct NormPool<'a, T, const AREA: usize> {
    pub g: &'a Geometry,
    pub image: &'a [T],
    pub scale: &'a [T],
    pub shift: &'a [T],
    /// Written, never read.
    pub output: &'a mut [MaybeUninit<T>],
    /// Written, never read.
    pub origin: &'a mut [MaybeUninit<T>],
}

impl<T: Real, const AREA: usize> ByChannel<T> for NormPool<'_, T, AREA> {
    fn channels(&self) -> usize {
        self.g.outputs
    }

    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, channel: usize) {
        let scale = get::<S, T>(self.scale, channel);
        let shift = get::<S, T>(self.shift, channel);
        let places = places::<S, T, AREA>(simd);
        // Comparisons drop NaN; a channel with NaN has a NaN scale.
        let zero = T::splat(simd, T::ZERO);
        let broken = T::multiply_add(simd, zero, scale, zero);
        each_window::<AREA>(
            self.g,
            self.g.output_height() / side(AREA),
            #[inline(always)]
            |index, window| {
                let mut value = zero;
                let mut origin = T::splat(simd, T::of(NONE));
                for (at, place) in window.into_iter().zip(places) {
                    let x = get::<S, T>(self.image, at + channel);
                    let x = T::multiply_add(simd, scale, x, shift);
                    let larger = T::greater(simd, x, value);
                    value = T::select(simd, larger, x, value);
                    origin = T::select(simd, larger, place, origin);
                }
                let at = index * self.g.outputs + channel;
                fill::<S, T>(self.output, at, T::plus(simd, value, broken));
                fill::<S, T>(self.origin, at, origin);
            },
        );
    }
}

/// Calls `job` with the index of each output of the pool, over `rows` of its rows, and the indices of its inputs.
#[inline(always)]
fn each_window<const AREA: usize>(
    g: &Geometry,
    rows: usize,
    mut job: impl FnMut(usize, [usize; AREA]),
) {
    let (n, width) = (g.outputs, g.output_width());
    let side = side(AREA);
    let columns = width / side;
    for row in 0..rows {
        for column in 0..columns {
            let at = (side * row * width + side * column) * n;
            let window = array(
                #[inline(always)]
                |place| at + (place / 2 * width + place % 2) * n,
            );
            job(row * columns + column, window);
        }
    }
}

/// The gradient of the convolution's output for one image, `factor z + slope x + offset`, each position's at its index.
pub(super) struct Spread<'a, T, const AREA: usize> {
    pub g: &'a Geometry,
    pub image: &'a [T],
    pub output: &'a [T],
    pub origin: &'a [T],
    pub factor: &'a [T],
    pub slope: &'a [T],
    pub offset: &'a [T],
    pub grid: &'a GradientGrid,
    /// Written, never read.
    pub to: &'a mut [MaybeUninit<T>],
}

impl<T: Real, const AREA: usize> ByChannel<T> for Spread<'_, T, AREA> {
    fn channels(&self) -> usize {
        self.g.outputs
    }

    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, channel: usize) {
        let (n, height, width) = (
            self.g.outputs,
            self.g.output_height(),
            self.g.output_width(),
        );
        let factor = get::<S, T>(self.factor, channel);
        let slope = get::<S, T>(self.slope, channel);
        let offset = get::<S, T>(self.offset, channel);
        let places = places::<S, T, AREA>(simd);
        let zero = T::splat(simd, T::ZERO);
        let side = side(AREA);
        let (rows, columns) = (height / side, width / side);
        for row in 0..rows {
            for column in 0..columns {
                let at = (row * columns + column) * n + channel;
                let origin = get::<S, T>(self.origin, at);
                let z = get::<S, T>(self.output, at);
                for (place, here) in places.into_iter().enumerate() {
                    let (row, column) = (side * row + place / 2, side * column + place % 2);
                    let x = get::<S, T>(self.image, (row * width + column) * n + channel);
                    let here = T::equal(simd, origin, here);
                    let z = T::select(simd, here, z, zero);
                    let dx = T::multiply_add(simd, slope, x, offset);
                    let dx = T::multiply_add(simd, factor, z, dx);
                    fill::<S, T>(self.to, self.grid.index(row, column) + channel, dx);
                }
            }
        }
        // What the pool does not see of an odd height or width.
        for row in 0..height {
            let seen = if row < side * rows { side * columns } else { 0 };
            for column in seen..width {
                let x = get::<S, T>(self.image, (row * width + column) * n + channel);
                let dx = T::multiply_add(simd, slope, x, offset);
                fill::<S, T>(self.to, self.grid.index(row, column) + channel, dx);
            }
        }
    }
}

/// `sum z` and `sum z (x - mean)` of one image, per channel.
pub(super) struct Slopes {
    pub beta: Vec<f64>,
    pub deviation: Vec<f64>,
}

/// The sums of [`Slopes`]; in `T` along a row, in `f64` over the rows.
pub(super) struct SlopeSums<'a, T, const AREA: usize> {
    pub g: &'a Geometry,
    pub image: &'a [T],
    pub output: &'a [T],
    pub origin: &'a [T],
    pub mean: &'a [T],
    pub slopes: &'a mut Slopes,
}

impl<T: Real, const AREA: usize> ByChannel<T> for SlopeSums<'_, T, AREA> {
    fn channels(&self) -> usize {
        self.g.outputs
    }

    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, channel: usize) {
        let n = self.g.outputs;
        let columns = self.g.output_width() / side(AREA);
        let mean = get::<S, T>(self.mean, channel);
        let zero = T::splat(simd, T::ZERO);
        let none = T::splat(simd, T::of(NONE));
        let places = places::<S, T, AREA>(simd);
        let (mut beta, mut deviation) = (zero, zero);
        each_window::<AREA>(
            self.g,
            self.g.output_height() / side(AREA),
            #[inline(always)]
            |index, window| {
                let at = index * n + channel;
                let origin = get::<S, T>(self.origin, at);
                let mut x = mean;
                for (at, place) in window.into_iter().zip(places) {
                    let here = T::equal(simd, origin, place);
                    x = T::select(simd, here, get::<S, T>(self.image, at + channel), x);
                }
                let stopped = T::equal(simd, origin, none);
                let z = T::select(simd, stopped, zero, get::<S, T>(self.output, at));
                beta = T::plus(simd, beta, z);
                deviation = T::multiply_add(simd, z, T::minus(simd, x, mean), deviation);
                if (index + 1) % columns == 0 {
                    add_wide::<S, T>(&mut self.slopes.beta, channel, beta);
                    add_wide::<S, T>(&mut self.slopes.deviation, channel, deviation);
                    (beta, deviation) = (zero, zero);
                }
            },
        );
    }
}

/// ReLU and the max pool.
pub(super) struct ReluPool<'a, T, const AREA: usize> {
    pub g: &'a Geometry,
    pub image: &'a [T],
    pub output: &'a mut [T],
}

impl<T: Real, const AREA: usize> ByChannel<T> for ReluPool<'_, T, AREA> {
    fn channels(&self) -> usize {
        self.g.outputs
    }

    #[inline(always)]
    fn run<S: Simd>(&mut self, simd: S, channel: usize) {
        let n = self.g.outputs;
        let rows = self.image.len() / (side(AREA) * self.g.output_width() * n);
        let zero = T::splat(simd, T::ZERO);
        each_window::<AREA>(
            self.g,
            rows,
            #[inline(always)]
            |index, window| {
                let (mut value, mut sum) = (zero, zero);
                for at in window {
                    let x = get::<S, T>(self.image, at + channel);
                    value = T::select(simd, T::greater(simd, x, value), x, value);
                    sum = T::plus(simd, sum, x);
                }
                // Comparisons drop NaN; the sum does not.
                let value = T::multiply_add(simd, zero, sum, value);
                put::<S, T>(self.output, index * n + channel, value);
            },
        );
    }
}

/// Runs a pass with the number of inputs of the pool's window as its constant.
macro_rules! with_area {
    ($pool:expr, $pass:ident { $($field:ident $(: $value:expr)?),* $(,)? }) => {
        match $pool {
            $crate::kernels::block::Pool::None => crate::kernels::simd::by_channel($pass::<_, 1> { $($field $(: $value)?),* }),
            $crate::kernels::block::Pool::Halve => crate::kernels::simd::by_channel($pass::<_, 4> { $($field $(: $value)?),* }),
        }
    };
}
pub(super) use with_area;
