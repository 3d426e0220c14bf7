//! Images in strips: some channels and some rows at a time, copied side by side with their padding. They lie at fixed distances, and what
//! neighbours share is read once, where the stride is 1.

#![allow(clippy::needless_range_loop)] // Constant ranges over arrays, which become registers.

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::kernels::activation::Epilogue;
use crate::kernels::conv::{Geometry, pad};
use crate::kernels::memory::array;
use crate::kernels::simd::{PANEL, Real, clamp, get, lanes, load, put, store};

/// Channels of a strip.
const BLOCK: usize = 2 * PANEL;

/// Values of a strip at most, unless a single row of outputs needs more: so few that they stay in a core's cache.
const VALUES: usize = 1 << 14;

/// Whether a convolution is computed so: the usual kernels, and positions enough for a tile.
pub(super) fn suits(g: &Geometry) -> bool {
    !cfg!(target_family = "wasm")
        && matches!(g.kernel, 3 | 5)
        && matches!(g.stride, 1 | 2)
        && g.outputs.is_multiple_of(PANEL)
        && g.output_width() >= 4
}

/// Kernels `[tap, channel]` as `[block][tap][32 channels]`, zeros where a block has no channel.
pub(super) fn in_blocks<T: Real>(kernels: &[T], channels: usize) -> Vec<T> {
    let taps = kernels.len() / channels;
    let mut blocks = vec![T::ZERO; channels.div_ceil(BLOCK) * taps * BLOCK];
    for (index, to) in blocks.chunks_exact_mut(taps * BLOCK).enumerate() {
        let first = index * BLOCK;
        let count = BLOCK.min(channels - first);
        for (to, from) in to
            .chunks_exact_mut(BLOCK)
            .zip(kernels.chunks_exact(channels))
        {
            to[..count].copy_from_slice(&from[first..first + count]);
        }
    }
    blocks
}

/// Some rows of the output of an image, of which it is written, never read.
pub(super) struct Strips<'a, T> {
    pub g: &'a Geometry,
    pub image: &'a [T],
    pub rows: Range<usize>,
    /// [`in_blocks`]
    pub kernels: &'a [T],
    pub epilogue: Epilogue<'a, T>,
    pub strip: &'a mut Vec<T>,
    pub output: &'a mut [MaybeUninit<T>],
}

impl<T: Real> WithSimd for Strips<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let g = self.g;
        assert_eq!(self.image.len(), g.input_values());
        assert!(self.rows.end <= g.output_height() && suits(g));
        assert_eq!(
            self.output.len(),
            self.rows.len() * g.output_width() * g.outputs
        );
        assert!(self.epilogue.bias.len() >= g.outputs);
        let kernel = g.kernel * g.kernel * BLOCK;
        assert_eq!(self.kernels.len(), g.outputs.div_ceil(BLOCK) * kernel);
        let pitch = (g.width + 2 * g.padding) * BLOCK;
        let size = (VALUES / pitch).saturating_sub(g.kernel) / g.stride + 1;
        for first in (0..g.outputs).step_by(BLOCK) {
            for row in self.rows.clone().step_by(size) {
                let rows = row..self.rows.end.min(row + size);
                self.copy(simd, first, &rows);
                match (g.kernel, g.stride) {
                    (3, 1) => self.positions::<S, 3, 1>(simd, first, rows, pitch),
                    (3, _) => self.positions::<S, 3, 2>(simd, first, rows, pitch),
                    (_, 1) => self.positions::<S, 5, 1>(simd, first, rows, pitch),
                    _ => self.positions::<S, 5, 2>(simd, first, rows, pitch),
                }
            }
        }
    }
}

