//! Fully connected layers with their bias and non-linearity in one pass over slices.

use super::activation::{Activation, Epilogue, Function, activate, with_function};
use super::conv::{Matrix, in_panels, multiply};
use super::simd::{PANEL, Real, padded, widest};
use super::threads;

/// The sizes of a fully connected layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub batch: usize,
    pub inputs: usize,
    pub outputs: usize,
}

impl Sizes {
    pub fn multiply_adds(&self) -> usize {
        self.batch * self.inputs * self.outputs
    }

    /// Whether the weights stay in a core's cache while the rows are multiplied. If not, reading them a panel at a time is
    /// slower than a matrix product that packs them first.
    pub fn fit_the_cache(&self) -> bool {
        const WEIGHTS: usize = 1 << 17;
        self.inputs * self.outputs <= WEIGHTS
    }
}

/// Threads take a multiple of this many rows: those of a tile.
const ROWS: usize = 12;

/// `[batch, inputs]` by `[inputs, outputs]` plus `[outputs]`, then the non-linearity: `[batch, outputs]`. The weights
/// are read in place.
pub(super) fn forward<T: Real>(
    sizes: Sizes,
    input: &[T],
    weight: &[T],
    bias: &[T],
    activation: Activation,
) -> Vec<T> {
    let Sizes {
        batch,
        inputs,
        outputs,
    } = sizes;
    let mut output = vec![T::ZERO; batch * outputs];
    if output.is_empty() {
        return output;
    }
    let bias = in_panels(bias);
    let (bounds, rest_of_activation) = activation.in_parts();
    let epilogue = |bias| Epilogue { bias, bounds };
    let whole = outputs / PANEL * PANEL;
    let rest = last_panel(weight, outputs, whole);
    let rows = batch
        .div_ceil(threads::jobs(sizes.multiply_adds()))
        .next_multiple_of(ROWS);
    let jobs = output
        .chunks_mut(rows * outputs)
        .zip(input.chunks((rows * inputs).max(1)));
    threads::for_each(
        sizes.multiply_adds(),
        jobs.collect(),
        || (),
        |(), (output, input)| {
            let rows = output.len() / outputs;
            if whole > 0 {
                let matrix = matrix(weight, outputs, PANEL);
                multiply(
                    rows,
                    input,
                    matrix,
                    epilogue(&bias[..whole]),
                    output,
                    0..whole,
                );
            }
            if whole < outputs {
                let (matrix, bias) = (matrix(&rest, PANEL, 0), &bias[whole..padded(outputs)]);
                multiply(rows, input, matrix, epilogue(bias), output, whole..outputs);
            }
            activate(output, rest_of_activation);
        },
    );
    output
}

/// Weights in 32 or 64 bits, with the steps from one row and from one panel to the next.
fn matrix<T>(values: &[T], row: usize, panel: usize) -> Matrix<'_, T> {
    Matrix {
        values,
        row,
        panel,
        pairs: None,
    }
}

/// The columns from `whole` on, after the last whole panel, filled up with zeros to a panel; empty if there are none.
fn last_panel<T: Real>(weight: &[T], outputs: usize, whole: usize) -> Vec<T> {
    let mut rest = Vec::new();
    if whole < outputs {
        for row in weight.chunks_exact(outputs) {
            rest.extend_from_slice(&row[whole..]);
            rest.resize(rest.len().next_multiple_of(PANEL), T::ZERO);
        }
    }
    rest
}

/// The gradient before the non-linearity, and its sum over the batch; from the gradient of the layer's output and `values`: the
/// output if [`slope_is_of_output`](Activation::slope_is_of_output), else what the non-linearity was applied to.
pub(super) fn activation_gradient<T: Real>(
    outputs: usize,
    values: &[T],
    gradient: &[T],
    activation: Activation,
) -> (Vec<T>, Vec<T>) {
    let mut slopes = vec![T::ZERO; gradient.len()];
    let mut bias = vec![T::ZERO; outputs];
    if outputs == 0 {
        return (slopes, bias);
    }
    widest::<T, _>(
        #[inline(always)]
        || {
            let rows = values
                .chunks_exact(outputs)
                .zip(gradient.chunks_exact(outputs));
            for (to, (values, gradient)) in slopes.chunks_exact_mut(outputs).zip(rows) {
                let pairs = values.iter().zip(gradient);
                match activation {
                    Activation::Identity => to.copy_from_slice(gradient),
                    Activation::Relu => {
                        for (to, (&y, &g)) in to.iter_mut().zip(pairs) {
                            *to = if y > T::ZERO { g } else { T::ZERO };
                        }
                    }
                    Activation::Sigmoid => {
                        for (to, (&y, &g)) in to.iter_mut().zip(pairs) {
                            *to = g * y * (T::ONE - y);
                        }
                    }
                    Activation::Tanh => {
                        for (to, (&y, &g)) in to.iter_mut().zip(pairs) {
                            *to = g * (T::ONE - y * y);
                        }
                    }
                    _ => with_function!(activation, T, function => {
                        for (to, (&x, &g)) in to.iter_mut().zip(pairs) {
                            *to = g * function.slope(x);
                        }
                    }),
                }
                for (bias, &slope) in bias.iter_mut().zip(to.iter()) {
                    *bias += slope;
                }
            }
        },
    );
    (slopes, bias)
}
