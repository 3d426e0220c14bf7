//! Where patches and gradients lie in the grids that convolutions read.

/// Where the gradients of an output's positions lie. For the input's gradient they are a stride apart,
/// with zeros between and around them, so that the mirrored kernel can be applied to them; else side by side.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct GradientGrid {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) border: usize,
    pub(super) stride: usize,
    pub(super) channels: usize,
}

impl GradientGrid {
    pub(super) fn values(&self) -> usize {
        self.rows * self.columns * self.channels
    }

    /// From one output to the next in its row, and from one row of outputs to the next.
    pub(super) fn steps(&self) -> [usize; 2] {
        let step = self.stride * self.channels;
        [step, step * self.columns]
    }

    /// The index at which the gradient of output `(row, column)` starts.
    #[inline(always)]
    pub(in crate::kernels) fn index(&self, row: usize, column: usize) -> usize {
        let row = self.border + row * self.stride;
        (row * self.columns + self.border + column * self.stride) * self.channels
    }
}

/// Where the patches of positions lie in a grid: a patch is `runs` pieces of `run` values, each in a row of its own.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Patches {
    pub runs: usize,
    pub run: usize,
    /// From one row of the grid to the next.
    pub pitch: usize,
    /// From one position to the next in its row.
    pub step: usize,
    /// From one row of positions to the next.
    pub row_step: usize,
}

impl Patches {
    pub(in crate::kernels) fn depth(&self) -> usize {
        self.runs * self.run
    }

    /// Whether all patches of this many positions lie in `values` values.
    pub(in crate::kernels) fn lie_within(
        &self,
        rows: usize,
        columns: usize,
        values: usize,
    ) -> bool {
        self.extent(rows, columns) <= values
    }

    /// Values up to the end of the last patch of this many positions.
    pub(in crate::kernels) fn extent(&self, rows: usize, columns: usize) -> usize {
        if rows * columns * self.depth() == 0 {
            return 0;
        }
        (rows - 1) * self.row_step
            + (columns - 1) * self.step
            + (self.runs - 1) * self.pitch
            + self.run
    }
}
