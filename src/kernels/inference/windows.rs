//! Pools: the largest value or the mean of windows.

use std::ops::Range;

use pulp::{Scalar, Simd, WithSimd};

use super::team::Team;
use crate::kernels::memory::array;
use crate::kernels::simd::{Real, lanes, load, put};

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
        f32::dispatch(Row {
            windows: self,
            image,
            row,
            output,
        });
    }
}

/// A row of windows at work.
struct Row<'a> {
    windows: &'a Windows,
    image: &'a [f32],
    row: usize,
    output: &'a mut [f32],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (windows, lanes) = (self.windows, lanes::<S, f32>());
        let pitch = windows.width * windows.channels;
        let rows = &windows.rows[self.row];
        assert!(!rows.is_empty() && rows.end * pitch <= self.image.len());
        assert_eq!(self.output.len(), windows.columns.len() * windows.channels);
        for column in 0..windows.columns.len() {
            let columns = &windows.columns[column];
            assert!(!columns.is_empty() && columns.end <= windows.width);
            let mut channel = 0;
            while channel + 4 * lanes <= windows.channels {
                self.window::<S, 4>(simd, column, channel);
                channel += 4 * lanes;
            }
            while channel + lanes <= windows.channels {
                self.window::<S, 1>(simd, column, channel);
                channel += lanes;
            }
            for channel in channel..windows.channels {
                self.window::<Scalar, 1>(Scalar::new(), column, channel);
            }
        }
    }
}

impl Row<'_> {
    /// `V` registers of channels of a window, of which it has at least one value.
    #[inline(always)]
    #[allow(unsafe_code)]
    fn window<S: Simd, const V: usize>(&mut self, simd: S, column: usize, channel: usize) {
        let (windows, lanes) = (self.windows, lanes::<S, f32>());
        let (rows, columns) = (&windows.rows[self.row], &windows.columns[column]);
        let is_largest = windows.reduction == Reduction::Largest;
        // SAFETY: `with_simd` asserted that the window lies in the image; the registers from `channel` on lie within the channels.
        let values = |row: usize, column: usize| -> [<f32 as Real>::Vector<S>; V] {
            let at = (row * windows.width + column) * windows.channels + channel;
            unsafe { array(|v| load::<S, f32>(self.image.as_ptr().add(at + v * lanes))) }
        };
        let mut found = values(rows.start, columns.start);
        for row in rows.clone() {
            let first = columns.start + usize::from(row == rows.start);
            for column in first..columns.end {
                let more = values(row, column);
                found = array(|v| {
                    if is_largest {
                        larger(simd, found[v], more[v])
                    } else {
                        f32::plus(simd, found[v], more[v])
                    }
                });
            }
        }
        let to = &mut self.output[column * windows.channels + channel..][..V * lanes];
        for (v, found) in found.into_iter().enumerate() {
            put::<S, f32>(to, v * lanes, found);
        }
        if !is_largest {
            let divisor = windows.divisor(self.row, column);
            to.iter_mut().for_each(|value| *value /= divisor);
        }
    }
}

/// The larger one of each lane; NaN if either is.
#[inline(always)]
fn larger<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
    let larger = f32::select(simd, f32::greater(simd, b, a), b, a);
    // Only NaN differs from itself.
    f32::select(simd, f32::equal(simd, b, b), larger, b)
}
