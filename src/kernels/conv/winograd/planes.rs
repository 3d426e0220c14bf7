//! Transformed tiles: a matrix `[tile, channel]` for each of their 16 elements.

use std::mem::MaybeUninit;

use crate::kernels::conv::geometry::Geometry;
use crate::kernels::memory::room;
use crate::kernels::simd::{PANEL, Real};

/// Elements of a transformed tile.
pub(super) const ELEMENTS: usize = 16;

/// Tiles that are multiplied at a time: few enough for the second-level cache, enough to be worth reading the weights for.
pub(super) const TILES: usize = 128;

/// How the matrices lie in memory.
#[derive(Clone, Copy)]
pub(super) struct Planes {
    pub tiles: usize,
    /// Stride between tiles.
    pub step: usize,
    /// Stride between elements.
    pub plane: usize,
}

impl Planes {
    /// Steps that are not powers of two, which would share few lines of a cache.
    pub(super) fn new(tiles: usize, channels: usize) -> Self {
        let step = channels + PANEL;
        Self {
            tiles,
            step,
            plane: Self::rows(tiles) * step + 3 * PANEL,
        }
    }

    /// Tiles in whole groups of four, which products of matrices take at a time.
    pub(super) fn rows(tiles: usize) -> usize {
        tiles.next_multiple_of(4)
    }

    pub(super) fn values(&self) -> usize {
        ELEMENTS * self.plane
    }

    /// A buffer for all values, filled with zeros where there is no tile or channel.
    pub(super) fn room<T: Real>(&self) -> Vec<MaybeUninit<T>> {
        let mut values = room(self.values());
        let channels = self.step - PANEL;
        for plane in values.chunks_exact_mut(self.plane) {
            let (tiles, rest) = plane.split_at_mut(self.tiles * self.step);
            rest.fill(MaybeUninit::new(T::ZERO));
            for tile in tiles.chunks_exact_mut(self.step) {
                tile[channels..].fill(MaybeUninit::new(T::ZERO));
            }
        }
        values
    }
}

/// The tiles of images, each of 2x2 positions.
#[derive(Clone, Copy)]
pub(super) struct Tiling {
    pub height: usize,
    pub width: usize,
}

impl Tiling {
    pub(super) fn of(g: &Geometry) -> Self {
        Self {
            height: g.height,
            width: g.width,
        }
    }

    /// Tiles in a column.
    pub(super) fn rows(&self) -> usize {
        self.height.div_ceil(2)
    }

    /// Tiles in a row.
    pub(super) fn columns(&self) -> usize {
        self.width.div_ceil(2)
    }

    /// How many of so many rows of tiles are computed at a time: equal parts of about [`TILES`] tiles.
    pub(super) fn part(&self, rows: usize) -> usize {
        let most = (TILES / self.columns()).max(1);
        rows.div_ceil(rows.div_ceil(most).max(1)).max(1)
    }
}
