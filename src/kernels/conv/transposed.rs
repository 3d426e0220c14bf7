//! The gradient of the input, for any stride: each of the stride's phases is a convolution of the output's gradient by those
//! taps of the kernel that reach it, so that no zeros between the gradients are multiplied.

use std::mem::MaybeUninit;

use super::convolve::convolve;
use super::geometry::Geometry;
use super::grid::Patches;
use super::phases::Phases;
use super::tiles::Convolution;
use super::weights::{Panels, panels_of_taps};
use crate::kernels::activation::Epilogue;
use crate::kernels::memory::filled_part;
use crate::kernels::simd::{Real, padded};

/// The weights of a convolution, ready for the gradients of its input.
pub(in crate::kernels) struct Transposed<T> {
    g: Geometry,
    phases: Phases,
    /// For each pair of phases.
    weights: Vec<Panels<T>>,
    no_bias: Vec<T>,
}

impl<T: Real> Transposed<T> {
    pub(in crate::kernels) fn new(g: &Geometry, weight: &[T]) -> Self {
        let phases = Phases::new(g);
        let weights = phases
            .pairs()
            .map(|(row, column)| panels_of_taps(g, weight, &row.taps, &column.taps))
            .collect();
        Self {
            g: *g,
            phases,
            weights,
            no_bias: vec![T::ZERO; padded(g.inputs)],
        }
    }

    /// The gradient of an image, or of some of its positions if the kernel is a single pixel and the stride 1, from that of
    /// its output.
    #[allow(unsafe_code)]
    pub(in crate::kernels) fn apply<'a>(
        &self,
        gradient: &[T],
        grid: &mut Vec<T>,
        output: &'a mut [MaybeUninit<T>],
    ) -> &'a mut [T] {
        let g = &self.g;
        if g.is_pixelwise() {
            self.pixels(gradient, output);
        } else {
            assert_eq!(output.len(), g.input_values());
            self.image(gradient, grid, output);
        }
        // SAFETY: every position is in one pair of phases, and all channels of all of its positions are written.
        unsafe { filled_part(output) }
    }

    /// Without neighbours: a product of matrices.
    fn pixels(&self, gradient: &[T], output: &mut [MaybeUninit<T>]) {
        let (inputs, outputs) = (self.g.inputs, self.g.outputs);
        let positions = output.len() / inputs;
        assert_eq!(output.len(), positions * inputs);
        convolve(Convolution::<_, true> {
            patches: Patches {
                runs: 1,
                run: outputs,
                pitch: outputs,
                step: outputs,
                row_step: 0,
            },
            input: gradient,
            weights: self.weights[0].matrix(),
            epilogue: Epilogue::bias(&self.no_bias),
            rows: 1,
            columns: positions,
            channels: inputs,
            step: inputs,
            row_step: 0,
            output,
        });
    }

    fn image(&self, gradient: &[T], grid: &mut Vec<T>, output: &mut [MaybeUninit<T>]) {
        let g = &self.g;
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
            convolve(Convolution::<_, true> {
                patches: Patches {
                    runs: row.taps.len(),
                    run: column.taps.len() * g.outputs,
                    pitch,
                    step: g.outputs,
                    row_step: pitch,
                },
                input: &grid[self.phases.origin(g, row, column)..],
                weights: weights.matrix(),
                epilogue: Epilogue::bias(&self.no_bias),
                rows: row.count,
                columns: column.count,
                channels: g.inputs,
                step,
                row_step,
                output: to,
            });
        }
    }
}
