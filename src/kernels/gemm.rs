//! The matrix product under the convolution: the `gemm` crate, which flex uses as well, behind a safe function.

use super::conv::Real;

/// A matrix in a slice: element `(row, column)` stands at `row * row_step + column * column_step`.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a, T> {
    pub values: &'a [T],
    pub rows: usize,
    pub columns: usize,
    pub row_step: usize,
    pub column_step: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// Row by row.
    pub fn rows(values: &'a [T], rows: usize, columns: usize) -> Self {
        Self {
            values,
            rows,
            columns,
            row_step: columns,
            column_step: 1,
        }
    }

    /// The same values with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self {
            values: self.values,
            rows: self.columns,
            columns: self.rows,
            row_step: self.column_step,
            column_step: self.row_step,
        }
    }

    fn check(&self) {
        let last = self.rows.saturating_sub(1) * self.row_step
            + self.columns.saturating_sub(1) * self.column_step;
        assert!(self.rows * self.columns == 0 || last < self.values.len());
    }
}

/// `out = left right`, or `out += left right` where `add`; `out` is row by row. On the calling thread alone, so that its
/// sums have one order.
pub(super) fn product<T: Real>(out: &mut [T], add: bool, left: Matrix<T>, right: Matrix<T>) {
    let (rows, columns, inner) = (left.rows, right.columns, left.columns);
    assert_eq!(inner, right.rows);
    assert_eq!(out.len(), rows * columns);
    left.check();
    right.check();
    // SAFETY: the asserts above hold every address that gemm computes (at most the last element of each matrix) inside its
    // slice, and `out` is borrowed mutably, so it overlaps neither operand.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr(),
            1,
            columns as isize,
            add,
            left.values.as_ptr(),
            left.column_step as isize,
            left.row_step as isize,
            right.values.as_ptr(),
            right.column_step as isize,
            right.row_step as isize,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
