//! Pools: the largest value or the mean of windows.

use std::ops::Range;

use super::team::Team;
use crate::kernels::simd::widest;

/// What becomes of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// The largest value; NaN if there is one.
    Largest,
    /// The sum over [`Windows::divisor`].
    Mean,
}

/// A pool of one image: the rows and columns that each output sees.
#[derive(Clone, Debug)]
pub struct Windows {
    /// Input columns.
    pub width: usize,
    /// Channels.
    pub channels: usize,
    /// Input rows of each output row, at least one each.
    pub rows: Vec<Range<usize>>,
    /// Input columns of each output column, at least one each.
    pub columns: Vec<Range<usize>>,
    /// What becomes of a window.
    pub reduction: Reduction,
    /// Divisors of means by output row and column: their product is that of the window.
    pub divisors: [Vec<usize>; 2],
}

impl Windows {
    /// Values of the output of one image.
    pub fn output_values(&self) -> usize {
        self.rows.len() * self.columns.len() * self.channels
    }

    /// The divisor of the mean of a window.
    pub fn divisor(&self, row: usize, column: usize) -> f32 {
        (self.divisors[0][row] * self.divisors[1][column]) as f32
    }

    /// Comparisons or sums of one image.
    fn work(&self) -> usize {
        let sides = [&self.rows, &self.columns];
        let [rows, columns] = sides.map(|side| side.iter().map(Range::len).sum::<usize>());
        rows * columns * self.channels
    }

    /// Writes `[batch, rows, columns, channels]` from the images `[batch, input rows, input columns, channels]`.
    pub fn run(&self, batch: usize, input: &[f32], output: &mut [f32], team: &Team) {
        let row = self.columns.len() * self.channels;
        let image = input.len() / batch.max(1);
        let jobs = output
            .chunks_exact_mut(row.max(1))
            .enumerate()
            .map(|(index, to)| {
                let (number, row) = (index / self.rows.len(), index % self.rows.len());
                (&input[number * image..(number + 1) * image], row, to)
            });
        if team.parts(batch * self.work()) > 1 {
            team.for_each(
                jobs.collect(),
                |(input, row, to): (&[f32], usize, &mut [f32])| {
                    self.row(input, row, to);
                },
            );
        } else {
            jobs.for_each(|(input, row, to)| self.row(input, row, to));
        }
    }

    /// A row of windows.
    fn row(&self, image: &[f32], row: usize, output: &mut [f32]) {
        let pitch = self.width * self.channels;
        let rows = self.rows[row].clone();
        let channels = self.channels;
        widest::<f32, _>(
            #[inline(always)]
            || {
                let outputs = output.chunks_exact_mut(channels).zip(&self.columns);
                for (column, (to, columns)) in outputs.enumerate() {
                    for (number, row) in rows.clone().enumerate() {
                        let at = row * pitch + columns.start * channels;
                        let line = &image[at..at + columns.len() * channels];
                        for (place, values) in line.chunks_exact(channels).enumerate() {
                            match self.reduction {
                                _ if number + place == 0 => to.copy_from_slice(values),
                                Reduction::Largest => larger(to, values),
                                Reduction::Mean => sum(to, values),
                            }
                        }
                    }
                    if self.reduction == Reduction::Mean {
                        let divisor = self.divisor(row, column);
                        to.iter_mut().for_each(|value| *value /= divisor);
                    }
                }
            },
        );
    }
}

#[inline(always)]
fn larger(to: &mut [f32], values: &[f32]) {
    for (to, &value) in to.iter_mut().zip(values) {
        // Of two comparisons with NaN, one lets it in and the other keeps it.
        let is_kept = *to >= value || to.is_nan();
        *to = if is_kept { *to } else { value };
    }
}

#[inline(always)]
fn sum(to: &mut [f32], values: &[f32]) {
    for (to, &value) in to.iter_mut().zip(values) {
        *to += value;
    }
}
