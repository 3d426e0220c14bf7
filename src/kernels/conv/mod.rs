//! Direct convolution, channels last: slices in, slices out.
//!
//! An image is copied into a grid with its zero padding, once; then every tile of output positions and channels is summed in
//! registers over the patch, whose values lie in one contiguous run per kernel row. Nothing is rearranged but the weights,
//! into panels of 16 output channels. The input's gradient is the same convolution of the output's gradient by the
//! mirrored weights; the weights' gradient walks the same two grids with weights in the registers.

use std::ops::Range;

use pulp::Arch;

use super::activation::{Activation, activate};
use super::simd::{Real, widest};
use super::threads;

mod geometry;
mod tiles;
mod weights;

pub use geometry::Geometry;
use geometry::Walk;
pub(super) use geometry::{GradientGrid, padded};
use tiles::{Convolution, WeightGradient};
pub(super) use weights::{Matrix, Panels, panels};
use weights::{mirrored_panels, unpack};

/// An image with its padding, as far as the output's `rows` need it: a part of the image itself where there is none.
pub(super) fn padded_rows<'a, T: Real>(
    g: &Geometry,
    image: &'a [T],
    rows: Range<usize>,
    grid: &'a mut Vec<T>,
) -> &'a [T] {
    let first = rows.start * g.stride;
    let count = (rows.len().max(1) - 1) * g.stride + g.kernel;
    let row = g.width * g.inputs;
    if g.is_unpadded() {
        return &image[first * row..(first + count) * row];
    }
    let pitch = (g.width + 2 * g.padding) * g.inputs;
    grid.clear();
    grid.resize(count * pitch, T::ZERO);
    for (to, y) in grid.chunks_exact_mut(pitch.max(1)).zip(first..) {
        if let Some(y) = y.checked_sub(g.padding).filter(|&y| y < g.height) {
            to[g.padding * g.inputs..][..row].copy_from_slice(&image[y * row..(y + 1) * row]);
        }
    }
    grid
}

/// So many rows of the output of one image, its positions `step` values apart; `bias` has a value for every channel of the
/// panels.
pub(super) fn rows<T: Real>(
    g: &Geometry,
    padded_rows: &[T],
    weights: &Panels<T>,
    bias: &[T],
    rows: usize,
    step: usize,
    output: &mut [T],
) {
    Arch::new().dispatch(Convolution::<_, true> {
        walk: g.walk(),
        input: padded_rows,
        weights: weights.matrix(),
        bias,
        rows,
        columns: g.output_width(),
        channels: g.outputs,
        step,
        output,
    });
}

/// The gradient of one input image, of the output's gradient in its grid.
fn input_gradient<T: Real>(g: &Geometry, grid: &[T], mirrored: &Panels<T>, input: &mut [T]) {
    Arch::new().dispatch(Convolution::<_, true> {
        walk: g.walk_back(),
        input: grid,
        weights: mirrored.matrix(),
        bias: &vec![T::ZERO; padded(g.inputs)],
        rows: g.height,
        columns: g.width,
        channels: g.inputs,
        step: g.inputs,
        output: input,
    });
}

/// Adds the weights' gradient of one image to `sums`, which are laid out as [`Panels`].
fn add_weight_gradient<T: Real>(
    g: &Geometry,
    padded_rows: &[T],
    grid: &GradientGrid,
    gradient: &[T],
    sums: &mut [T],
) {
    let origin = grid.place(0, 0);
    Arch::new().dispatch(WeightGradient {
        walk: g.walk(),
        input: padded_rows,
        gradient: &gradient[origin..],
        step: grid.place(0, 1) - origin,
        row_step: grid.place(1, 0) - origin,
        rows: g.output_height(),
        columns: g.output_width(),
        channels: grid.channels,
        sums,
    });
}

/// Values of the sums of [`add_weight_gradient`].
fn sums_values(g: &Geometry) -> usize {
    padded(g.outputs) * g.patch()
}

// ---- Whole batches ----

/// Threads take an image each; a few images are cut into parts of their rows as well, a multiple of `multiple`.
pub(super) fn row_parts(g: &Geometry, multiple: usize) -> Vec<Range<usize>> {
    let rows = g.output_height();
    let parts = threads::jobs(g.multiply_adds()).div_ceil(g.batch.max(1));
    let part = rows.div_ceil(parts).next_multiple_of(multiple).max(1);
    (0..rows.max(1))
        .step_by(part)
        .map(|first| first..(first + part).min(rows))
        .collect()
}

/// A convolution whose channels stand beside those of others with the same input and as many output positions.
#[derive(Clone, Copy)]
pub(super) struct Branch<'a, T> {
    pub geometry: Geometry,
    pub weight: &'a [T],
    pub bias: &'a [T],
}

