//! Weights in bfloat16.

use super::dispatch::join_rows;
use super::rounding::Pair;
use super::rows::Rows;
use crate::kernels::simd::PANEL;
use crate::kernels::threads;

/// What [`Pairs`] have besides values. The reader in WebAssembly computes in 32 bits, and does without the code of other precisions.
#[cfg(target_family = "wasm")]
#[derive(Clone, Copy)]
enum Exists {}
#[cfg(not(target_family = "wasm"))]
#[derive(Clone, Copy)]
struct Exists;

#[cfg(target_family = "wasm")]
const EXISTS: Option<Exists> = None;
#[cfg(not(target_family = "wasm"))]
const EXISTS: Option<Exists> = Some(Exists);

/// Weights whose rows are panels of 16 channels, two rows joined to one.
pub struct Pairs {
    values: Vec<Pair>,
    exists: Exists,
}

/// A part of [`Pairs`].
#[derive(Clone, Copy)]
pub struct PairsRef<'a> {
    pub values: &'a [Pair],
    _exists: Exists,
}

/// Joins neighbours of an even number of rows of 16 channels.
fn join_panels(values: &[f32], to: &mut [Pair]) {
    let rows = Rows {
        values,
        step: PANEL,
        width: PANEL,
    };
    join_rows(rows, to, PANEL);
}

impl Pairs {
    /// Of an even number of rows of 16 channels. None in WebAssembly.
    pub fn of(values: &[f32]) -> Option<Self> {
        /// Values that a thread joins at a time.
        const PART: usize = 1 << 16;
        let exists = EXISTS?;
        let mut pairs = vec![0; values.len() / 2];
        let parts = pairs.chunks_mut(PART / 2).zip(values.chunks(PART));
        threads::for_each(
            values.len(),
            parts.collect(),
            || (),
            |(), (to, values): (&mut [Pair], &[f32])| join_panels(values, to),
        );
        Some(Self {
            values: pairs,
            exists,
        })
    }

    /// Of `count` parts of so many values, a multiple of 32: `part(scratch, index, join)` calls `join` with the values of each. None in WebAssembly.
    pub fn by_parts<S>(
        count: usize,
        values: usize,
        scratch: impl Fn() -> S + Sync + Send,
        part: impl Fn(&mut S, usize, &mut dyn FnMut(&[f32])) + Sync + Send,
    ) -> Option<Self> {
        let exists = EXISTS?;
        let mut pairs = vec![0; count * values / 2];
        let parts = pairs.chunks_mut((values / 2).max(1)).enumerate();
        threads::for_each(
            count * values,
            parts.collect(),
            scratch,
            |scratch, (index, to): (usize, &mut [Pair])| {
                part(scratch, index, &mut |values| join_panels(values, to));
            },
        );
        Some(Self {
            values: pairs,
            exists,
        })
    }

    /// Those of the values from an index on, a multiple of 32.
    pub fn from(&self, first: usize) -> PairsRef<'_> {
        PairsRef {
            values: &self.values[first / 2..],
            _exists: self.exists,
        }
    }
}
