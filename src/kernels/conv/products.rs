//! Products of patches and gradients, summed over positions: what the gradient of the weights consists of.

use super::grid::Patches;
use super::tiles::WeightGradient;
use crate::kernels::bf16::{self, Pair, Products, Rows};
use crate::kernels::simd::{PANEL, Real, padded};

/// Channels of a tile of products.
pub(super) const PAIR: usize = 2 * PANEL;

/// Some positions: rows of an image, or several whole images.
pub(super) struct Positions<'a, T> {
    pub patches: Patches,
    pub input: &'a [T],
    pub gradient: &'a [T],
    /// From one position's gradient to the next.
    pub step: usize,
    /// From one row of gradients to the next.
    pub row_step: usize,
    pub images: usize,
    /// From one image to the next, in `input` and in `gradient`.
    pub image_steps: [usize; 2],
    pub rows: usize,
    pub columns: usize,
    pub in_bf16: bool,
}

/// Buffers for patches and gradients side by side.
pub(super) struct Packed<T> {
    inputs: Vec<T>,
    gradients: Vec<T>,
    /// The same in bfloat16.
    pairs: [Vec<Pair>; 2],
}

impl<T> Default for Packed<T> {
    fn default() -> Self {
        Self {
            inputs: Vec::new(),
            gradients: Vec::new(),
            pairs: [Vec::new(), Vec::new()],
        }
    }
}

/// Values of a patch that are multiplied at a time, a multiple of what a tile takes.
const TAPS: usize = 96;