/// Channels of all branches, and where those of each begin.
fn channels<T>(branches: &[Branch<T>]) -> (usize, Vec<usize>) {
    let mut total = 0;
    let firsts = branches
        .iter()
        .map(|branch| {
            let first = total;
            total += branch.geometry.outputs;
            first
        })
        .collect();
    (total, firsts)
}

/// `[batch, rows, columns, channels of all branches]`; `relu` sets negative values to zero.
pub(super) fn forward<T: Real>(branches: &[Branch<T>], input: &[T], relu: bool) -> Vec<T> {
    let (step, firsts) = channels(branches);
    let whole = whole(branches);
    let mut output = vec![T::ZERO; whole.batch * whole.output_values()];
    let packed: Vec<(Panels<T>, Vec<T>)> = branches
        .iter()
        .map(|branch| {
            let weights = panels(&branch.geometry, branch.weight, None);
            (weights, in_panels(branch.bias))
        })
        .collect();
    let parts = row_parts(&whole, 1);
    let row = whole.output_width() * step;
    let jobs: Vec<(usize, &Range<usize>, &mut [T])> = cut(&mut output, whole.batch, &parts, row);
    threads::for_each(
        whole.multiply_adds(),
        jobs,
        Vec::new,
        |grid, (image, part, output)| {
            let image = &input[image * whole.input_values()..(image + 1) * whole.input_values()];
            for ((branch, (weights, bias)), &first) in branches.iter().zip(&packed).zip(&firsts) {
                let g = &branch.geometry;
                let image = padded_rows(g, image, part.clone(), grid);
                rows(
                    g,
                    image,
                    weights,
                    bias,
                    part.len(),
                    step,
                    &mut output[first..],
                );
            }
            if relu {
                activate(output, Activation::Relu);
            }
        },
    );
    output
}

/// The branches as one convolution, as far as its sizes go; the kernel is the largest.
fn whole<T>(branches: &[Branch<T>]) -> Geometry {
    let mut sizes = branches.iter().map(|branch| branch.geometry);
    let Some(mut whole) = sizes.next() else {
        unreachable!("there is a convolution")
    };
    for g in sizes {
        whole.outputs += g.outputs;
        if g.kernel > whole.kernel {
            (whole.kernel, whole.padding) = (g.kernel, g.padding);
        }
    }
    whole
}

/// Cuts a batch of outputs into the parts of every image: number of the image, part, values.
pub(super) fn cut<'a, 'b, T>(
    mut output: &'a mut [T],
    batch: usize,
    parts: &'b [Range<usize>],
    row: usize,
) -> Vec<(usize, &'b Range<usize>, &'a mut [T])> {
    let mut jobs = Vec::with_capacity(batch * parts.len());
    for image in 0..batch {
        for part in parts {
            let (head, tail) = output.split_at_mut(part.len() * row);
            output = tail;
            jobs.push((image, part, head));
        }
    }
    jobs
}

/// A value per channel, filled up with zeros to whole panels.
pub(super) fn in_panels<T: Real>(values: &[T]) -> Vec<T> {
    let mut values = values.to_vec();
    values.resize(padded(values.len()), T::ZERO);
    values
}

/// The gradients that somebody wants.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub input: bool,
    /// And of the biases.
    pub weight: bool,
}

/// The gradients of a convolution.
pub(super) struct Gradients<T> {
    /// Of the input, if it was asked for.
    pub input: Option<Vec<T>>,
    /// Of the weights.
    pub weight: Vec<T>,
    /// Of the biases.
    pub bias: Vec<T>,
}

/// Gradients of [`forward`] for each branch; with `relu`, of its output, only what is positive lets gradients through. The
/// input's gradient, of all branches together, stands with the first.
pub(super) fn backward<T: Real>(
    branches: &[Branch<T>],
    input: &[T],
    gradient: &[T],
    relu: Option<&[T]>,
    wanted: Wanted,
) -> Vec<Gradients<T>> {
    let (step, firsts) = channels(branches);
    let mut all: Vec<Gradients<T>> = branches
        .iter()
        .zip(firsts)
        .map(|(branch, first)| branch_backward(branch, input, gradient, relu, wanted, first, step))
        .collect();
    if let Some((one, others)) = all.split_first_mut() {
        for other in others {
            if let (Some(to), Some(more)) = (&mut one.input, other.input.take()) {
                add_all(to, &more);
            }
        }
    }
    all
}

/// [`add`] on all threads.
fn add_all<T: Real>(to: &mut [T], from: &[T]) {
    const PART: usize = 1 << 16;
    let parts: Vec<(&mut [T], &[T])> = to.chunks_mut(PART).zip(from.chunks(PART)).collect();
    threads::for_each(
        from.len(),
        parts,
        || (),
        |(), (to, from)| {
            widest(
                #[inline(always)]
                || add(to, from),
            );
        },
    );
}

