//! The gradient of the kernels.

use std::mem::MaybeUninit;

use super::apply::{Scratch, transform};
use super::images::Gradients;
use super::planes::{ELEMENTS, Planes, Tiling};
use super::rounded::{Joined, PairPlanes, rounded};
use super::weights::gradient as untransformed;
use crate::kernels::bf16::{Pair, Products};
use crate::kernels::conv::geometry::Geometry;
use crate::kernels::conv::grid::Patches;
use crate::kernels::conv::products::add_products;
use crate::kernels::conv::tiles::WeightGradient;
use crate::kernels::conv::weight_gradient::together;
use crate::kernels::memory::{Kept, as_room, filled, filled_part, grow, room};
use crate::kernels::simd::Real;
use crate::kernels::threads;

/// Partial sums, over some of the tiles, of the gradient with respect to the transformed kernels.
pub(in crate::kernels) struct WeightSums<T> {
    /// For each element `[panel][input][16 outputs]`.
    sums: Vec<T>,
}

impl<T: Real> WeightSums<T> {
    pub(in crate::kernels) fn new(g: &Geometry) -> Self {
        Self {
            sums: vec![T::ZERO; ELEMENTS * g.inputs * g.outputs],
        }
    }

    /// Whether the sums stay in a core's cache: a megabyte of `f32`.
    pub(in crate::kernels) fn fit_the_cache(g: &Geometry) -> bool {
        ELEMENTS * g.inputs * g.outputs <= 1 << 18
    }

    /// Accumulates the contribution of some images; `gradient` is the gradient with respect to their outputs.
    #[allow(unsafe_code)]
    pub(in crate::kernels) fn add(
        &mut self,
        g: &Geometry,
        images: &[T],
        gradient: &[T],
        scratch: &mut Scratch<T>,
    ) {
        let tiling = Tiling::of(g);
        let rows: Vec<usize> = (0..images.len() / g.input_values() * tiling.rows()).collect();
        for rows in rows.chunks(tiling.part(rows.len())) {
            if g.in_bf16() {
                self.add_rounded(g, images, gradient, rows, scratch);
                continue;
            }
            let tiles = rows.len() * tiling.columns();
            let (from, to) = (Planes::new(tiles, g.inputs), Planes::new(tiles, g.outputs));
            scratch.transform(images, (tiling, g.inputs), rows, from);
            grow(&mut scratch.outputs, to.values());
            // SAFETY: transforms write values alone.
            let room = unsafe { as_room(&mut scratch.outputs) };
            transform_gradient(g, gradient, rows, to, room);
            let sums = self.sums.chunks_mut(g.inputs * g.outputs);
            for (element, sums) in sums.enumerate() {
                let inputs = &scratch.inputs[element * from.plane..][..from.plane];
                let gradients = &scratch.outputs[element * to.plane..][..to.plane];
                multiply(g, inputs, gradients, [from, to], sums);
            }
        }
    }

    /// Adds some rows of tiles in bfloat16.
    fn add_rounded(
        &mut self,
        g: &Geometry,
        images: &[T],
        gradient: &[T],
        rows: &[usize],
        scratch: &mut Scratch<T>,
    ) {
        let tiling = Tiling::of(g);
        let from = scratch.transform_rounded(images, (tiling, g.inputs), rows, Joined::Tiles);
        let Scratch { outputs, pairs, .. } = scratch;
        let [inputs, slopes] = pairs;
        let to = round_gradient(g, gradient, rows, outputs, slopes);
        let sums = self.sums.chunks_mut(g.inputs * g.outputs);
        for (element, sums) in sums.enumerate() {
            let (inputs, slopes) = (from.of(element, inputs), to.of(element, slopes));
            multiply_rounded(g, inputs, slopes, [from, to], sums);
        }
    }

    /// The gradient of the kernels from sums over the batch, added in order.
    pub(in crate::kernels) fn finish(g: &Geometry, parts: impl Iterator<Item = Self>) -> Vec<T> {
        let sums = together(parts.map(|part| part.sums));
        untransformed(g, &sums)
    }
}

