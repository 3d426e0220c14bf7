//! The phases of a stride: which taps of a kernel reach an input position, and from which outputs.

use super::geometry::Geometry;
use crate::kernels::simd::Real;

/// The input positions along a side that a stride apart see the same taps.
pub(in crate::kernels) struct Phase {
    /// First position.
    pub start: usize,
    pub count: usize,
    /// The kernel's rows (or columns) that reach it, in the order of the output's positions.
    pub taps: Vec<usize>,
    /// The output's position under the first tap at `start`; negative in the padding.
    pub first: isize,
}

/// The phases of a side of `side` positions; together they have each position once.
fn phases(side: usize, g: &Geometry) -> Vec<Phase> {
    let (kernel, stride, padding) = (g.kernel, g.stride, g.padding);
    let phase = |tap: usize| {
        // The position `start + padding` is `stride * output + tap`.
        let output = padding.saturating_sub(tap).div_ceil(stride);
        let start = stride * output + tap - padding;
        let taps: Vec<usize> = (tap..kernel).step_by(stride).collect();
        Phase {
            start,
            count: side.saturating_sub(start).div_ceil(stride),
            first: output as isize + 1 - taps.len() as isize,
            taps: taps.into_iter().rev().collect(),
        }
    };
    (0..stride)
        .map(phase)
        .filter(|phase| phase.count > 0)
        .collect()
}

/// The padding before and after a side of `outputs` positions that the phases see.
fn border(phases: &[Phase], outputs: usize) -> (usize, usize) {
    let (mut before, mut behind) = (0, 0);
    for phase in phases.iter().filter(|phase| !phase.taps.is_empty()) {
        let end = phase.first + (phase.taps.len() + phase.count - 1) as isize;
        before = before.max(-phase.first);
        behind = behind.max(end - outputs as isize);
    }
    (before.max(0) as usize, behind.max(0) as usize)
}

/// The phases of an image's rows and columns, and the zeros around the output's gradient that they see.
pub(in crate::kernels) struct Phases {
    pub rows: Vec<Phase>,
    pub columns: Vec<Phase>,
    above: usize,
    below: usize,
    left: usize,
    right: usize,
}

impl Phases {
    pub(in crate::kernels) fn new(g: &Geometry) -> Self {
        let (rows, columns) = (phases(g.height, g), phases(g.width, g));
        let (above, below) = border(&rows, g.output_height());
        let (left, right) = border(&columns, g.output_width());
        Self {
            rows,
            columns,
            above,
            below,
            left,
            right,
        }
    }

    /// Each phase of the rows with each of the columns.
    pub(in crate::kernels) fn pairs(&self) -> impl Iterator<Item = (&Phase, &Phase)> {
        let columns = &self.columns;
        self.rows
            .iter()
            .flat_map(move |row| columns.iter().map(move |column| (row, column)))
    }

    /// Values of a row of the output's gradient with the zeros around it.
    pub(in crate::kernels) fn pitch(&self, g: &Geometry) -> usize {
        (self.left + g.output_width() + self.right) * g.outputs
    }

    /// Where the first patch of a pair of phases lies in [`bordered`](Self::bordered).
    pub(in crate::kernels) fn origin(&self, g: &Geometry, row: &Phase, column: &Phase) -> usize {
        let first = |border: usize, phase: &Phase| (border as isize + phase.first) as usize;
        first(self.above, row) * self.pitch(g) + first(self.left, column) * g.outputs
    }

    /// An image of the output's gradient with zeros around it.
    pub(in crate::kernels) fn bordered<'a, T: Real>(
        &self,
        g: &Geometry,
        gradient: &'a [T],
        grid: &'a mut Vec<T>,
    ) -> &'a [T] {
        if self.above + self.below + self.left + self.right == 0 {
            return gradient;
        }
        let row = g.output_width() * g.outputs;
        let pitch = self.pitch(g);
        grid.clear();
        grid.resize(
            (self.above + g.output_height() + self.below) * pitch,
            T::ZERO,
        );
        let rows = grid[self.above * pitch..].chunks_exact_mut(pitch);
        for (to, from) in rows.zip(gradient.chunks_exact(row)) {
            to[self.left * g.outputs..][..row].copy_from_slice(from);
        }
        grid
    }
}
