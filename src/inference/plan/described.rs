//! What steps are and move, for those who look for time.

use super::step::{Step, Work};
use crate::kernels::inference::{Algorithm, Channels, Geometry, PackedConv, Reduction};

impl Step {
    /// How a convolution or a fully connected layer is computed.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.layer_of_weights().map(PackedConv::algorithm)
    }

    /// Values that it reads and writes for one image.
    pub fn values(&self) -> usize {
        let other = self.other.map_or(0, |other| other.values);
        let written = match &self.work {
            Work::Conv {
                layer, positions, ..
            } if !layer.is_pooled() => {
                layer
                    .geometry()
                    .output_shape()
                    .into_iter()
                    .product::<usize>()
                    * positions
            }
            // Read as well.
            Work::Copy(..) => self.from.values,
            _ => self.to.values,
        };
        self.from.values + other + written
    }

    /// Bytes of its weights.
    pub fn weight_bytes(&self) -> usize {
        let Some(layer) = self.layer_of_weights() else {
            return 0;
        };
        let values: usize = layer.geometry().weight_shape().into_iter().product();
        match layer.algorithm() {
            Algorithm::Direct | Algorithm::Depthwise => values * size_of::<f32>(),
            // Transformed, 16 values of 9.
            Algorithm::Winograd => values * 16 / 9 * size_of::<f32>(),
            Algorithm::Bf16 => values * size_of::<u16>(),
            Algorithm::WinogradBf16 => values * 16 / 9 * size_of::<u16>(),
        }
    }

    /// What it does, in words.
    pub fn described(&self) -> String {
        let values = self.to.values;
        match &self.work {
            Work::Conv {
                layer, positions, ..
            } => {
                let with = if self.other.is_some() {
                    " + residual"
                } else if layer.is_pooled() {
                    " + pool"
                } else {
                    ""
                };
                format!("{}{with}", convolution(layer.geometry(), *positions))
            }
            Work::Windows(windows) => {
                let kind = match windows.reduction {
                    Reduction::Largest => "max",
                    Reduction::Mean => "mean",
                };
                let (rows, columns) = (windows.rows.len(), windows.columns.len());
                format!("{kind} pool to {}x{rows}x{columns}", windows.channels)
            }
            Work::Means(channels) => format!("means of {channels} channels"),
            Work::Affine(_) => format!("factors and offsets of {values}"),
            Work::Activation(activation) => format!("{activation:?} of {values}"),
            Work::Add(_) => format!("sum of {values}"),
            Work::Scale(channels) => format!("factors of {channels} channels"),
            Work::Copy(count, Channels { step, .. }) => {
                format!("copy of {count} of {step} channels")
            }
            Work::ZeroPad { .. } => format!("zeros around, {values}"),
            Work::Rearrange(_) => format!("another order of {values}"),
            Work::LayerNorm { .. } => format!("layer norm of {values}"),
        }
    }

    fn layer_of_weights(&self) -> Option<&PackedConv> {
        match &self.work {
            Work::Conv { layer, .. } => Some(layer),
            _ => None,
        }
    }
}

fn convolution(g: &Geometry, positions: usize) -> String {
    let channels = format!("{} to {}", g.inputs, g.outputs);
    let [_, rows, columns, _] = g.output_shape();
    if rows * columns * g.kernel == 1 {
        return match positions {
            1 => format!("linear {channels}"),
            _ => format!("linear {channels}, {positions} positions"),
        };
    }
    let stride = match g.stride {
        1 => String::new(),
        stride => format!(" / {stride}"),
    };
    let channels = if g.groups == 1 {
        channels
    } else {
        format!("depthwise {}", g.outputs)
    };
    let kernel = g.kernel;
    format!("{kernel}x{kernel}{stride}, {channels}, {rows}x{columns}")
}