/// [`backward`] of the branch whose channels begin at `first` of `step`.
fn branch_backward<T: Real>(
    branch: &Branch<T>,
    input: &[T],
    gradient: &[T],
    relu: Option<&[T]>,
    wanted: Wanted,
    first: usize,
    step: usize,
) -> Gradients<T> {
    let g = &branch.geometry;
    let (outputs, columns) = (g.outputs, g.output_width());
    let values = g.output_height() * columns * step;
    gradients(
        g,
        input,
        branch.weight,
        wanted,
        |image, grid, slopes, bias| {
            let gradient = &gradient[image * values..(image + 1) * values];
            let passed = relu.map(|output| &output[image * values..(image + 1) * values]);
            widest(
                #[inline(always)]
                || {
                    for row in 0..g.output_height() {
                        let mut sums = vec![T::ZERO; outputs];
                        for column in 0..columns {
                            let at = (row * columns + column) * step + first;
                            let to = &mut slopes[grid.place(row, column)..][..outputs];
                            let from = &gradient[at..at + outputs];
                            match passed {
                                None => to.copy_from_slice(from),
                                Some(passed) => {
                                    let passed = &passed[at..at + outputs];
                                    for ((to, &from), &passed) in
                                        to.iter_mut().zip(from).zip(passed)
                                    {
                                        *to = if passed > T::ZERO { from } else { T::ZERO };
                                    }
                                }
                            }
                            add(&mut sums, to);
                        }
                        for (bias, sum) in bias.iter_mut().zip(sums) {
                            *bias += sum.wide();
                        }
                    }
                },
            );
        },
    )
}

/// Gradients, with the output's gradient of an image put into the grid by `fill(image, grid, values of the grid, bias
/// sums)`. Those that nobody wants are zeros.
///
/// The images are taken in fixed groups, each summed in order, then the groups in order: the bits depend on shapes alone.
pub(super) fn gradients<T: Real>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    wanted: Wanted,
    fill: impl Fn(usize, &GradientGrid, &mut [T], &mut [f64]) + Sync,
) -> Gradients<T> {
    /// Groups of images that are summed side by side: enough for eight threads; more cost memory and a longer last sum.
    const GROUPS: usize = 8;
    let group = g.batch.div_ceil(GROUPS).max(1);
    let mirrored = wanted.input.then(|| mirrored_panels(g, weight));
    let grid = g.gradient_grid(wanted.input);
    let input_values = if wanted.input {
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
            let mut padded = Vec::new();
            let mut inputs = inputs.chunks_mut(g.input_values().max(1));
            for image in index * group..g.batch.min((index + 1) * group) {
                fill(image, &grid, &mut slopes, &mut bias);
                if wanted.weight {
                    let values = &input[image * g.input_values()..(image + 1) * g.input_values()];
                    let values = padded_rows(g, values, 0..g.output_height(), &mut padded);
                    add_weight_gradient(g, values, &grid, &slopes, &mut sums);
                }
                if let (Some(mirrored), Some(to)) = (&mirrored, inputs.next()) {
                    input_gradient(g, &slopes, mirrored, to);
                }
            }
            (sums, bias)
        },
    );
    let mut groups = groups.into_iter();
    let (mut sums, mut bias) = groups
        .next()
        .unwrap_or_else(|| (vec![T::ZERO; sums_values(g)], vec![0.0; g.outputs]));
    for (more, more_bias) in groups {
        widest(
            #[inline(always)]
            || add(&mut sums, &more),
        );
        for (bias, more) in bias.iter_mut().zip(more_bias) {
            *bias += more;
        }
    }
    Gradients {
        input: wanted.input.then_some(input_gradients),
        weight: unpack(g, &sums),
        bias: bias.into_iter().map(T::of).collect(),
    }
}

/// Mutable chunks, or `count` empty ones of an empty slice.
fn chunks_or_nothing<T: Real>(values: &mut [T], size: usize, count: usize) -> Vec<&mut [T]> {
    match values.is_empty() {
        true => (0..count).map(|_| &mut [][..]).collect(),
        false => values.chunks_mut(size).collect(),
    }
}

/// `to += from`
#[inline(always)]
pub(super) fn add<T: Real>(to: &mut [T], from: &[T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// Rows of values by a matrix, plus bias, into the `channels` of as many rows of `output`; the bias fills whole panels.
pub(super) fn multiply<T: Real>(
    rows: usize,
    input: &[T],
    weights: Matrix<T>,
    bias: &[T],
    output: &mut [T],
    channels: Range<usize>,
) {
    let inputs = input.len() / rows.max(1);
    let step = output.len() / rows.max(1);
    Arch::new().dispatch(Convolution::<_, false> {
        walk: Walk {
            runs: 1,
            run: inputs,
            pitch: inputs,
            step: inputs,
            row_step: 0,
        },
        input,
        weights,
        bias,
        rows: 1,
        columns: rows,
        channels: channels.len(),
        step,
        output: &mut output[channels.start..],
    });
}
