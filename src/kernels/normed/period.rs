//! Values per channel, repeated until they fill whole registers, so that passes may go over positions and channels as one
//! run of values.

use crate::kernels::simd::{PANEL, Real};

/// How many values a table of values per channel has.
#[derive(Clone, Copy)]
pub(super) struct Period {
    channels: usize,
    length: usize,
}

impl Period {
    pub(super) fn new(channels: usize) -> Self {
        /// Values of a table at least: less, and the loop over it costs more than its work.
        const SHORTEST: usize = 8 * PANEL;
        /// Values of a table at most, which share the first-level cache with others.
        const LONGEST: usize = 1 << 11;
        let registers = channels / greatest_common_divisor(channels, PANEL) * PANEL;
        let whole = registers * SHORTEST.div_ceil(registers);
        let length = if whole <= LONGEST { whole } else { channels };
        Self { channels, length }
    }

    /// Values of a table, a multiple of the channels.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// A table of a value for each channel.
    pub(super) fn repeated<T: Real>(&self, values: &[T]) -> Vec<T> {
        assert_eq!(values.len(), self.channels);
        values.repeat(self.length / self.channels)
    }

    /// The sum for each channel of the values of a table, in order.
    pub(super) fn folded(&self, table: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.channels];
        for values in table.chunks_exact(self.channels) {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value;
            }
        }
        sums
    }
}

fn greatest_common_divisor(mut a: usize, mut b: usize) -> usize {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}
