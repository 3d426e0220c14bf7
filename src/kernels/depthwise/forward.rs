//! The forward pass: rows of an image.

use std::mem::MaybeUninit;
use std::ops::Range;

use super::strips::{self, Strips};
use super::tiles::Depthwise;
use crate::kernels::activation::Epilogue;
use crate::kernels::conv::{Geometry, padded_rows};
use crate::kernels::memory::filled_part;
use crate::kernels::simd::Real;

/// The kernels of a depthwise convolution.
pub(in crate::kernels) struct Kernels<T> {
    /// `[tap, channel]`, or [in blocks](strips::in_blocks).
    values: Vec<T>,
    /// Whether they are in blocks, for strips.
    in_blocks: bool,
}

impl<T: Real> Kernels<T> {
    /// Of `[channels, 1, kernel, kernel]`, times `scale` of their channel.
    pub(in crate::kernels) fn new(g: &Geometry, weight: &[T], scale: Option<&[T]>) -> Self {
        let taps = 0..g.kernel * g.kernel;
        let mut values = by_tap(g, weight, taps);
        if let Some(scale) = scale {
            for values in values.chunks_exact_mut(g.outputs) {
                for (value, &scale) in values.iter_mut().zip(scale) {
                    *value = *value * scale;
                }
            }
        }
        let in_blocks = strips::suits(g);
        if in_blocks {
            values = strips::in_blocks(&values, g.outputs);
        }
        Self { values, in_blocks }
    }

    /// Some rows of the output of an image; the bias has a value for every channel.
    #[allow(unsafe_code)]
    pub(in crate::kernels) fn rows<'a>(
        &self,
        g: &Geometry,
        image: &[T],
        rows: Range<usize>,
        epilogue: Epilogue<T>,
        grid: &mut Vec<T>,
        output: &'a mut [MaybeUninit<T>],
    ) -> &'a mut [T] {
        let (channels, columns) = (g.outputs, g.output_width());
        assert_eq!(output.len(), rows.len() * columns * channels);
        if self.in_blocks {
            T::dispatch(Strips {
                g,
                image,
                rows,
                kernels: &self.values,
                epilogue,
                strip: grid,
                output,
            });
            // SAFETY: all channels of all positions were written.
            return unsafe { filled_part(output) };
        }
        let pitch = (g.width + 2 * g.padding) * channels;
        T::dispatch(Depthwise {
            input: padded_rows(g, image, rows.clone(), grid),
            pitch,
            step: g.stride * channels,
            row_step: g.stride * pitch,
            taps: [g.kernel; 2],
            weights: &self.values,
            epilogue,
            rows: rows.len(),
            columns,
            channels,
            output_step: channels,
            output_row_step: columns * channels,
            output,
        });
        // SAFETY: all channels of all positions were written.
        unsafe { filled_part(output) }
    }
}

/// Some taps of `[channels, 1, kernel, kernel]` as `[tap, channel]`.
pub(super) fn by_tap<T: Real>(
    g: &Geometry,
    weight: &[T],
    taps: impl Iterator<Item = usize>,
) -> Vec<T> {
    let kernel = g.kernel * g.kernel;
    taps.flat_map(|tap| weight.iter().skip(tap).step_by(kernel).copied())
        .collect()
}
