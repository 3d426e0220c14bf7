//! The sizes of a convolution, and how its positions walk over padded images.

use crate::kernels::simd::PANEL;

/// The sizes of a convolution with a square kernel and the same stride and padding both ways; the padding is smaller than
/// the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Images.
    pub batch: usize,
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Input rows.
    pub height: usize,
    /// Input columns.
    pub width: usize,
    /// Rows and columns of the kernel.
    pub kernel: usize,
    /// Step of the kernel.
    pub stride: usize,
    /// Zeros around the image.
    pub padding: usize,
}

impl Geometry {
    /// Output rows.
    pub fn output_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Output columns.
    pub fn output_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// `[batch, rows, columns, outputs]`
    pub fn output_shape(&self) -> [usize; 4] {
        [
            self.batch,
            self.output_height(),
            self.output_width(),
            self.outputs,
        ]
    }

    /// `[batch, rows, columns, inputs]`
    pub fn input_shape(&self) -> [usize; 4] {
        [self.batch, self.height, self.width, self.inputs]
    }

    /// `[outputs, inputs, kernel, kernel]`
    pub fn weight_shape(&self) -> [usize; 4] {
        [self.outputs, self.inputs, self.kernel, self.kernel]
    }

    /// Values of one input image.
    pub(in crate::kernels) fn input_values(&self) -> usize {
        self.inputs * self.height * self.width
    }

    /// Values of one output image.
    pub(in crate::kernels) fn output_values(&self) -> usize {
        self.outputs * self.output_height() * self.output_width()
    }

    /// Multiply-adds of a forward pass.
    pub fn multiply_adds(&self) -> usize {
        self.batch * self.output_values() * self.patch()
    }

    /// Values of one patch.
    pub(super) fn patch(&self) -> usize {
        self.inputs * self.kernel * self.kernel
    }

    /// Whether an image already is its padded grid.
    pub(super) fn is_unpadded(&self) -> bool {
        self.padding == 0
    }

    /// How the output's positions walk over the padded image.
    pub(super) fn walk(&self) -> Walk {
        let pitch = (self.width + 2 * self.padding) * self.inputs;
        Walk {
            runs: self.kernel,
            run: self.kernel * self.inputs,
            pitch,
            step: self.stride * self.inputs,
            row_step: self.stride * pitch,
        }
    }

    /// How the input's positions walk over the grid of the output's gradient.
    pub(super) fn walk_back(&self) -> Walk {
        let outputs = padded(self.outputs);
        let pitch = (self.width + self.kernel - 1) * outputs;
        Walk {
            runs: self.kernel,
            run: self.kernel * outputs,
            pitch,
            step: outputs,
            row_step: pitch,
        }
    }

    /// The grid that the output's gradient is put into.
    pub(super) fn gradient_grid(&self, with_input: bool) -> GradientGrid {
        let channels = padded(self.outputs);
        match with_input {
            true => GradientGrid {
                rows: self.height + self.kernel - 1,
                columns: self.width + self.kernel - 1,
                border: self.kernel - 1 - self.padding,
                stride: self.stride,
                channels,
            },
            false => GradientGrid {
                rows: self.output_height(),
                columns: self.output_width(),
                border: 0,
                stride: 1,
                channels,
            },
        }
    }
}

/// Where the gradients of an output's positions lie. For the input's gradient they stand as far apart as the kernel steps,
/// with zeros between and around them, so that the mirrored kernel walks over them; else side by side.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct GradientGrid {
    rows: usize,
    columns: usize,
    border: usize,
    stride: usize,
    pub(super) channels: usize,
}

impl GradientGrid {
    pub(super) fn values(&self) -> usize {
        self.rows * self.columns * self.channels
    }

    /// Where the gradient of output `(row, column)` starts.
    #[inline(always)]
    pub(in crate::kernels) fn place(&self, row: usize, column: usize) -> usize {
        let row = self.border + row * self.stride;
        (row * self.columns + self.border + column * self.stride) * self.channels
    }
}

/// Channels in whole panels.
pub(in crate::kernels) fn padded(channels: usize) -> usize {
    channels.next_multiple_of(PANEL)
}

/// How positions walk over a grid: a patch is `runs` pieces of `run` values, each in a row of its own.
#[derive(Clone, Copy)]
pub(super) struct Walk {
    pub runs: usize,
    pub run: usize,
    /// From one row of the grid to the next.
    pub pitch: usize,
    /// From one position to the next in its row.
    pub step: usize,
    /// From one row of positions to the next.
    pub row_step: usize,
}

impl Walk {
    pub(super) fn depth(&self) -> usize {
        self.runs * self.run
    }

    /// Whether all patches of so many positions lie in `values` values.
    pub(super) fn fits(&self, rows: usize, columns: usize, values: usize) -> bool {
        rows * columns * self.depth() == 0
            || (rows - 1) * self.row_step
                + (columns - 1) * self.step
                + (self.runs - 1) * self.pitch
                + self.run
                <= values
    }
}
