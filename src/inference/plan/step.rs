//! The steps of a plan.

use crate::kernels::Activation;
use crate::kernels::inference::{
    self, Affine, Channels, PackedConv, Team, Windows, activate, add, channel_means, scale_channels,
};

/// What a step reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operand {
    /// Index of the buffer; while a plan is compiled, of the value.
    pub buffer: usize,
    /// Values of one image.
    pub values: usize,
}

/// What a step does.
pub enum Work {
    /// A convolution, or a fully connected layer with as many positions as an image has; fills some channels.
    Conv {
        layer: PackedConv,
        channels: Channels,
        /// Positions of an image, for fully connected layers; 1 for convolutions.
        positions: usize,
    },
    /// A pool.
    Windows(Windows),
    /// The mean of each of so many channels.
    Means(usize),
    /// A factor and an offset for each channel.
    Affine(Affine),
    /// A function of each value.
    Activation(Activation),
    /// The sum with another buffer and a function of it.
    Add(Activation),
    /// Factors from another buffer for each of so many channels.
    Scale(usize),
    /// Copies all channels to some of the output's.
    Copy(usize, Channels),
    /// Puts zeros around the maps of an image: `[rows, columns, channels]`, zeros above, below, left and right.
    ZeroPad { maps: [usize; 3], edges: [usize; 4] },
    /// Takes for each value of an image's output the one with this index.
    Rearrange(Vec<u32>),
    /// Normalizes each position's values (Ba, Kiros and Hinton 2016).
    LayerNorm {
        weight: Vec<f32>,
        bias: Vec<f32>,
        epsilon: f64,
    },
}

/// A step: what it does, and with which buffers.
pub struct Step {
    /// Name of the first layer that it computes.
    pub layer: String,
    pub work: Work,
    pub from: Operand,
    /// What is added, or the factors.
    pub other: Option<Operand>,
    pub to: Operand,
}

impl Step {
    /// Multiply-adds of one image.
    pub fn multiply_adds(&self) -> usize {
        match &self.work {
            Work::Conv {
                layer, positions, ..
            } => layer.multiply_adds() * positions,
            _ => 0,
        }
    }

    /// Runs it for a batch: `input` and `other` are those of all images.
    pub fn run(
        &self,
        batch: usize,
        input: &[f32],
        other: Option<&[f32]>,
        output: &mut [f32],
        team: &Team,
    ) {
        match (&self.work, other) {
            (
                Work::Conv {
                    layer,
                    channels,
                    positions,
                },
                other,
            ) => layer.run(batch * positions, input, other, *channels, output, team),
            (Work::Windows(windows), _) => windows.run(batch, input, output, team),
            (Work::Means(channels), _) => channel_means(batch, *channels, input, output, team),
            (Work::Affine(affine), _) => affine.run(input, output),
            (Work::Activation(activation), _) => activate(input, *activation, output),
            (Work::Add(activation), Some(other)) => add(input, other, *activation, output),
            (Work::Scale(channels), Some(factors)) => {
                scale_channels(input, *channels, factors, output, team);
            }
            (Work::Copy(count, Channels { first, step }), _) => {
                for (to, from) in output
                    .chunks_exact_mut(*step)
                    .zip(input.chunks_exact(*count))
                {
                    to[*first..first + count].copy_from_slice(from);
                }
            }
            (Work::ZeroPad { maps, edges }, _) => zero_pad(*maps, *edges, input, output),
            (Work::Rearrange(order), _) => {
                let image = (input.len() / batch.max(1)).max(1);
                let images = input.chunks_exact(image);
                for (to, from) in output.chunks_exact_mut(order.len().max(1)).zip(images) {
                    for (to, &index) in to.iter_mut().zip(order) {
                        *to = from[index as usize];
                    }
                }
            }
            (
                Work::LayerNorm {
                    weight,
                    bias,
                    epsilon,
                },
                _,
            ) => inference::layer_norm(input, [weight, bias], *epsilon, output),
            (Work::Add(_) | Work::Scale(_), None) => unreachable!("these steps have two inputs"),
        }
    }
}

/// Images `[rows, columns, channels]` with zeros above, below, left and right.
fn zero_pad(
    [rows, columns, channels]: [usize; 3],
    [top, bottom, left, right]: [usize; 4],
    input: &[f32],
    output: &mut [f32],
) {
    let (row, wide) = (columns * channels, (left + columns + right) * channels);
    let images = output.chunks_exact_mut((top + rows + bottom) * wide);
    for (to, image) in images.zip(input.chunks_exact(rows * row)) {
        to.fill(0.0);
        let lines = to.chunks_exact_mut(wide).skip(top);
        for (to, line) in lines.zip(image.chunks_exact(row)) {
            to[left * channels..][..row].copy_from_slice(line);
        }
    }
}
