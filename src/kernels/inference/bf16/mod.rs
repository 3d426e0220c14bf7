//! Convolutions in bfloat16: values and weights are rounded to 8 bits of precision, their products are exact, and sums are made in 32 bits.
//!
//! AVX512-BF16 has an instruction for it, which takes two products at a time; elsewhere the same sums are made with other instructions, in
//! the same order and with the same bits, but without gain. (The instruction takes what is below 1.2e-38 for zero.)

mod dispatch;
mod lanes;
mod rounding;
mod tiles;

use std::ops::Range;

use crate::kernels::conv::Geometry;
use crate::kernels::simd::{PANEL, padded};
#[cfg(feature = "app")]
pub use dispatch::chain;
pub use lanes::is_native;
pub use rounding::Pair;
use rounding::{joined, rounded};
use tiles::Dots;

/// The weights of a convolution as `[panel][pair of a patch][16 channels]`.
pub struct Weights {
    values: Vec<Pair>,
    /// Pairs of a patch.
    pairs: usize,
}

/// Whether a convolution can be computed so: dense, of an even number of input channels.
pub fn takes(g: &Geometry) -> bool {
    g.groups == 1 && g.inputs > 0 && g.inputs.is_multiple_of(2)
}

impl Weights {
    /// Of `[outputs, inputs, kernel, kernel]`, times `scale` of the output channel.
    pub fn new(g: &Geometry, weight: &[f32], scale: Option<&[f32]>) -> Self {
        let taps = g.kernel * g.kernel;
        let pairs = taps * g.inputs / 2;
        let mut values = vec![0; padded(g.outputs) * pairs];
        for (output, weight) in weight.chunks_exact(taps * g.inputs).enumerate() {
            let scale = scale.map_or(1.0, |scale| scale[output]);
            let at = output / PANEL * pairs * PANEL + output % PANEL;
            for pair in 0..pairs {
                let (tap, input) = (2 * pair / g.inputs, 2 * pair % g.inputs);
                let value = |input: usize| rounded(weight[input * taps + tap] * scale);
                values[at + pair * PANEL] = joined(value(input), value(input + 1));
            }
        }
        Self { values, pairs }
    }

    /// Some rows of the output of one image, positions `step` values apart: the `g.outputs` channels from `first` on, which begins a panel;
    /// `bias` fills whole panels.
    #[allow(clippy::too_many_arguments)] // A part of a layer's work, and its buffer.
    pub fn rows(
        &self,
        g: &Geometry,
        image: &[f32],
        rows: Range<usize>,
        first: usize,
        bias: &[f32],
        grid: &mut Vec<Pair>,
        step: usize,
        output: &mut [f32],
    ) {
        fill(&in_pairs(g), image, rows.clone(), grid);
        self.dots(g, rows, first, bias, grid, step, output, dispatch::run);
    }

    /// [`rows`](Self::rows) of an image in its padding.
    #[allow(clippy::too_many_arguments)]
    fn dots(
        &self,
        g: &Geometry,
        rows: Range<usize>,
        first: usize,
        bias: &[f32],
        grid: &[Pair],
        step: usize,
        output: &mut [f32],
        run: impl FnOnce(&mut Dots),
    ) {
        let g = in_pairs(g);
        let (rows, columns) = if g.is_pixelwise() {
            (1, rows.len() * g.output_width())
        } else {
            (rows.len(), g.output_width())
        };
        run(&mut Dots {
            patches: g.patches(),
            input: grid,
            weights: &self.values[first / PANEL * self.pairs * PANEL..],
            pairs: self.pairs,
            bias,
            rows,
            columns,
            channels: g.outputs,
            step,
            output,
        });
    }
}

/// With pairs of channels, of which patches consist.
fn in_pairs(g: &Geometry) -> Geometry {
    Geometry {
        inputs: g.inputs / 2,
        ..*g
    }
}

/// The part of a padded image that the output's `rows` need, rounded; `g` counts pairs of channels.
fn fill(g: &Geometry, image: &[f32], rows: Range<usize>, grid: &mut Vec<Pair>) {
    let first = rows.start * g.stride;
    let count = (rows.len().max(1) - 1) * g.stride + g.kernel;
    let row = g.width * g.inputs;
    let pitch = (g.width + 2 * g.padding) * g.inputs;
    grid.clear();
    grid.resize(count * pitch, 0);
    for (to, y) in grid.chunks_exact_mut(pitch.max(1)).zip(first..) {
        if let Some(y) = y.checked_sub(g.padding).filter(|&y| y < g.height) {
            let to = &mut to[g.padding * g.inputs..][..row];
            dispatch::round_all(&image[y * 2 * row..(y + 1) * 2 * row], to);
        }
    }
}
