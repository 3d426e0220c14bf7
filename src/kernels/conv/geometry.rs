//! The sizes of a convolution, and how its patches are read from padded images.

use super::grid::{GradientGrid, Patches};
use crate::kernels::operators::ComputePrecision;
use crate::kernels::simd::padded;

/// How a square kernel moves over an image, and which channels it sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvOptions {
    /// Step of the kernel, both ways.
    pub stride: usize,
    /// Zeros on all sides of the image; less than the kernel.
    pub padding: usize,
    /// Groups of channels, each convolved by itself; divides the input's and the output's channels.
    pub groups: usize,
}

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
    /// Groups of channels, each convolved by itself: 1, or as many as there are channels (depthwise).
    pub groups: usize,
    /// That of the products, where [`in_bf16`](Self::in_bf16) allows another than 32 bits.
    pub precision: ComputePrecision,
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

    /// `[outputs, inputs / groups, kernel, kernel]`
    pub fn weight_shape(&self) -> [usize; 4] {
        let inputs = self.inputs / self.groups;
        [self.outputs, inputs, self.kernel, self.kernel]
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
        self.batch * self.output_values() * self.patch_values()
    }

    /// Values of one patch.
    pub(in crate::kernels) fn patch_values(&self) -> usize {
        self.inputs / self.groups * self.kernel * self.kernel
    }

    /// Whether its products are in bfloat16: those of a dense convolution whose patches begin an even number of values apart, since values are taken two
    /// at a time.
    pub fn in_bf16(&self) -> bool {
        let steps = [self.stride, self.width + 2 * self.padding];
        self.precision == ComputePrecision::Bf16
            && self.groups == 1
            && self.inputs > 1
            && steps
                .iter()
                .all(|step| (step * self.inputs).is_multiple_of(2))
    }

    /// Whether it is a product of matrices: each position is all that its output depends on.
    pub(in crate::kernels) fn is_pixelwise(&self) -> bool {
        self.kernel == 1 && self.stride == 1 && self.groups == 1
    }

    /// The same positions as one image, where no position sees its neighbours.
    pub(in crate::kernels) fn merged(self) -> Self {
        if self.is_pixelwise() {
            Self {
                batch: 1,
                height: self.batch * self.height,
                ..self
            }
        } else {
            self
        }
    }

    /// [`merged`](Self::merged), with the positions below each other, so that parts may end within a row.
    pub(in crate::kernels) fn in_one_column(self) -> Self {
        if self.is_pixelwise() {
            Self {
                batch: 1,
                height: self.batch * self.height * self.width,
                width: 1,
                ..self
            }
        } else {
            self
        }
    }

    /// Whether an image already is its padded grid.
    pub(super) fn is_unpadded(&self) -> bool {
        self.padding == 0
    }

    /// The patches of the output's positions in the padded image.
    pub(in crate::kernels) fn patches(&self) -> Patches {
        let pitch = (self.width + 2 * self.padding) * self.inputs;
        Patches {
            runs: self.kernel,
            run: self.kernel * self.inputs,
            pitch,
            step: self.stride * self.inputs,
            row_step: self.stride * pitch,
        }
    }

    /// The patches of the input's positions in the grid of the output's gradient.
    pub(super) fn gradient_patches(&self) -> Patches {
        let outputs = padded(self.outputs);
        let pitch = (self.width + self.kernel - 1) * outputs;
        Patches {
            runs: self.kernel,
            run: self.kernel * outputs,
            pitch,
            step: outputs,
            row_step: pitch,
        }
    }

    /// The grid that the output's gradient is written into.
    pub(in crate::kernels) fn gradient_grid(&self, with_input: bool) -> GradientGrid {
        let channels = padded(self.outputs);
        if with_input {
            GradientGrid {
                rows: self.height + self.kernel - 1,
                columns: self.width + self.kernel - 1,
                border: self.kernel - 1 - self.padding,
                stride: self.stride,
                channels,
            }
        } else {
            GradientGrid {
                rows: self.output_height(),
                columns: self.output_width(),
                border: 0,
                stride: 1,
                channels,
            }
        }
    }
}
