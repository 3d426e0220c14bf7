//! Weights in the order in which registers load them: panels of output channels, a row for every value of a patch.

use super::geometry::Geometry;
use crate::kernels::bf16::{Pairs, PairsRef};
use crate::kernels::simd::{PANEL, Real, padded};
use crate::kernels::threads;

/// A matrix of weights, `[taps, channels]`, in panels of channels.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Matrix<'a, T> {
    pub values: &'a [T],
    /// From one tap to the next.
    pub row: usize,
    /// From one panel to the next.
    pub panel: usize,
    /// The same in bfloat16, if products are made so: two rows joined to one.
    pub pairs: Option<PairsRef<'a>>,
}

impl<T> Matrix<'_, T> {
    #[inline(always)]
    pub(super) fn place(&self, channel: usize) -> usize {
        channel / PANEL * self.panel + channel % PANEL
    }

    /// Whether it has this many taps and whole panels of channels.
    pub(super) fn holds(&self, taps: usize, channels: usize) -> bool {
        taps * channels == 0
            || (taps - 1) * self.row + (channels / PANEL - 1) * self.panel + PANEL
                <= self.values.len()
    }
}

/// The weights of a convolution as `[panel][patch][16 channels]`, zeros where a panel has no channel.
pub(in crate::kernels) struct Panels<T> {
    values: Vec<T>,
    pairs: Option<Pairs>,
    depth: usize,
}

impl<T> Panels<T> {
    pub(super) fn matrix(&self) -> Matrix<'_, T> {
        Matrix {
            values: &self.values,
            row: PANEL,
            panel: self.depth * PANEL,
            pairs: self.pairs.as_ref().map(|pairs| pairs.from(0)),
        }
    }

    /// Those from a channel on, which begins a panel.
    pub(in crate::kernels) fn at_channel(&self, channel: usize) -> Matrix<'_, T> {
        let matrix = self.matrix();
        let first = channel / PANEL * matrix.panel;
        Matrix {
            values: &self.values[first..],
            pairs: self.pairs.as_ref().map(|pairs| pairs.from(first)),
            ..matrix
        }
    }
}

/// Panels of `channels` channels and `depth` taps, an even number of them for products in bfloat16, each filled by `fill(first channel, channels of
/// the panel, values)`.
fn filled<T: Real>(
    channels: usize,
    depth: usize,
    in_bf16: bool,
    fill: impl Fn(usize, usize, &mut [T]) + Sync + Send,
) -> Panels<T> {
    let mut values = vec![T::ZERO; padded(channels) * depth];
    let work = values.len();
    let panels = values.chunks_mut((depth * PANEL).max(1)).enumerate();
    threads::for_each(
        work,
        panels.collect(),
        || (),
        |(), (panel, values)| {
            let first = panel * PANEL;
            fill(first, PANEL.min(channels - first), values);
        },
    );
    Panels {
        pairs: in_bf16.then(|| in_pairs(&values)).flatten(),
        values,
        depth,
    }
}

/// Rows of panels, an even number of them, in bfloat16; none of 64-bit floats.
pub(super) fn in_pairs<T: Real>(values: &[T]) -> Option<Pairs> {
    T::single(values).and_then(Pairs::of)
}

/// Every `step`th of `from` to the neighbours in `to`.
fn gather<T: Real>(to: &mut [T], from: &[T], step: usize) {
    for (to, &value) in to.iter_mut().zip(from.iter().step_by(step)) {
        *to = value;
    }
}

