//! One of the branches, and their sizes together.

use crate::kernels::conv::Geometry;

/// A convolution whose channels lie beside those of others with the same input and the same number of output positions.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Branch<'a, T> {
    pub geometry: Geometry,
    pub weight: &'a [T],
    pub bias: &'a [T],
}

/// The number of channels of all branches, and the first channel of each.
pub(super) fn channels<T>(branches: &[Branch<T>]) -> (usize, Vec<usize>) {
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

/// The sizes of the branches as one convolution; the kernel is the largest.
pub(super) fn whole<T>(branches: &[Branch<T>]) -> Geometry {
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
