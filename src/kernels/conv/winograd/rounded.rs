//! Transformed tiles in bfloat16.

use std::mem::MaybeUninit;

use super::planes::{ELEMENTS, Planes};
use crate::kernels::bf16::{Pair, Rows, join_rows, round_rows};
use crate::kernels::memory::{as_room, grow};
use crate::kernels::simd::{PANEL, Real};

/// What is joined to pairs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Joined {
    /// Neighbouring channels of a tile, over which outputs are summed.
    Channels,
    /// Neighbouring tiles, over which the gradient of the kernels is summed. There may be one without neighbour.
    Tiles,
}

/// How pairs lie in memory: a matrix for each element.
#[derive(Clone, Copy)]
pub(super) struct PairPlanes {
    /// Rows: tiles in whole groups of four, as [`Planes::rows`], or pairs of tiles.
    pub count: usize,
    /// From one row to the next; no power of two, see [`Planes::new`].
    pub step: usize,
    /// From one element to the next.
    pub plane: usize,
}

impl PairPlanes {
    fn new(joined: Joined, tiles: usize, channels: usize) -> Self {
        let (count, width) = match joined {
            Joined::Channels => (Planes::rows(tiles), channels / 2),
            Joined::Tiles => (tiles.div_ceil(2), channels),
        };
        let step = width + PANEL;
        Self {
            count,
            step,
            plane: count * step + 3 * PANEL,
        }
    }

    /// The matrix of an element.
    pub(super) fn of<'a>(&self, element: usize, pairs: &'a [Pair]) -> &'a [Pair] {
        &pairs[element * self.plane..][..self.plane]
    }
}

/// Rows of `columns` tiles, numbered through all images, written by `transform` a few at a time into a buffer that stays in the cache, and rounded
/// from there.
#[allow(unsafe_code)]
pub(super) fn rounded<T: Real>(
    joined: Joined,
    rows: &[usize],
    [columns, channels]: [usize; 2],
    buffer: &mut Vec<T>,
    to: &mut Vec<Pair>,
    mut transform: impl FnMut(&[usize], Planes, &mut [MaybeUninit<T>]),
) -> PairPlanes {
    // An even number of tiles, of which each has its neighbour.
    let together = match joined {
        Joined::Channels => 1,
        Joined::Tiles => 2,
    };
    let planes = PairPlanes::new(joined, rows.len() * columns, channels);
    if to.len() < ELEMENTS * planes.plane {
        to.resize(ELEMENTS * planes.plane, 0);
    }
    for (index, rows) in rows.chunks(together).enumerate() {
        let tiles = rows.len() * columns;
        let from = Planes::new(tiles, channels);
        grow(buffer, from.values());
        // SAFETY: transforms write values alone.
        transform(rows, from, unsafe { as_room(buffer) });
        let buffer = T::single(buffer);
        let used = (tiles - 1) * from.step + channels;
        let first = index * columns * planes.step;
        for element in 0..ELEMENTS {
            let rows = Rows {
                values: &buffer[element * from.plane..][..used],
                step: from.step,
                width: channels,
            };
            let to = &mut to[element * planes.plane..][..planes.plane][first..];
            match joined {
                Joined::Channels => round_rows(rows, to, planes.step),
                Joined::Tiles => join_rows(rows, to, planes.step),
            }
        }
    }
    planes
}
