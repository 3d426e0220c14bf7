//! What follows the ReLU of a block.

use crate::kernels::conv::Geometry;

/// What follows the ReLU of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// Nothing.
    None,
    /// 2x2 max pool; an odd last row or column is left out, as in Burn and PyTorch.
    Halve,
}

impl Pool {
    /// Rows and columns of a window.
    pub(in crate::kernels) fn side(self) -> usize {
        match self {
            Pool::None => 1,
            Pool::Halve => 2,
        }
    }

    /// `[batch, rows, columns, outputs]` after the pool.
    pub(in crate::kernels) fn output_shape(self, g: &Geometry) -> [usize; 4] {
        let [batch, rows, columns, outputs] = g.output_shape();
        [batch, rows / self.side(), columns / self.side(), outputs]
    }
}
