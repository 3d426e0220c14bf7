//! Images, or parts of one, convolved: transformed, multiplied and transformed back, a few rows of tiles at a time.

use std::mem::MaybeUninit;
use std::ops::Range;

use super::images::{Inputs, Outputs, strip_row};
use super::planes::{ELEMENTS, Planes, Tiling};
use super::rounded::{Joined, PairPlanes, rounded};
use super::weights::Weights;
use crate::kernels::activation::Epilogue;
use crate::kernels::bf16::{self, Dots, Pair};
use crate::kernels::conv::grid::Patches;
use crate::kernels::conv::tiles::Convolution;
use crate::kernels::memory::{as_room, filled_part, grow};
use crate::kernels::simd::Real;

/// Buffers.
pub(in crate::kernels) struct Scratch<T> {
    pub(super) strip: Vec<T>,
    pub(super) inputs: Vec<T>,
    pub(super) outputs: Vec<T>,
    /// Transformed inputs and gradients in bfloat16.
    pub(super) pairs: [Vec<Pair>; 2],
}

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Self {
            strip: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            pairs: [Vec::new(), Vec::new()],
        }
    }
}

/// Transforms the given rows of tiles, numbered consecutively across `images`.
pub(super) fn transform<T: Real>(
    images: &[T],
    (tiling, channels): (Tiling, usize),
    rows: &[usize],
    planes: Planes,
    strip: &mut Vec<T>,
    output: &mut [MaybeUninit<T>],
) {
    strip.clear();
    strip.resize(4 * strip_row(tiling, channels), T::ZERO);
    let values = tiling.height * tiling.width * channels;
    for (index, &row) in rows.iter().enumerate() {
        let image = row / tiling.rows();
        T::dispatch(Inputs {
            image: &images[image * values..(image + 1) * values],
            tiling,
            channels,
            row: row % tiling.rows(),
            strip,
            planes,
            first: index * tiling.columns(),
            output,
        });
    }
}

impl<T: Real> Scratch<T> {
    /// [`transform`] into [`inputs`](Self::inputs).
    #[allow(unsafe_code)]
    pub(super) fn transform(
        &mut self,
        images: &[T],
        sizes: (Tiling, usize),
        rows: &[usize],
        planes: Planes,
    ) {
        grow(&mut self.inputs, planes.values());
        // SAFETY: transforms write values alone.
        let output = unsafe { as_room(&mut self.inputs) };
        transform(images, sizes, rows, planes, &mut self.strip, output);
    }

    /// [`transform`] into bfloat16, into the first of the [`pairs`](Self::pairs).
    pub(super) fn transform_rounded(
        &mut self,
        images: &[T],
        (tiling, channels): (Tiling, usize),
        rows: &[usize],
        joined: Joined,
    ) -> PairPlanes {
        let Self {
            strip,
            inputs,
            pairs: [pairs, _],
            ..
        } = self;
        let sizes = [tiling.columns(), channels];
        rounded(
            joined,
            rows,
            sizes,
            inputs,
            pairs,
            |rows, planes, output| {
                transform(images, (tiling, channels), rows, planes, strip, output);
            },
        )
    }
}

