//! The backward pass of direct convolutions, an image at a time.

use std::mem::MaybeUninit;

use super::convolve::convolve;
use super::forward::padded_rows;
use super::geometry::Geometry;
use super::grid::GradientGrid;
use super::products::{Packed, Positions};
use super::tiles::Convolution;
use super::weight_gradient::POSITIONS;
use super::weights::{Panels, mirrored_panels, unpack};
use crate::kernels::activation::Epilogue;
use crate::kernels::memory::as_room;
use crate::kernels::simd::{Real, padded, widest};
use crate::kernels::threads;

/// The gradient of one input image, of the output's gradient in its grid.
#[allow(unsafe_code)]
fn input_gradient<T: Real>(g: &Geometry, grid: &[T], mirrored: &Panels<T>, input: &mut [T]) {
    convolve(Convolution::<_, true> {
        patches: g.gradient_patches(),
        input: grid,
        weights: mirrored.matrix(),
        epilogue: Epilogue::bias(&vec![T::ZERO; padded(g.inputs)]),
        rows: g.height,
        columns: g.width,
        channels: g.inputs,
        step: g.inputs,
        row_step: g.width * g.inputs,
        // SAFETY: convolutions write values alone.
        output: unsafe { as_room(input) },
    });
}

/// Adds the weights' gradient of one image to `sums`, which are laid out as [`Panels`]: some rows at a time, which stay in the first-level
/// cache while the weights' values come by.
fn add_weight_gradient<T: Real>(
    g: &Geometry,
    padded_rows: &[T],
    grid: &GradientGrid,
    gradient: &[T],
    packed: &mut Packed<T>,
    sums: &mut [T],
) {
    let size = POSITIONS.div_ceil(g.output_width().max(1));
    let patches = g.patches();
    let [step, row_step] = grid.steps();
    for first in (0..g.output_height()).step_by(size) {
        let rows = Positions {
            patches,
            input: &padded_rows[first * patches.row_step..],
            gradient: &gradient[grid.index(first, 0)..],
            step,
            row_step,
            images: 1,
            image_steps: [0; 2],
            rows: size.min(g.output_height() - first),
            columns: g.output_width(),
            in_bf16: g.in_bf16(),
        };
        if rows.in_bf16 {
            rows.add(grid.channels, packed, sums);
        } else {
            rows.add_in_place(grid.channels, sums);
        }
    }
}

/// Values of the sums of [`add_weight_gradient`].
fn sums_values(g: &Geometry) -> usize {
    padded(g.outputs) * g.patch_values()
}

/// Which gradients are needed.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Needed {
    pub input: bool,
    /// And of the biases.
    pub weight: bool,
}

/// The gradients of a convolution.
pub(in crate::kernels) struct Gradients<T> {
    /// Of the input, if needed.
    pub input: Option<Vec<T>>,
    /// Of the weights.
    pub weight: Vec<T>,
    /// Of the biases.
    pub bias: Vec<T>,
}

/// Gradients, with the output's gradient of an image put into the grid by `fill(image, grid, values of the grid, bias
/// sums)`. Those that are not needed are zeros.
///
/// The images are taken in fixed groups, each summed in order, then the groups in order: the bits depend on shapes alone.
#[allow(unsafe_code)]
pub(in crate::kernels) fn gradients<T: Real>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    needed: Needed,
    fill: impl Fn(usize, &GradientGrid, &mut [MaybeUninit<T>], &mut [f64]) + Sync,
) -> Gradients<T> {
    /// Groups of images that are summed side by side: enough for eight threads; more cost memory and a longer last sum.
    const GROUPS: usize = 8;
    let group = g.batch.div_ceil(GROUPS).max(1);
    let mirrored = needed.input.then(|| mirrored_panels(g, weight));
    let grid = g.gradient_grid(needed.input);
    let input_values = if needed.input {
        g.batch * g.input_values()
    } else {
        0
    };
    let mut input_gradients = vec![T::ZERO; input_values];
    let count = g.batch.div_ceil(group);
    let inputs = chunks_or_nothing(&mut input_gradients, group * g.input_values(), count);
    let groups: Vec<(Vec<T>, Vec<f64>)> = threads::map(
        g.multiply_adds(),
        inputs.into_iter().enumerate().collect(),
        |(index, inputs)| {
            let mut sums = vec![T::ZERO; sums_values(g)];
            let mut bias = vec![0.0; g.outputs];
            let mut slopes = vec![T::ZERO; grid.values()];
            let (mut padded, mut packed) = (Vec::new(), Packed::default());
            let mut inputs = inputs.chunks_mut(g.input_values().max(1));
            for image in index * group..g.batch.min((index + 1) * group) {
                // SAFETY: `fill` writes values alone.
                fill(image, &grid, unsafe { as_room(&mut slopes) }, &mut bias);
                if needed.weight {
                    let values = &input[image * g.input_values()..(image + 1) * g.input_values()];
                    let values = padded_rows(g, values, 0..g.output_height(), &mut padded);
                    add_weight_gradient(g, values, &grid, &slopes, &mut packed, &mut sums);
                }
                if let (Some(mirrored), Some(to)) = (&mirrored, inputs.next()) {
                    input_gradient(g, &slopes, mirrored, to);
                }
            }
            (sums, bias)
        },
    );
    let (weight, bias) = sum_groups(g, groups);
    Gradients {
        input: needed.input.then_some(input_gradients),
        weight,
        bias,
    }
}

/// The gradients of weights and biases from the sums of the groups, added in order.
fn sum_groups<T: Real>(g: &Geometry, groups: Vec<(Vec<T>, Vec<f64>)>) -> (Vec<T>, Vec<T>) {
    let mut groups = groups.into_iter();
    let (mut sums, mut bias) = groups
        .next()
        .unwrap_or_else(|| (vec![T::ZERO; sums_values(g)], vec![0.0; g.outputs]));
    for (more, more_bias) in groups {
        widest::<T, _>(
            #[inline(always)]
            || add(&mut sums, &more),
        );
        for (bias, more) in bias.iter_mut().zip(more_bias) {
            *bias += more;
        }
    }
    (unpack(g, &sums), bias.into_iter().map(T::of).collect())
}

/// Mutable chunks, or `count` empty ones of an empty slice.
fn chunks_or_nothing<T: Real>(values: &mut [T], size: usize, count: usize) -> Vec<&mut [T]> {
    if values.is_empty() {
        (0..count).map(|_| &mut [][..]).collect()
    } else {
        values.chunks_mut(size).collect()
    }
}

/// `to += from`
#[inline(always)]
fn add<T: Real>(to: &mut [T], from: &[T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += from;
    }
}