/// `A dy A'` of rows of tiles, numbered through all images.
fn transform_gradient<T: Real>(
    g: &Geometry,
    gradient: &[T],
    rows: &[usize],
    planes: Planes,
    output: &mut [MaybeUninit<T>],
) {
    let tiling = Tiling::of(g);
    for (index, &row) in rows.iter().enumerate() {
        let image = row / tiling.rows();
        T::dispatch(Gradients {
            image: &gradient[image * g.output_values()..][..g.output_values()],
            tiling,
            channels: g.outputs,
            row: row % tiling.rows(),
            planes,
            first: index * tiling.columns(),
            output,
        });
    }
}

/// [`transform_gradient`] into bfloat16, with a buffer for some tiles.
fn round_gradient<T: Real>(
    g: &Geometry,
    gradient: &[T],
    rows: &[usize],
    buffer: &mut Vec<T>,
    to: &mut Vec<Pair>,
) -> PairPlanes {
    let sizes = [Tiling::of(g).columns(), g.outputs];
    rounded(
        Joined::Tiles,
        rows,
        sizes,
        buffer,
        to,
        |rows, planes, output| {
            transform_gradient(g, gradient, rows, planes, output);
        },
    )
}

/// [`multiply`] in bfloat16.
fn multiply_rounded<T: Real>(
    g: &Geometry,
    input: &[Pair],
    gradient: &[Pair],
    [from, to]: [PairPlanes; 2],
    sums: &mut [T],
) {
    let products = Products {
        input,
        input_step: from.step,
        gradient,
        gradient_step: to.step,
        count: from.count,
        taps: g.inputs,
        channels: g.outputs,
        first_tap: 0,
        depth: g.inputs,
        sums: &mut [],
    };
    add_products(products, sums);
}

/// Adds the products of some tiles of an element.
fn multiply<T: Real>(
    g: &Geometry,
    inputs: &[T],
    gradients: &[T],
    [from, to]: [Planes; 2],
    sums: &mut [T],
) {
    T::dispatch(WeightGradient {
        patches: Patches {
            runs: 1,
            run: g.inputs,
            pitch: g.inputs,
            step: from.step,
            row_step: 0,
        },
        input: inputs,
        gradient: gradients,
        step: to.step,
        row_step: 0,
        images: 1,
        image_steps: [0; 2],
        rows: 1,
        columns: from.tiles,
        channels: g.outputs,
        first_tap: 0,
        depth: g.inputs,
        sums,
    });
}

/// The gradient of the kernels, `[outputs, inputs, 3, 3]`, for so many of them that each element is summed by itself.
///
/// Images are taken in groups that depend on shapes alone, and added in order.
#[allow(unsafe_code)]
pub(in crate::kernels) fn weight_gradient<T: Real>(
    g: &Geometry,
    input: &[T],
    gradient: &[T],
) -> Vec<T> {
    /// Values of the transformed images and gradients of a group: 32 megabytes of `f32`.
    const VALUES: usize = 1 << 23;
    if g.batch == 0 {
        return vec![T::ZERO; g.weight_shape().iter().product()];
    }
    let tiling = Tiling::of(g);
    let of_image = tiling.rows() * tiling.columns();
    let image_values = ELEMENTS * of_image * (g.inputs + g.outputs);
    let group = (VALUES / image_values).clamp(1, g.batch);
    let mut sums = room(ELEMENTS * g.inputs * g.outputs);
    let images = input.chunks(group * g.input_values());
    let groups = images.zip(gradient.chunks(group * g.output_values()));
    for (index, (images, gradient)) in groups.enumerate() {
        add_group(g, images, gradient, index == 0, &mut sums);
    }
    // SAFETY: the first group has filled them, and there is an image.
    untransformed(g, &unsafe { filled(sums) })
}

