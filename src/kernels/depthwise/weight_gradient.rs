//! The gradient of the kernels.

use std::ops::Range;

use super::tiles::Sums;
use crate::kernels::conv::{Geometry, padded_rows};
use crate::kernels::simd::Real;

/// Sums over some positions of the gradient of the kernels.
pub(in crate::kernels) struct WeightSums<T> {
    /// `[tap, channel]`
    sums: Vec<T>,
}

impl<T: Real> WeightSums<T> {
    pub(in crate::kernels) fn new(g: &Geometry) -> Self {
        Self {
            sums: vec![T::ZERO; g.kernel * g.kernel * g.outputs],
        }
    }

    /// Adds some rows of an image; `gradient` is that of their outputs.
    pub(in crate::kernels) fn add(
        &mut self,
        g: &Geometry,
        image: &[T],
        rows: Range<usize>,
        gradient: &[T],
        grid: &mut Vec<T>,
    ) {
        let row = g.output_width() * g.outputs;
        for part in parts(g, rows.clone()) {
            let gradient = &gradient[(part.start - rows.start) * row..];
            add_rows(g, image, gradient, part, grid, &mut self.sums);
        }
    }

    /// The gradient of the kernels, `[channels, 1, kernel, kernel]`, from sums over the batch, added in order.
    pub(in crate::kernels) fn finish(g: &Geometry, parts: impl Iterator<Item = Self>) -> Vec<T> {
        let taps = g.kernel * g.kernel;
        let mut weight = vec![T::ZERO; g.outputs * taps];
        for part in parts {
            for (tap, sums) in part.sums.chunks_exact(g.outputs).enumerate() {
                for (weight, &sum) in weight[tap..].iter_mut().step_by(taps).zip(sums) {
                    *weight += sum;
                }
            }
        }
        weight
    }
}

/// Rows that are summed at a time, in registers.
fn parts(g: &Geometry, rows: Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
    const POSITIONS: usize = 64;
    let part = POSITIONS.div_ceil(g.output_width());
    rows.clone()
        .step_by(part)
        .map(move |first| first..(first + part).min(rows.end))
}

/// Adds the products of some rows of an image, whose gradient is the first of `gradient`, to `sums`, `[tap, channel]`.
fn add_rows<T: Real>(
    g: &Geometry,
    image: &[T],
    gradient: &[T],
    rows: Range<usize>,
    grid: &mut Vec<T>,
    sums: &mut [T],
) {
    let (channels, columns) = (g.outputs, g.output_width());
    let pitch = (g.width + 2 * g.padding) * channels;
    T::dispatch(Sums {
        input: padded_rows(g, image, rows.clone(), grid),
        pitch,
        step: g.stride * channels,
        row_step: g.stride * pitch,
        kernel: g.kernel,
        gradient,
        rows: rows.len(),
        columns,
        channels,
        sums,
    });
}
