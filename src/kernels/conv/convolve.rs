//! Convolutions in the precision of their weights.

use std::cell::Cell;

use super::grid::Patches;
use super::tiles::Convolution;
use crate::kernels::activation::Epilogue;
use crate::kernels::bf16::{self, Dots, Pair, PairsRef};
use crate::kernels::simd::Real;

/// Every position's patch times the weights, and the epilogue.
pub(super) fn convolve<T: Real, const PACKED: bool>(convolution: Convolution<T, PACKED>) {
    match convolution.weights.pairs {
        None => T::dispatch(convolution),
        Some(pairs) => in_bf16(convolution, pairs),
    }
}

thread_local! {
    /// A thread's rounded input.
    static ROUNDED: Cell<Vec<Pair>> = const { Cell::new(Vec::new()) };
}

fn in_bf16<T: Real, const PACKED: bool>(run: Convolution<T, PACKED>, pairs: PairsRef) {
    let input = T::single(run.input);
    if run.rows * run.columns * run.channels == 0 {
        return;
    }
    let from = &run.patches;
    assert!(from.lie_within(run.rows, run.columns, input.len()));
    // After a run of an odd number of values, another one is multiplied by zero.
    let used = from.extent(run.rows, run.columns).next_multiple_of(2);
    let patches = Patches {
        runs: from.runs,
        run: from.run.div_ceil(2),
        pitch: half(from.pitch),
        step: half(from.step),
        row_step: half(from.row_step),
    };
    let mut rounded = ROUNDED.take();
    if rounded.len() < used / 2 {
        rounded.resize(used / 2, 0);
    }
    round(&input[..used.min(input.len())], &mut rounded[..used / 2]);
    bf16::convolve(&mut Dots {
        patches,
        input: &rounded[..used / 2],
        weights: pairs.values,
        panel: half(run.weights.panel),
        epilogue: Epilogue {
            bias: T::single(run.epilogue.bias),
            bounds: (run.epilogue.bounds).map(|bounds| bounds.map(|bound| bound.wide() as f32)),
        },
        rows: run.rows,
        columns: run.columns,
        channels: run.channels,
        step: run.step,
        row_step: run.row_step,
        output: T::single_room(run.output),
    });
    ROUNDED.set(rounded);
}

/// Rounds values, to whose last one without neighbour a zero is joined.
fn round(from: &[f32], to: &mut [Pair]) {
    let (whole, last) = from.split_at(from.len() / 2 * 2);
    bf16::round_all(whole, &mut to[..whole.len() / 2]);
    if let &[last] = last {
        bf16::round_all(&[last, 0.0], &mut to[whole.len() / 2..]);
    }
}

/// As many pairs; neighbours of a pair lie in the same place of every patch.
fn half(values: usize) -> usize {
    assert!(values.is_multiple_of(2));
    values / 2
}