/// Transformed tiles.
enum Block<T> {
    Full {
        inputs: Vec<T>,
        gradients: Vec<T>,
        planes: [Planes; 2],
    },
    Rounded {
        inputs: Vec<Pair>,
        gradients: Vec<Pair>,
        planes: [PairPlanes; 2],
    },
}

impl<T: Real> Block<T> {
    /// Transforms the given rows of tiles, numbered consecutively across all images.
    #[allow(unsafe_code)]
    fn new(g: &Geometry, images: &[T], gradient: &[T], rows: &[usize], strip: &mut Vec<T>) -> Self {
        let tiling = Tiling::of(g);
        let tiles = rows.len() * tiling.columns();
        let (from, to) = (Planes::new(tiles, g.inputs), Planes::new(tiles, g.outputs));
        let (mut inputs, mut gradients) = (from.room(), to.room());
        let sizes = (tiling, g.inputs);
        transform(images, sizes, rows, from, strip, &mut inputs);
        transform_gradient(g, gradient, rows, to, &mut gradients);
        Self::Full {
            // SAFETY: the transforms have written all tiles, and `room` what is between them.
            inputs: unsafe { filled(inputs) },
            gradients: unsafe { filled(gradients) },
            planes: [from, to],
        }
    }

    /// The same in bfloat16.
    fn rounded(
        g: &Geometry,
        images: &[T],
        gradient: &[T],
        rows: &[usize],
        scratch: &mut Scratch<T>,
    ) -> Self {
        let sizes = (Tiling::of(g), g.inputs);
        let from = scratch.transform_rounded(images, sizes, rows, Joined::Tiles);
        let Scratch { outputs, pairs, .. } = scratch;
        let to = round_gradient(g, gradient, rows, outputs, &mut pairs[1]);
        let [inputs, gradients] = std::mem::take(pairs);
        Self::Rounded {
            inputs,
            gradients,
            planes: [from, to],
        }
    }

    /// Adds the products of an element.
    fn add(&self, g: &Geometry, element: usize, sums: &mut [T]) {
        match self {
            Self::Full {
                inputs,
                gradients,
                planes,
            } => {
                let [from, to] = *planes;
                let inputs = &inputs[element * from.plane..][..from.plane];
                let gradients = &gradients[element * to.plane..][..to.plane];
                multiply(g, inputs, gradients, *planes, sums);
            }
            Self::Rounded {
                inputs,
                gradients,
                planes,
            } => {
                let [from, to] = *planes;
                let (inputs, gradients) = (from.of(element, inputs), to.of(element, gradients));
                multiply_rounded(g, inputs, gradients, *planes, sums);
            }
        }
    }
}

/// Adds the tiles of some images to the sums of all elements, which are zero before the first.
#[allow(unsafe_code)]
fn add_group<T: Real>(
    g: &Geometry,
    images: &[T],
    gradient: &[T],
    is_first: bool,
    sums: &mut [MaybeUninit<T>],
) {
    let tiling = Tiling::of(g);
    let count = images.len() / g.input_values();
    let work = count * g.output_values() * g.inputs;
    let rows: Vec<usize> = (0..count * tiling.rows()).collect();
    let rows: Vec<&[usize]> = rows.chunks(tiling.part(rows.len())).collect();
    let blocks = threads::map_with(work, rows, Kept::<Scratch<T>>::default, |scratch, rows| {
        if g.in_bf16() {
            Block::rounded(g, images, gradient, rows, scratch)
        } else {
            Block::new(g, images, gradient, rows, &mut scratch.strip)
        }
    });
    let sums = sums.chunks_mut(g.inputs * g.outputs).enumerate();
    threads::for_each(
        work,
        sums.collect(),
        || (),
        |(), (element, sums)| {
            if is_first {
                sums.fill(MaybeUninit::new(T::ZERO));
            }
            // SAFETY: filled before the first group.
            let sums = unsafe { filled_part(sums) };
            for block in &blocks {
                block.add(g, element, sums);
            }
        },
    );
}
