//! The backward pass.

use std::mem::MaybeUninit;

use super::branch::{Branch, channels};
use crate::kernels::conv::{Geometry, GradientGrid, Gradients, Needed};
use crate::kernels::engine;
use crate::kernels::simd::{Real, widest};
use crate::kernels::threads;

/// Gradients of [`forward`](super::forward()) for each branch; with `relu`, the layer's output, gradients pass only where it is positive.
/// The input's gradient, summed over all branches, is returned with the first.
pub(in crate::kernels) fn backward<T: Real>(
    branches: &[Branch<T>],
    input: &[T],
    gradient: &[T],
    relu: Option<&[T]>,
    needed: Needed,
) -> Vec<Gradients<T>> {
    let (step, firsts) = channels(branches);
    let of_branch = |(branch, first): (&Branch<T>, usize)| {
        let slopes = OutputGradient {
            geometry: &branch.geometry,
            gradient,
            relu,
            first,
            step,
        };
        let g = &branch.geometry;
        engine::image_gradients(g, input, branch.weight, needed, |image, grid, to, bias| {
            slopes.of_image(image, grid, to, bias);
        })
    };
    let mut all: Vec<Gradients<T>> = branches.iter().zip(firsts).map(of_branch).collect();
    if let Some((one, others)) = all.split_first_mut() {
        for other in others {
            if let (Some(to), Some(more)) = (&mut one.input, other.input.take()) {
                add_all(to, &more);
            }
        }
    }
    all
}

/// `to += from` on all threads.
fn add_all<T: Real>(to: &mut [T], from: &[T]) {
    const PART: usize = 1 << 16;
    let parts: Vec<(&mut [T], &[T])> = to.chunks_mut(PART).zip(from.chunks(PART)).collect();
    threads::for_each(
        from.len(),
        parts,
        || (),
        |(), (to, from)| {
            widest::<T, _>(
                #[inline(always)]
                || {
                    for (to, &from) in to.iter_mut().zip(from) {
                        *to += from;
                    }
                },
            );
        },
    );
}

/// Where the gradient of a branch's output lies among those of the others.
struct OutputGradient<'a, T> {
    geometry: &'a Geometry,
    /// Of the outputs of all branches.
    gradient: &'a [T],
    /// The outputs of all branches, if they went through ReLU.
    relu: Option<&'a [T]>,
    /// The branch's first channel.
    first: usize,
    /// Channels of all branches.
    step: usize,
}

impl<T: Real> OutputGradient<'_, T> {
    /// Writes the gradient of the convolution of an image into the grid, and adds it to the sums of its biases' gradients: in `T` along a row, in
    /// `f64` over the rows.
    fn of_image(
        &self,
        image: usize,
        grid: &GradientGrid,
        to: &mut [MaybeUninit<T>],
        bias: &mut [f64],
    ) {
        let g = self.geometry;
        let (outputs, columns) = (g.outputs, g.output_width());
        let values = g.output_height() * columns * self.step;
        let all = image * values..(image + 1) * values;
        let gradient = &self.gradient[all.clone()];
        let passed = self.relu.map(|output| &output[all]);
        widest::<T, _>(
            #[inline(always)]
            || {
                let mut sums = vec![T::ZERO; outputs];
                for row in 0..g.output_height() {
                    sums.fill(T::ZERO);
                    for column in 0..columns {
                        let at = (row * columns + column) * self.step + self.first;
                        let from = &gradient[at..at + outputs];
                        let to = &mut to[grid.index(row, column)..][..outputs];
                        match passed {
                            None => add(to, &mut sums, from.iter().copied()),
                            Some(passed) => {
                                let passed = passed[at..at + outputs].iter();
                                let from = from.iter().zip(passed);
                                let from = from.map(
                                    #[inline(always)]
                                    |(&from, &passed)| {
                                        if passed > T::ZERO { from } else { T::ZERO }
                                    },
                                );
                                add(to, &mut sums, from);
                            }
                        }
                    }
                    for (bias, sum) in bias.iter_mut().zip(&sums) {
                        *bias += sum.wide();
                    }
                }
            },
        );
    }
}

/// Writes values, and adds them to sums.
#[inline(always)]
fn add<T: Real>(to: &mut [MaybeUninit<T>], sums: &mut [T], values: impl Iterator<Item = T>) {
    for ((to, sum), value) in to.iter_mut().zip(sums).zip(values) {
        to.write(value);
        *sum += value;
    }
}