impl<T: Real> Strips<'_, T> {
    /// What some rows of the output see of the channels from `first` on.
    #[inline(always)]
    fn copy<S: Simd>(&mut self, _: S, first: usize, rows: &Range<usize>) {
        let g = self.g;
        let channels = BLOCK.min(g.inputs - first);
        let (image, line) = (self.image, g.width * g.inputs);
        let top = rows.start * g.stride;
        let seen = top..top + (rows.len() - 1) * g.stride + g.kernel;
        pad(
            g,
            BLOCK,
            seen,
            self.strip,
            #[inline(always)]
            |y, to| {
                let positions = image[y * line..(y + 1) * line].chunks_exact(g.inputs);
                for (to, from) in to.chunks_exact_mut(BLOCK).zip(positions) {
                    let from = &from[first..first + channels];
                    for at in (0..channels).step_by(lanes::<S, T>()) {
                        put::<S, T>(to, at, get::<S, T>(from, at));
                    }
                }
            },
        );
    }

    #[inline(always)]
    fn positions<S: Simd, const K: usize, const STRIDE: usize>(
        &mut self,
        simd: S,
        first: usize,
        rows: Range<usize>,
        pitch: usize,
    ) {
        for row in rows.clone() {
            let at = (row - rows.start) * STRIDE * pitch;
            match self.g.output_width() {
                7 | 14 | 21 => self.row::<S, 7, K, STRIDE>(simd, first, row, at, pitch),
                8.. => self.row::<S, 8, K, STRIDE>(simd, first, row, at, pitch),
                _ => self.row::<S, 4, K, STRIDE>(simd, first, row, at, pitch),
            }
        }
    }

    /// A row of the output, whose patches begin at `at` in the strip: `Q` positions at a time, of which the last ones may be computed twice.
    #[inline(always)]
    fn row<S: Simd, const Q: usize, const K: usize, const STRIDE: usize>(
        &mut self,
        simd: S,
        first: usize,
        row: usize,
        at: usize,
        pitch: usize,
    ) {
        let columns = self.g.output_width();
        let channels = BLOCK.min(self.g.outputs - first);
        assert!(columns >= Q);
        assert!(at + (K - 1) * pitch + ((columns - 1) * STRIDE + K) * BLOCK <= self.strip.len());
        for column in (0..columns).step_by(Q) {
            let column = column.min(columns - Q);
            let at = at + column * STRIDE * BLOCK;
            let to = (row - self.rows.start) * columns + column;
            for channel in (0..channels).step_by(lanes::<S, T>()) {
                self.tile::<S, Q, K, STRIDE>(simd, first, channel, at, pitch, to);
            }
        }
    }

    /// `Q` neighbouring positions of a register of channels, summed over the taps in order.
    #[inline(always)]
    #[allow(unsafe_code)]
    fn tile<S: Simd, const Q: usize, const K: usize, const STRIDE: usize>(
        &mut self,
        simd: S,
        first: usize,
        channel: usize,
        at: usize,
        pitch: usize,
        to: usize,
    ) {
        // SAFETY: `with_simd` asserted that the kernels, the bias and the output have all channels and positions, and `row` that the patches
        // lie in the strip.
        unsafe {
            let from = self.strip.as_ptr().add(at + channel);
            let kernels = self.kernels.as_ptr().add(first * K * K + channel);
            let bias = self.epilogue.bias.as_ptr().add(first + channel);
            let mut sums = [load::<S, T>(bias); Q];
            for tap_row in 0..K {
                let from = from.add(tap_row * pitch);
                let weights: [T::Vector<S>; K] = array(
                    #[inline(always)]
                    |tap| load::<S, T>(kernels.add((tap_row * K + tap) * BLOCK)),
                );
                if const { STRIDE == 1 } {
                    for column in 0..Q + K - 1 {
                        let value = load::<S, T>(from.add(column * BLOCK));
                        for tap in 0..K {
                            if column >= tap && column - tap < Q {
                                let sum = &mut sums[column - tap];
                                *sum = T::multiply_add(simd, value, weights[tap], *sum);
                            }
                        }
                    }
                } else {
                    for q in 0..Q {
                        for tap in 0..K {
                            let value = load::<S, T>(from.add((STRIDE * q + tap) * BLOCK));
                            sums[q] = T::multiply_add(simd, value, weights[tap], sums[q]);
                        }
                    }
                }
            }
            let bounds = self.epilogue.bounds.map(
                #[inline(always)]
                |bounds| [T::splat(simd, bounds[0]), T::splat(simd, bounds[1])],
            );
            let step = self.g.outputs;
            let to = self.output.as_mut_ptr().add(to * step + first + channel);
            for q in 0..Q {
                let sum = match bounds {
                    Some(bounds) => clamp::<S, T>(simd, sums[q], bounds),
                    None => sums[q],
                };
                store::<S, T>(to.add(q * step).cast(), sum);
            }
        }
    }
}