/// The weights for the forward pass, times `scale` of their output channel.
pub(in crate::kernels) fn panels<T: Real>(
    g: &Geometry,
    weight: &[T],
    scale: Option<&[T]>,
) -> Panels<T> {
    let taps = g.kernel * g.kernel;
    let depth = g.patch_values();
    // A zero after each of the kernel's rows, where pairs need it.
    let run = g.kernel * g.inputs;
    let run = if g.in_bf16() {
        run.next_multiple_of(2)
    } else {
        run
    };
    filled(
        g.outputs,
        g.kernel * run,
        g.in_bf16(),
        |first, outputs, values| {
            let weight = &weight[first * depth..(first + outputs) * depth];
            for input in 0..g.inputs {
                for tap in 0..taps {
                    let (row, column) = (tap / g.kernel, tap % g.kernel);
                    let place = row * run + column * g.inputs + input;
                    let to = &mut values[place * PANEL..][..outputs];
                    gather(to, &weight[input * taps + tap..], depth);
                }
            }
            if let Some(scale) = scale {
                for values in values.chunks_exact_mut(PANEL) {
                    for (value, &scale) in values.iter_mut().zip(&scale[first..]) {
                        *value = *value * scale;
                    }
                }
            }
        },
    )
}

/// The weights for the input's gradient: input channels in the lanes, kernels mirrored.
pub(super) fn mirrored_panels<T: Real>(g: &Geometry, weight: &[T]) -> Panels<T> {
    let taps = g.kernel * g.kernel;
    let outputs = padded(g.outputs);
    let depth = taps * outputs;
    filled(g.inputs, depth, g.in_bf16(), |first, inputs, values| {
        for (output, kernels) in weight.chunks_exact(g.patch_values()).enumerate() {
            let kernels = &kernels[first * taps..][..inputs * taps];
            for tap in 0..taps {
                let to = &mut values[(tap * outputs + output) * PANEL..][..inputs];
                gather(to, &kernels[taps - 1 - tap..], taps);
            }
        }
    })
}

/// The weights of some of the kernel's rows and columns, in this order, for the input's gradient: input channels in the lanes,
/// a row for every tap and output channel.
pub(super) fn panels_of_taps<T: Real>(
    g: &Geometry,
    weight: &[T],
    rows: &[usize],
    columns: &[usize],
) -> Panels<T> {
    let taps = g.kernel * g.kernel;
    let depth = rows.len() * columns.len() * g.outputs;
    let in_bf16 = g.in_bf16() && g.outputs.is_multiple_of(2);
    filled(g.inputs, depth, in_bf16, |first, inputs, values| {
        for (output, kernels) in weight.chunks_exact(g.patch_values()).enumerate() {
            let kernels = &kernels[first * taps..][..inputs * taps];
            let places = rows
                .iter()
                .flat_map(|row| columns.iter().map(move |column| row * g.kernel + column));
            for (place, tap) in places.enumerate() {
                let to = &mut values[(place * g.outputs + output) * PANEL..][..inputs];
                gather(to, &kernels[tap..], taps);
            }
        }
    })
}

/// A value per channel, filled up with zeros to whole panels.
pub(in crate::kernels) fn in_panels<T: Real>(values: &[T]) -> Vec<T> {
    let mut values = values.to_vec();
    values.resize(padded(values.len()), T::ZERO);
    values
}

/// The weights' gradient back in the order of the weights.
pub(super) fn unpack<T: Real>(g: &Geometry, sums: &[T]) -> Vec<T> {
    unpack_blocks(g, g.outputs.max(1), std::slice::from_ref(&sums))
}

/// [`unpack`] of sums in blocks of `size` output channels, in whole panels.
pub(super) fn unpack_blocks<T: Real>(
    g: &Geometry,
    size: usize,
    blocks: &[impl AsRef<[T]> + Sync],
) -> Vec<T> {
    let taps = g.kernel * g.kernel;
    let depth = g.patch_values();
    let mut weight = vec![T::ZERO; g.outputs * depth];
    let outputs = weight.chunks_mut(depth.max(1)).enumerate();
    threads::for_each(
        g.outputs * depth,
        outputs.collect(),
        || (),
        |(), (output, kernels)| {
            let (block, output) = (blocks[output / size].as_ref(), output % size);
            let panel = &block[output / PANEL * depth * PANEL..];
            for (input, kernel) in kernels.chunks_exact_mut(taps).enumerate() {
                for (tap, value) in kernel.iter_mut().enumerate() {
                    *value = panel[(tap * g.inputs + input) * PANEL + output % PANEL];
                }
            }
        },
    );
    weight
}