impl<T: Real> Positions<'_, T> {
    /// Adds the products with so many channels of the gradient to sums laid out as [`Panels`](super::weights::Panels).
    pub(super) fn add(&self, channels: usize, packed: &mut Packed<T>, sums: &mut [T]) {
        /// Neighbouring values of patches from which on copies take less time than reading from far apart: positions whose
        /// distance is a power of two share few lines of a cache.
        const WORTH_PACKING: usize = 48;
        if self.in_bf16 {
            self.add_in_bf16(channels, packed, sums);
            return;
        }
        if self.patches.run < WORTH_PACKING {
            self.add_in_place(channels, sums);
            return;
        }
        let depth = self.patches.depth();
        let count = self.images * self.rows * self.columns;
        self.pack_gradients(channels, &mut packed.gradients);
        for first_tap in (0..depth).step_by(TAPS) {
            let taps = TAPS.min(depth - first_tap);
            self.pack_inputs(first_tap, taps, &mut packed.inputs);
            let gradients = packed.gradients.chunks_exact(count * PAIR);
            for (gradients, sums) in gradients.zip(sums.chunks_mut(PAIR * depth)) {
                T::dispatch(WeightGradient {
                    patches: Patches {
                        runs: 1,
                        run: taps,
                        pitch: taps,
                        step: taps,
                        row_step: 0,
                    },
                    input: &packed.inputs,
                    gradient: gradients,
                    step: PAIR,
                    row_step: 0,
                    images: 1,
                    image_steps: [0; 2],
                    rows: 1,
                    columns: count,
                    channels: sums.len() / depth,
                    first_tap,
                    depth,
                    sums,
                });
            }
        }
    }

    /// [`add`](Self::add), not in bfloat16, without copies: for values that are in a cache already.
    pub(super) fn add_in_place(&self, channels: usize, sums: &mut [T]) {
        T::dispatch(WeightGradient {
            patches: self.patches,
            input: self.input,
            gradient: self.gradient,
            step: self.step,
            row_step: self.row_step,
            images: self.images,
            image_steps: self.image_steps,
            rows: self.rows,
            columns: self.columns,
            channels: padded(channels),
            first_tap: 0,
            depth: self.patches.depth(),
            sums,
        });
    }

    /// [`add`](Self::add) in bfloat16.
    fn add_in_bf16(&self, channels: usize, packed: &mut Packed<T>, sums: &mut [T]) {
        let depth = self.patches.depth();
        let count = self.images * self.rows * self.columns;
        let Packed {
            inputs,
            gradients,
            pairs: [input_pairs, gradient_pairs],
        } = packed;
        self.pack_gradients(channels, gradients);
        let of_panels = count.div_ceil(2) * PAIR;
        gradient_pairs.resize(channels.div_ceil(PAIR) * of_panels, 0);
        let rooms = gradient_pairs.chunks_exact_mut(of_panels);
        for (from, to) in gradients.chunks_exact(count * PAIR).zip(rooms) {
            join_rows(from, PAIR, to);
        }
        for first_tap in (0..depth).step_by(TAPS) {
            let taps = TAPS.min(depth - first_tap);
            self.pack_inputs(first_tap, taps, inputs);
            input_pairs.resize(count.div_ceil(2) * taps, 0);
            join_rows(&inputs[..count * taps], taps, input_pairs);
            let gradients = gradient_pairs.chunks_exact(of_panels);
            for (gradient, sums) in gradients.zip(sums.chunks_mut(PAIR * depth)) {
                let products = Products {
                    input: input_pairs,
                    input_step: taps,
                    gradient,
                    gradient_step: PAIR,
                    count: count.div_ceil(2),
                    taps,
                    channels: sums.len() / depth,
                    first_tap,
                    depth,
                    sums: &mut [],
                };
                add_products(products, sums);
            }
        }
    }

    /// For each position, the index of its patch and of its gradient.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        let of_row = move |image: usize, row: usize| {
            let input = image * self.image_steps[0] + row * self.patches.row_step;
            let gradient = image * self.image_steps[1] + row * self.row_step;
            (0..self.columns).map(move |column| {
                (
                    input + column * self.patches.step,
                    gradient + column * self.step,
                )
            })
        };
        (0..self.images)
            .flat_map(move |image| (0..self.rows).flat_map(move |row| of_row(image, row)))
    }

    /// The gradients as `[pair of panels][position][channel]`, zeros where there is no channel.
    fn pack_gradients(&self, channels: usize, to: &mut Vec<T>) {
        let count = self.images * self.rows * self.columns;
        to.clear();
        to.resize(channels.div_ceil(PAIR) * count * PAIR, T::ZERO);
        for (pair, to) in to.chunks_exact_mut(count * PAIR).enumerate() {
            let first = pair * PAIR;
            let size = PAIR.min(channels - first);
            for (to, (_, from)) in to.as_chunks_mut::<PAIR>().0.iter_mut().zip(self.places()) {
                let from = &self.gradient[from + first..][..size];
                match <&[T; PAIR]>::try_from(from) {
                    Ok(all) => *to = *all,
                    Err(_) => to[..size].copy_from_slice(from),
                }
            }
        }
    }

    /// Some values of every patch, side by side.
    fn pack_inputs(&self, first: usize, taps: usize, to: &mut Vec<T>) {
        let count = self.images * self.rows * self.columns;
        if to.len() < count * TAPS {
            to.resize(count * TAPS, T::ZERO);
        }
        let run = self.patches.run;
        let mut done = 0;
        while done < taps {
            let (row, value) = ((first + done) / run, (first + done) % run);
            let size = (run - value).min(taps - done);
            let skipped = row * self.patches.pitch + value;
            for (to, (from, _)) in to.chunks_exact_mut(taps).zip(self.places()) {
                to[done..done + size].copy_from_slice(&self.input[from + skipped..][..size]);
            }
            done += size;
        }
    }
}

/// [`bf16::join_rows`] of values of 32 bits, side by side.
fn join_rows<T: Real>(values: &[T], width: usize, to: &mut [Pair]) {
    let rows = Rows {
        values: T::single(values),
        step: width,
        width,
    };
    bf16::join_rows(rows, to, width);
}

/// [`bf16::add_products`] to sums of 32 bits.
pub(super) fn add_products<T: Real>(products: Products, sums: &mut [T]) {
    let sums = T::single_mut(sums);
    bf16::add_products(&mut Products { sums, ..products });
}
