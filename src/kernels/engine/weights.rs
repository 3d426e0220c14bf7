//! The passes of a convolution, dense or depthwise, over a part or an image.

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::kernels::activation::Epilogue;
use crate::kernels::conv::{self, Geometry, Panels, winograd};
use crate::kernels::depthwise;
use crate::kernels::simd::Real;

/// Buffers of a thread.
pub(in crate::kernels) struct Scratch<T> {
    /// An image, or some of its rows, in its padding.
    pub grid: Vec<T>,
    winograd: winograd::Scratch<T>,
    /// Of a part.
    pub values: Vec<MaybeUninit<T>>,
}

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Self {
            grid: Vec::new(),
            winograd: winograd::Scratch::default(),
            values: Vec::new(),
        }
    }
}

/// A convolution's weights, ready for the forward pass.
pub(in crate::kernels) enum Forward<T> {
    Dense(Panels<T>),
    Winograd(winograd::Weights<T>),
    Depthwise(depthwise::Kernels<T>),
}

impl<T: Real> Forward<T> {
    /// The weights, times `scale` of their output channel.
    pub(in crate::kernels) fn new(g: &Geometry, weight: &[T], scale: Option<&[T]>) -> Self {
        if winograd::pays(g) {
            Forward::Winograd(winograd::Weights::new(g, weight, scale))
        } else if g.groups == 1 {
            Forward::Dense(conv::panels(g, weight, scale))
        } else {
            Forward::Depthwise(depthwise::Kernels::new(g, weight, scale))
        }
    }

    /// Some rows of the output of an image, or the output of several; the bias fills whole panels of channels. Of a dense convolution, the
    /// `g.outputs` channels from `first` on, which begins a panel; all of another one.
    #[allow(clippy::too_many_arguments)] // A part of a layer's work, and its buffers.
    pub(in crate::kernels) fn rows<'a>(
        &self,
        g: &Geometry,
        images: &[T],
        rows: Range<usize>,
        first: usize,
        epilogue: Epilogue<T>,
        scratch: &mut Scratch<T>,
        output: &'a mut [MaybeUninit<T>],
    ) -> &'a mut [T] {
        let grid = &mut scratch.grid;
        match self {
            Forward::Dense(weights) => {
                let weights = weights.at_channel(first);
                conv::output_rows(g, images, rows, weights, epilogue, grid, output)
            }
            Forward::Winograd(weights) => {
                let (size, channels) = ([g.height, g.width], first..first + g.outputs);
                let scratch = &mut scratch.winograd;
                weights.apply(size, images, rows, channels, epilogue, scratch, output)
            }
            Forward::Depthwise(kernels) => kernels.rows(g, images, rows, epilogue, grid, output),
        }
    }
}

/// A convolution's weights, ready for the input's gradient.
pub(super) enum Transposed<T> {
    Dense(conv::Transposed<T>),
    Winograd {
        weights: winograd::Weights<T>,
        no_bias: Vec<T>,
        size: [usize; 2],
    },
    Depthwise(depthwise::Transposed<T>),
}

impl<T: Real> Transposed<T> {
    pub(super) fn new(g: &Geometry, weight: &[T]) -> Self {
        if winograd::pays(g) {
            Transposed::Winograd {
                weights: winograd::Weights::mirrored(g, weight),
                no_bias: vec![T::ZERO; g.inputs],
                size: [g.height, g.width],
            }
        } else if g.groups == 1 {
            Transposed::Dense(conv::Transposed::new(g, weight))
        } else {
            Transposed::Depthwise(depthwise::Transposed::new(g, weight))
        }
    }

    /// The gradient of images, or of some positions if the convolution is pixelwise, from that of their output.
    pub(super) fn apply(
        &self,
        gradient: &[T],
        scratch: &mut Scratch<T>,
        output: &mut [MaybeUninit<T>],
    ) {
        let grid = &mut scratch.grid;
        match self {
            Transposed::Dense(weights) => weights.apply(gradient, grid, output),
            Transposed::Winograd {
                weights,
                no_bias,
                size,
            } => {
                let rows = 0..size[0];
                weights.apply(
                    *size,
                    gradient,
                    rows,
                    0..no_bias.len(),
                    Epilogue::bias(no_bias),
                    &mut scratch.winograd,
                    output,
                )
            }
            Transposed::Depthwise(kernels) => kernels.apply(gradient, grid, output),
        };
    }
}

/// Sums of the gradient of the weights over some positions.
pub(super) enum WeightSums<T> {
    Dense(conv::WeightSums<T>),
    Winograd(winograd::WeightSums<T>),
    Depthwise(depthwise::WeightSums<T>),
}

impl<T: Real> WeightSums<T> {
    pub(super) fn new(g: &Geometry) -> Self {
        if winograd::pays(g) {
            WeightSums::Winograd(winograd::WeightSums::new(g))
        } else if g.groups == 1 {
            WeightSums::Dense(conv::WeightSums::new(g))
        } else {
            WeightSums::Depthwise(depthwise::WeightSums::new(g))
        }
    }

    /// Whether the sums stay in a core's cache.
    pub(super) fn fit_the_cache(g: &Geometry) -> bool {
        if winograd::pays(g) {
            winograd::WeightSums::<T>::fit_the_cache(g)
        } else {
            g.groups > 1 || conv::WeightSums::<T>::fit_the_cache(g)
        }
    }

    /// Adds some rows of an image, or whole images. `gradient` is that of their outputs, and [`conv::SLACK`] more values after it,
    /// whatever they are.
    pub(super) fn add(
        &mut self,
        g: &Geometry,
        images: &[T],
        rows: Range<usize>,
        gradient: &[T],
        scratch: &mut Scratch<T>,
    ) {
        let grid = &mut scratch.grid;
        match self {
            WeightSums::Dense(sums) => sums.add(g, images, rows, gradient, grid),
            WeightSums::Winograd(sums) => sums.add(g, images, gradient, &mut scratch.winograd),
            WeightSums::Depthwise(sums) => sums.add(g, images, rows, gradient, grid),
        }
    }

    /// The gradient of the weights from sums over the batch, added in order.
    pub(super) fn finish(g: &Geometry, parts: Vec<Self>) -> Vec<T> {
        let (mut dense, mut winograd, mut depthwise) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            match part {
                WeightSums::Dense(sums) => dense.push(sums),
                WeightSums::Winograd(sums) => winograd.push(sums),
                WeightSums::Depthwise(sums) => depthwise.push(sums),
            }
        }
        if !dense.is_empty() {
            conv::WeightSums::finish(g, dense.into_iter())
        } else if !winograd.is_empty() {
            winograd::WeightSums::finish(g, winograd.into_iter())
        } else {
            depthwise::WeightSums::finish(g, depthwise.into_iter())
        }
    }
}

/// The gradient of weights whose sums do not stay in a core's cache. `gradient` is that of the output, and [`conv::SLACK`] more
/// values after it, whatever they are.
pub(super) fn weight_gradient<T: Real>(g: &Geometry, input: &[T], gradient: &[T]) -> Vec<T> {
    if winograd::pays(g) {
        winograd::weight_gradient(g, input, &gradient[..g.batch * g.output_values()])
    } else {
        conv::weight_gradient(g, input, gradient)
    }
}