impl<T: Real> Weights<T> {
    /// The `channels`, whole panels, of `rows` rows of the output, of each of the `images` of this height and width. The first row is even. The
    /// bias has a value for each of the channels.
    #[allow(unsafe_code)]
    #[allow(clippy::too_many_arguments)] // A part of a layer's work, and its buffers.
    pub(in crate::kernels) fn apply<'a>(
        &self,
        [height, width]: [usize; 2],
        images: &[T],
        rows: Range<usize>,
        channels: Range<usize>,
        epilogue: Epilogue<T>,
        scratch: &mut Scratch<T>,
        output: &'a mut [MaybeUninit<T>],
    ) -> &'a mut [T] {
        let tiling = Tiling { height, width };
        let count = images.len() / (height * width * self.inputs);
        let row_values = width * channels.len();
        assert_eq!(output.len(), count * rows.len() * row_values);
        assert!(rows.start.is_multiple_of(2));
        assert!(rows.end == height || rows.end.is_multiple_of(2));
        let of_image = rows.start / 2..rows.end.div_ceil(2);
        let mut left = &mut *output;
        let mut rooms = Vec::new();
        for image in 0..count {
            for row in of_image.clone() {
                let outputs = 2.min(height - 2 * row);
                let (head, tail) = left.split_at_mut(outputs * row_values);
                left = tail;
                rooms.push((image * tiling.rows() + row, head));
            }
        }
        let size = tiling.part(rooms.len());
        for part in rooms.chunks_mut(size) {
            self.some_rows(tiling, images, channels.clone(), epilogue, scratch, part);
        }
        // SAFETY: the rows of tiles are the whole output.
        unsafe { filled_part(output) }
    }

    /// Some rows of tiles, numbered through all images, each with its output.
    fn some_rows(
        &self,
        tiling: Tiling,
        images: &[T],
        channels: Range<usize>,
        epilogue: Epilogue<T>,
        scratch: &mut Scratch<T>,
        part: &mut [(usize, &mut [MaybeUninit<T>])],
    ) {
        let columns = tiling.columns();
        let tiles = part.len() * columns;
        let (from, to) = (
            Planes::new(tiles, self.inputs),
            Planes::new(tiles, channels.len()),
        );
        let numbers: Vec<usize> = part.iter().map(|(row, _)| *row).collect();
        let sizes = (tiling, self.inputs);
        grow(&mut scratch.outputs, to.values());
        if self.is_rounded() {
            let from = scratch.transform_rounded(images, sizes, &numbers, Joined::Channels);
            let (inputs, outputs) = (&scratch.pairs[0], &mut scratch.outputs);
            self.multiply_rounded(from, to, channels.clone(), inputs, outputs);
        } else {
            scratch.transform(images, sizes, &numbers, from);
            let (inputs, outputs) = (&scratch.inputs, &mut scratch.outputs);
            self.multiply(from, to, channels.clone(), inputs, outputs);
        }
        for (index, (row, output)) in part.iter_mut().enumerate() {
            T::dispatch(Outputs {
                input: &scratch.outputs,
                planes: to,
                first: index * columns,
                tiling,
                channels: channels.len(),
                row: *row % tiling.rows(),
                epilogue,
                output,
            });
        }
    }

    /// [`multiply`](Self::multiply) in bfloat16.
    #[allow(unsafe_code)]
    fn multiply_rounded(
        &self,
        from: PairPlanes,
        to: Planes,
        channels: Range<usize>,
        input: &[Pair],
        output: &mut [T],
    ) {
        let no_bias = vec![0.0; channels.len()];
        let run = self.inputs / 2;
        for element in 0..ELEMENTS {
            let weights = self.matrix(element, channels.start);
            let output = &mut output[element * to.plane..][..to.plane];
            let Some(pairs) = weights.pairs else {
                unreachable!("asked before");
            };
            bf16::convolve(&mut Dots {
                patches: Patches {
                    runs: 1,
                    run,
                    pitch: run,
                    step: from.step,
                    row_step: 0,
                },
                input: from.of(element, input),
                weights: pairs.values,
                panel: weights.panel / 2,
                epilogue: Epilogue::bias(&no_bias),
                rows: 1,
                columns: from.count,
                channels: channels.len(),
                step: to.step,
                row_step: 0,
                // SAFETY: convolutions write values alone.
                output: T::single_room(unsafe { as_room(output) }),
            });
        }
    }

    /// The product of each element.
    #[allow(unsafe_code)]
    fn multiply(
        &self,
        from: Planes,
        to: Planes,
        channels: Range<usize>,
        input: &[T],
        output: &mut [T],
    ) {
        let no_bias = vec![T::ZERO; channels.len()];
        for element in 0..ELEMENTS {
            T::dispatch(Convolution::<_, true> {
                patches: Patches {
                    runs: 1,
                    run: self.inputs,
                    pitch: self.inputs,
                    step: from.step,
                    row_step: 0,
                },
                input: &input[element * from.plane..][..from.plane],
                weights: self.matrix(element, channels.start),
                epilogue: Epilogue::bias(&no_bias),
                rows: 1,
                columns: Planes::rows(from.tiles),
                channels: channels.len(),
                step: to.step,
                row_step: 0,
                // SAFETY: convolutions write values alone.
                output: unsafe { as_room(&mut output[element * to.plane..][..to.plane]) },
            });
        }
    }
}
