//! The passes of a convolution, dense or depthwise.

use std::mem::MaybeUninit;
use std::ops::Range;

use super::conv::{self, Geometry, Needed, Panels};
use super::depthwise;
use super::memory::{filled, filled_part, room};
use super::simd::{PANEL, Real};
use super::threads;

/// A convolution's weights, ready for the forward pass.
pub(super) enum Forward<T> {
    Dense(Panels<T>),
    Depthwise(depthwise::Kernels<T>),
}

impl<T: Real> Forward<T> {
    /// The weights, times `scale` of their output channel.
    pub fn new(g: &Geometry, weight: &[T], scale: Option<&[T]>) -> Self {
        if g.groups == 1 {
            Forward::Dense(conv::panels(g, weight, scale))
        } else {
            Forward::Depthwise(depthwise::Kernels::new(g, weight, scale))
        }
    }

    /// Some rows of the output of an image; `bias` fills whole panels of channels.
    pub fn rows<'a>(
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
    pub fn new(g: &Geometry, weight: &[T]) -> Self {
        if g.groups == 1 {
            Transposed::Dense(conv::Transposed::new(g, weight))
        } else {
            Transposed::Depthwise(depthwise::Transposed::new(g, weight))
        }
    }

    /// The gradient of an image, or of some of its positions if the convolution is pixelwise, from that of its output.
    pub fn apply<'a>(
        &self,
        gradient: &[T],
        grid: &mut Vec<T>,
        output: &'a mut [MaybeUninit<T>],
    ) -> &'a mut [T] {
        match self {
            Transposed::Dense(weights) => weights.apply(gradient, grid, output),
            Transposed::Depthwise(kernels) => kernels.apply(gradient, grid, output),
        }
    }
}

/// The gradient of the weights from that of the output, which needs [`SLACK`] more values behind it, whatever they are.
pub(super) fn weight_gradient<T: Real>(g: &Geometry, input: &[T], gradient: &[T]) -> Vec<T> {
    if g.groups == 1 {
        conv::weight_gradient(g, input, gradient)
    } else {
        depthwise::weight_gradient(g, input, gradient)
    }
}

/// Values behind a gradient that registers may read.
pub(super) const SLACK: usize = 2 * PANEL;

/// The parts into which a batch's outputs are cut, an image after the other: the image and its rows. They depend on shapes
/// alone, and stay in a core's cache with what they are computed from.
pub(super) fn parts(g: &Geometry) -> Vec<(usize, Range<usize>)> {
    /// Values of a part and its input, half a megabyte of `f32`.
    const VALUES: usize = 1 << 17;
    /// Positions of a tile of a convolution, which pixelwise parts fill.
    const TILE: usize = 12;
    let (rows, columns) = (g.output_height(), g.output_width());
    let row = columns * g.outputs + g.stride * g.width * g.inputs;
    let mut part = (VALUES / row.max(1)).max(1);
    if g.is_pixelwise() {
        part = part.next_multiple_of(TILE);
    }
    let of_image = (0..rows).step_by(part);
    let of_image = of_image.map(|first| first..(first + part).min(rows));
    let of_image: Vec<Range<usize>> = of_image.collect();
    (0..g.batch)
        .flat_map(|image| of_image.iter().map(move |rows| (image, rows.clone())))
        .collect()
}

/// Cuts the values of a batch into those of its parts; `row` values are a row's.
pub(super) fn cut<'a, T>(
    mut values: &'a mut [T],
    parts: &[(usize, Range<usize>)],
    row: usize,
) -> Vec<&'a mut [T]> {
    parts
        .iter()
        .map(|(_, rows)| {
            let (head, tail) = std::mem::take(&mut values).split_at_mut(rows.len() * row);
            values = tail;
            head
        })
        .collect()
}

/// A convolution of `g` ([merged](Geometry::merged)) plus bias. `finish` works on the values of each part, with the index of
/// the first, while they are in the cache; what it finds is returned in the order of the parts.
#[allow(unsafe_code)]
pub(super) fn forward<T: Real, R: Send>(
    g: &Geometry,
    weights: &Forward<T>,
    input: &[T],
    bias: &[T],
    finish: impl Fn(usize, &mut [T]) -> R + Sync + Send,
) -> (Vec<T>, Vec<R>) {
    let mut output = room(g.batch * g.output_values());
    let parts = parts(g);
    let row = g.output_width() * g.outputs;
    let jobs: Vec<_> = parts.iter().zip(cut(&mut output, &parts, row)).collect();
    let found = threads::map_with(
        g.multiply_adds(),
        jobs,
        Vec::new,
        |grid, ((image, rows), output)| {
            let first = image * g.output_values() + rows.start * row;
            let image = &input[image * g.input_values()..][..g.input_values()];
            finish(
                first,
                weights.rows(g, image, rows.clone(), bias, grid, output),
            )
        },
    );
    // SAFETY: the parts are the whole batch, and `rows` fills each of them.
    (unsafe { filled(output) }, found)
}

/// The gradients of input and weights, as far as they are [`Needed`]. `prepare(first, values)` writes the output's gradient of a
/// part, which begins at the index `first` of the batch.
#[allow(unsafe_code)]
pub(super) fn backward<T: Real>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    needed: Needed,
    prepare: impl Fn(usize, &mut [MaybeUninit<T>]) + Sync + Send,
) -> (Option<Vec<T>>, Option<Vec<T>>) {
    let transposed = needed.input.then(|| Transposed::new(g, weight));
    let parts = if g.is_pixelwise() {
        parts(g)
    } else {
        let rows = 0..g.output_height();
        (0..g.batch).map(|image| (image, rows.clone())).collect()
    };
    let values = g.batch * g.output_values();
    let mut gradient = room(values + SLACK);
    gradient[values..].fill(MaybeUninit::new(T::ZERO));
    let row = g.output_width() * g.outputs;
    let mut found = room(usize::from(needed.input) * g.batch * g.input_values());
    let input_rows = |rows: &Range<usize>| {
        let rows = if g.is_pixelwise() {
            rows.len()
        } else {
            g.height
        };
        usize::from(needed.input) * rows * g.width * g.inputs
    };
    let mut left = &mut found[..];
    let jobs: Vec<_> = parts
        .iter()
        .zip(cut(&mut gradient[..values], &parts, row))
        .map(|((image, rows), gradient)| {
            let (head, tail) = std::mem::take(&mut left).split_at_mut(input_rows(rows));
            left = tail;
            (image * g.output_values() + rows.start * row, gradient, head)
        })
        .collect();
    threads::for_each(
        g.multiply_adds(),
        jobs,
        Vec::new,
        |grid, (first, gradient, to)| {
            prepare(first, gradient);
            if let Some(transposed) = &transposed {
                // SAFETY: `prepare` has written all of it.
                transposed.apply(unsafe { filled_part(gradient) }, grid, to);
            }
        },
    );
    // SAFETY: the parts are the whole batch; `prepare` and `apply` fill each of them.
    let (gradient, found) = unsafe { (filled(gradient), filled(found)) };
    let weight = needed.weight.then(|| weight_gradient(g, input, &gradient));
    (needed.input.then_some(found), weight)
}
