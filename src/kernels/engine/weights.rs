//! The passes of a convolution, dense or depthwise, over a part or an image.

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::kernels::conv::{self, Geometry, Panels};
use crate::kernels::depthwise;
use crate::kernels::simd::Real;

/// A convolution's weights, ready for the forward pass.
pub(in crate::kernels) enum Forward<T> {
    Dense(Panels<T>),
    Depthwise(depthwise::Kernels<T>),
}

impl<T: Real> Forward<T> {
    /// The weights, times `scale` of their output channel.
    pub(in crate::kernels) fn new(g: &Geometry, weight: &[T], scale: Option<&[T]>) -> Self {
        if g.groups == 1 {
            Forward::Dense(conv::panels(g, weight, scale))
        } else {
            Forward::Depthwise(depthwise::Kernels::new(g, weight, scale))
        }
    }

    /// Some rows of the output of an image; `bias` fills whole panels of channels.
    pub(super) fn rows<'a>(
        &self,
        g: &Geometry,
        image: &[T],
        rows: Range<usize>,
        bias: &[T],
        grid: &mut Vec<T>,
        output: &'a mut [MaybeUninit<T>],
    ) -> &'a mut [T] {
        match self {
            Forward::Dense(weights) => {
                conv::output_rows(g, image, rows, weights, bias, grid, output)
            }
            Forward::Depthwise(kernels) => kernels.rows(g, image, rows, bias, grid, output),
        }
    }
}

/// A convolution's weights, ready for the input's gradient.
pub(super) enum Transposed<T> {
    Dense(conv::Transposed<T>),
    Depthwise(depthwise::Transposed<T>),
}

impl<T: Real> Transposed<T> {
    pub(super) fn new(g: &Geometry, weight: &[T]) -> Self {
        if g.groups == 1 {
            Transposed::Dense(conv::Transposed::new(g, weight))
        } else {
            Transposed::Depthwise(depthwise::Transposed::new(g, weight))
        }
    }

    /// The gradient of an image, or of some of its positions if the convolution is pixelwise, from that of its output.
    pub(super) fn apply(
        &self,
        gradient: &[T],
        grid: &mut Vec<T>,
        output: &mut [MaybeUninit<T>],
    ) {
        match self {
            Transposed::Dense(weights) => weights.apply(gradient, grid, output),
            Transposed::Depthwise(kernels) => kernels.apply(gradient, grid, output),
        };
    }
}

/// Sums of the gradient of the weights over some positions.
pub(super) enum WeightSums<T> {
    Dense(conv::WeightSums<T>),
    Depthwise(depthwise::WeightSums<T>),
}

impl<T: Real> WeightSums<T> {
    pub(super) fn new(g: &Geometry) -> Self {
        if g.groups == 1 {
            WeightSums::Dense(conv::WeightSums::new(g))
        } else {
            WeightSums::Depthwise(depthwise::WeightSums::new(g))
        }
    }

    /// Whether the sums stay in a core's cache.
    pub(super) fn fit_the_cache(g: &Geometry) -> bool {
        g.groups > 1 || conv::WeightSums::<T>::fit_the_cache(g)
    }

    /// Adds some rows of an image. `gradient` is that of their outputs, and [`conv::SLACK`] more values behind it, whatever they
    /// are.
    pub(super) fn add(
        &mut self,
        g: &Geometry,
        image: &[T],
        rows: Range<usize>,
        gradient: &[T],
        grid: &mut Vec<T>,
    ) {
        match self {
            WeightSums::Dense(sums) => sums.add(g, image, rows, gradient, grid),
            WeightSums::Depthwise(sums) => sums.add(g, image, rows, gradient, grid),
        }
    }

    /// The gradient of the weights from sums over the batch, added in their order.
    pub(super) fn finish(g: &Geometry, parts: Vec<Self>) -> Vec<T> {
        if g.groups == 1 {
            let parts = parts.into_iter().filter_map(|part| match part {
                WeightSums::Dense(sums) => Some(sums),
                WeightSums::Depthwise(_) => None,
            });
            conv::WeightSums::finish(g, parts)
        } else {
            let parts = parts.into_iter().filter_map(|part| match part {
                WeightSums::Dense(_) => None,
                WeightSums::Depthwise(sums) => Some(sums),
            });
            depthwise::WeightSums::finish(g, parts)
        }
    }
}
