//! The gradient of the input.

use std::mem::MaybeUninit;

use super::forward::by_tap;
use super::tiles::Depthwise;
use crate::kernels::activation::Epilogue;
use crate::kernels::conv::{Geometry, Phase, Phases};
use crate::kernels::memory::filled_part;
use crate::kernels::simd::Real;

/// The kernels, ready for the gradients of the input.
pub(in crate::kernels) struct Transposed<T> {
    g: Geometry,
    phases: Phases,
    /// For each pair of phases `[tap, channel]`.
    weights: Vec<Vec<T>>,
    no_bias: Vec<T>,
}

impl<T: Real> Transposed<T> {
    pub(in crate::kernels) fn new(g: &Geometry, weight: &[T]) -> Self {
        let phases = Phases::new(g);
        let weights = phases
            .pairs()
            .map(|(row, column)| by_tap(g, weight, taps(g, row, column)))
            .collect();
        Self {
            g: *g,
            phases,
            weights,
            no_bias: vec![T::ZERO; g.inputs],
        }
    }

    /// The gradient of an image from that of its output.
    #[allow(unsafe_code)]
    pub(in crate::kernels) fn apply<'a>(
        &self,
        gradient: &[T],
        grid: &mut Vec<T>,
        output: &'a mut [MaybeUninit<T>],
    ) -> &'a mut [T] {
        let g = &self.g;
        assert_eq!(output.len(), g.input_values());
        let pitch = self.phases.pitch(g);
        let grid = self.phases.bordered(g, gradient, grid);
        let (step, row_step) = (g.stride * g.inputs, g.stride * g.width * g.inputs);
        for ((row, column), weights) in self.phases.pairs().zip(&self.weights) {
            let to = &mut output[(row.start * g.width + column.start) * g.inputs..];
            if row.taps.is_empty() || column.taps.is_empty() {
                for y in 0..row.count {
                    for x in 0..column.count {
                        to[y * row_step + x * step..][..g.inputs].fill(MaybeUninit::new(T::ZERO));
                    }
                }
                continue;
            }
            T::dispatch(Depthwise {
                input: &grid[self.phases.origin(g, row, column)..],
                pitch,
                step: g.outputs,
                row_step: pitch,
                taps: [row.taps.len(), column.taps.len()],
                weights,
                epilogue: Epilogue::bias(&self.no_bias),
                rows: row.count,
                columns: column.count,
                channels: g.inputs,
                output_step: step,
                output_row_step: row_step,
                output: to,
            });
        }
        // SAFETY: every position is in one pair of phases, and all channels of all of its positions are written.
        unsafe { filled_part(output) }
    }
}

/// The taps of a pair of phases in the order of their positions.
fn taps(g: &Geometry, row: &Phase, column: &Phase) -> impl Iterator<Item = usize> {
    let kernel = g.kernel;
    let rows = row.taps.iter();
    rows.flat_map(move |row| column.taps.iter().map(move |column| row * kernel + column))
}
