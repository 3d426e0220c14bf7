//! The forward pass.

use std::mem::MaybeUninit;
use std::ops::Range;

use super::branch::{Branch, channels, whole};
use crate::kernels::activation::{Activation, Epilogue, activate};
use crate::kernels::conv::{
    Geometry, convolve_rows, cut, in_panels, padded_rows, panels, row_parts, winograd,
};
use crate::kernels::engine;
use crate::kernels::memory::{Kept, filled, filled_part, room};
use crate::kernels::simd::Real;
use crate::kernels::threads;

/// `[batch, rows, columns, channels of all branches]`; `relu` sets negative values to zero.
#[allow(unsafe_code)]
pub(in crate::kernels) fn forward<T: Real>(
    branches: &[Branch<T>],
    input: &[T],
    relu: bool,
) -> Vec<T> {
    let (step, firsts) = channels(branches);
    let whole = whole(branches);
    let positions = |g: &Geometry| [g.batch, g.output_height(), g.output_width()];
    assert!(
        branches
            .iter()
            .all(|branch| positions(&branch.geometry) == positions(&whole)),
        "branches must have the same positions"
    );
    let mut output = room(whole.batch * whole.output_values());
    let ready: Vec<Ready<T>> = branches.iter().map(Ready::new).collect();
    // Rows of tiles.
    let multiple = if ready.iter().any(Ready::is_winograd) {
        2
    } else {
        1
    };
    let parts = row_parts(&whole, multiple);
    let row = whole.output_width() * step;
    threads::for_each(
        whole.multiply_adds(),
        cut(&mut output, whole.batch, &parts, row),
        Kept::<engine::Scratch<T>>::default,
        |scratch, (image, part, output)| {
            let image = &input[image * whole.input_values()..(image + 1) * whole.input_values()];
            for (branch, &first) in ready.iter().zip(&firsts) {
                branch.rows(image, part.clone(), step, scratch, &mut output[first..]);
            }
            if relu {
                // SAFETY: the branches have written all channels of all positions.
                activate(unsafe { filled_part(output) }, Activation::Relu);
            }
        },
    );
    // SAFETY: the parts are the whole batch, and each has been written.
    unsafe { filled(output) }
}

/// A branch with its weights ready.
struct Ready<'a, T> {
    geometry: &'a Geometry,
    weights: engine::Forward<T>,
    /// In whole panels.
    bias: Vec<T>,
}

impl<'a, T: Real> Ready<'a, T> {
    fn new(branch: &'a Branch<T>) -> Self {
        let g = &branch.geometry;
        let weights = if winograd::pays_in_f32(g) {
            engine::Forward::new(g, branch.weight, None)
        } else {
            engine::Forward::Dense(panels(g, branch.weight, None))
        };
        Self {
            geometry: g,
            weights,
            bias: in_panels(branch.bias),
        }
    }

    fn is_winograd(&self) -> bool {
        matches!(self.weights, engine::Forward::Winograd(_))
    }

    /// Writes some rows of the branch's output for an image, positions `step` values apart.
    fn rows(
        &self,
        image: &[T],
        rows: Range<usize>,
        step: usize,
        scratch: &mut engine::Scratch<T>,
        output: &mut [MaybeUninit<T>],
    ) {
        let (g, epilogue) = (self.geometry, Epilogue::bias(&self.bias));
        match &self.weights {
            engine::Forward::Dense(weights) => {
                let image = padded_rows(g, image, rows.clone(), &mut scratch.grid);
                convolve_rows(g, image, weights, epilogue, rows.len(), step, output);
            }
            weights => {
                let mut values = std::mem::take(&mut scratch.values);
                let count = rows.len() * g.output_width() * g.outputs;
                values.resize(count, MaybeUninit::uninit());
                let found = weights.rows(g, image, rows, 0, epilogue, scratch, &mut values);
                let positions = found.chunks_exact(g.outputs);
                for (to, from) in output.chunks_mut(step).zip(positions) {
                    to[..g.outputs].write_copy_of_slice(from);
                }
                scratch.values = values;
            }
        }
    }
}
