//! The forward pass.

use super::parts::{cut, parts};
use super::weights::{Forward, Scratch};
use crate::kernels::conv::Geometry;
use crate::kernels::memory::{filled, room};
use crate::kernels::simd::Real;
use crate::kernels::threads;

/// A convolution of `g` ([merged](Geometry::merged)) plus bias. `finish` works on the values of each part, with the index of
/// the first, while they are in the cache; what it finds is returned in the order of the parts.
#[allow(unsafe_code)]
pub(in crate::kernels) fn forward<T: Real, R: Send>(
    g: &Geometry,
    weights: &Forward<T>,
    input: &[T],
    bias: &[T],
    finish: impl Fn(usize, &mut [T]) -> R + Sync + Send,
) -> (Vec<T>, Vec<R>) {
    let mut output = room(g.batch * g.output_values());
    let parts = parts(g);
    let jobs: Vec<_> = parts.iter().zip(cut(g, &mut output, &parts)).collect();
    let found = threads::map_with(
        g.multiply_adds(),
        jobs,
        Scratch::default,
        |scratch, (part, output)| {
            let images = part.of(g, input);
            let values = weights.rows(g, images, part.rows.clone(), bias, scratch, output);
            finish(part.values(g).start, values)
        },
    );
    // SAFETY: the parts are the whole batch, and `rows` fills each of them.
    (unsafe { filled(output) }, found)
}
