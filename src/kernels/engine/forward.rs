//! The forward pass.

use std::mem::MaybeUninit;

use super::parts::{cut, parts};
use super::weights::{Forward, Scratch};
use crate::kernels::activation::Epilogue;
use crate::kernels::conv::Geometry;
use crate::kernels::memory::{Kept, filled, is_large, room, stream};
use crate::kernels::simd::Real;
use crate::kernels::threads;

/// A convolution of `g` ([merged](Geometry::merged)) and the epilogue. `finish` works on the values of each part, with the index of
/// the first, while they are in the cache; what it finds is returned in the order of the parts.
#[allow(unsafe_code)]
pub(in crate::kernels) fn forward<T: Real, R: Send>(
    g: &Geometry,
    weights: &Forward<T>,
    input: &[T],
    epilogue: Epilogue<T>,
    finish: impl Fn(usize, &mut [T]) -> R + Sync + Send,
) -> (Vec<T>, Vec<R>) {
    let mut output = room(g.batch * g.output_values());
    let is_large = is_large::<T>(output.len());
    let parts = parts(g);
    let jobs: Vec<_> = parts.iter().zip(cut(g, &mut output, &parts)).collect();
    let found = threads::map_with(
        g.multiply_adds(),
        jobs,
        Kept::<Scratch<T>>::default,
        |scratch, (part, output)| {
            let (images, rows) = (part.of(g, input), part.rows.clone());
            let first = part.values(g).start;
            if !is_large {
                return finish(
                    first,
                    weights.rows(g, images, rows, 0, epilogue, scratch, output),
                );
            }
            let mut values = std::mem::take(&mut scratch.values);
            values.resize(output.len(), MaybeUninit::uninit());
            let filled = weights.rows(g, images, rows, 0, epilogue, scratch, &mut values);
            let found = finish(first, filled);
            stream(filled, output);
            scratch.values = values;
            found
        },
    );
    // SAFETY: the parts are the whole batch, and each of them has been filled.
    (unsafe { filled(output) }, found)
}
