//! Convolutions and fully connected layers whose weights were packed once.

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::team::Team;
use crate::kernels::activation::{Activation, Epilogue, activate, activate_channels};
use crate::kernels::block::{Pool, relu_pool};
use crate::kernels::conv::{Geometry, Panels, convolve_rows, in_panels, multiply, padded_rows};
use crate::kernels::engine::{Forward, Part, Scratch, small_parts};
use crate::kernels::memory::as_room;
use crate::kernels::normed::add_and_activate;
use crate::kernels::operators::ComputePrecision;
use crate::kernels::simd::padded;

/// Which channels of its output a layer writes: those from `first` on, of `step` in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// The first of them.
    pub first: usize,
    /// Channels of the output.
    pub step: usize,
}

impl Channels {
    /// All channels of an output with so many.
    pub fn all(count: usize) -> Self {
        Self {
            first: 0,
            step: count,
        }
    }
}

/// How a convolution or a fully connected layer is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Sums of products in 32 bits.
    Direct,
    /// Winograd's F(2x2, 3x3): 16 multiplications for four outputs instead of 36.
    Winograd,
    /// A kernel for each channel.
    Depthwise,
    /// Sums in 32 bits of products of bfloat16 values.
    Bf16,
    /// Winograd's with products of bfloat16 values.
    WinogradBf16,
}

/// Channels that are computed together where threads share them.
pub(super) const CHANNELS: usize = 64;

/// A convolution, its bias, a residual, the non-linearity, and a 2x2 max pool if there is one.
pub struct PackedConv {
    /// Of one image.
    geometry: Geometry,
    weights: Forward<f32>,
    /// Filled up to whole panels.
    bias: Vec<f32>,
    pub(super) activation: Activation,
    pub(super) pool: Pool,
}

/// Buffers of threads that have ended, a few megabytes each.
static IDLE: Mutex<Vec<Scratch<f32>>> = Mutex::new(Vec::new());

fn idle() -> MutexGuard<'static, Vec<Scratch<f32>>> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread's buffers, which are for others when it ends. Threads that took turns with them would wait for each other's caches.
#[derive(Default)]
struct Own(Scratch<f32>);

impl Drop for Own {
    fn drop(&mut self) {
        idle().push(std::mem::take(&mut self.0));
    }
}

thread_local! {
    static OWN: Cell<Option<Own>> = const { Cell::new(None) };
}

pub(super) fn with_scratch<R>(job: impl FnOnce(&mut Scratch<f32>) -> R) -> R {
    let new = || idle().pop().map(Own).unwrap_or_default();
    let mut own = OWN.take().unwrap_or_else(new);
    let found = job(&mut own.0);
    OWN.set(Some(own));
    found
}

impl PackedConv {
    /// Of one image, dense or depthwise: packs `[outputs, inputs / groups, kernel, kernel]`, times `scale` of the output channel, and `[outputs]`.
    pub fn new(
        geometry: Geometry,
        weight: &[f32],
        scale: Option<&[f32]>,
        bias: &[f32],
        activation: Activation,
    ) -> Self {
        assert_eq!(
            weight.len(),
            geometry.weight_shape().into_iter().product::<usize>()
        );
        assert_eq!(bias.len(), geometry.outputs);
        Self {
            geometry,
            weights: Forward::new(&geometry, weight, scale),
            bias: in_panels(bias),
            activation,
            pool: Pool::None,
        }
    }

    /// A fully connected layer: packs `[outputs, inputs]` and `[outputs]`.
    pub fn linear(
        inputs: usize,
        weight: &[f32],
        bias: &[f32],
        activation: Activation,
        precision: ComputePrecision,
    ) -> Self {
        let geometry = Geometry {
            batch: 1,
            inputs,
            outputs: bias.len(),
            height: 1,
            width: 1,
            kernel: 1,
            stride: 1,
            padding: 0,
            groups: 1,
            precision,
        };
        Self::new(geometry, weight, None, bias, activation)
    }

    /// The same with a 2x2 max pool behind it, which leaves out an odd last row or column; `None` if what is before the pool is no ReLU.
    pub fn pooled(mut self) -> Option<Self> {
        if self.activation != Activation::Relu {
            return None;
        }
        self.pool = Pool::Halve;
        Some(self)
    }

    /// Multiply-adds of one image.
    pub fn multiply_adds(&self) -> usize {
        self.geometry.multiply_adds()
    }

    /// Whether a pool is behind it: it then writes all channels of its output, and adds no residual.
    pub fn is_pooled(&self) -> bool {
        self.pool != Pool::None
    }

    /// Sizes for one image.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// How it is computed.
    pub fn algorithm(&self) -> Algorithm {
        let in_bf16 = self.geometry.in_bf16();
        match &self.weights {
            Forward::Dense(_) if in_bf16 => Algorithm::Bf16,
            Forward::Dense(_) => Algorithm::Direct,
            Forward::Winograd(_) if in_bf16 => Algorithm::WinogradBf16,
            Forward::Winograd(_) => Algorithm::Winograd,
            Forward::Depthwise(_) => Algorithm::Depthwise,
        }
    }

    /// Output channels.
    pub fn outputs(&self) -> usize {
        self.geometry.outputs
    }

    /// Writes `[batch, rows, columns, channels]`, of which it fills `channels`, from `[batch, rows, columns, inputs]`; the residual has the
    /// output's shape. The bits depend on neither the threads nor the batch.
    pub fn run(
        &self,
        batch: usize,
        input: &[f32],
        residual: Option<&[f32]>,
        channels: Channels,
        output: &mut [f32],
        team: &Team,
    ) {
        let mut g = Geometry {
            batch,
            ..self.geometry
        };
        if self.pool == Pool::None {
            g = g.in_one_column();
        }
        let least = team.parts(g.multiply_adds());
        if g.is_pixelwise()
            && g.height * g.width == 1
            && residual.is_none()
            && least > 1
            && let Forward::Dense(weights) = &self.weights
        {
            self.one_position(weights, input, channels, output, team);
            return;
        }
        let layer = Layer {
            layer: self,
            g,
            input,
            residual,
            channels,
        };
        if least > 1 && layer.shares_channels() {
            layer.by_channels(least, output, team);
            return;
        }
        let side = self.pool.side();
        let row = g.output_width() / side * channels.step;
        let is_winograd = matches!(self.weights, Forward::Winograd(_));
        let mut left = output;
        let parts = small_parts(&g, is_winograd, side, least)
            .into_iter()
            .map(|part| {
                let rows = part.rows.end / side - part.rows.start / side;
                let (head, tail) =
                    std::mem::take(&mut left).split_at_mut(part.images.len() * rows * row);
                left = tail;
                (part, head)
            });
        if least > 1 {
            team.for_each(parts.collect(), |(part, output): (Part, &mut [f32])| {
                with_scratch(|scratch| layer.part(&part, output, scratch));
            });
        } else {
            with_scratch(|scratch| parts.for_each(|(part, to)| layer.part(&part, to, scratch)));
        }
    }

    /// [`run`](Self::run) for a single position: threads share its channels.
    fn one_position(
        &self,
        weights: &Panels<f32>,
        input: &[f32],
        channels: Channels,
        output: &mut [f32],
        team: &Team,
    ) {
        let output = &mut output[channels.first..channels.first + self.geometry.outputs];
        let parts = team.parts(self.geometry.multiply_adds());
        let size = output.len().div_ceil(parts).next_multiple_of(CHANNELS);
        let parts = output.chunks_mut(size).enumerate().collect();
        team.for_each(parts, |(index, output): (usize, &mut [f32])| {
            let first = index * size;
            let (bounds, activation) = self.activation.in_parts();
            let epilogue = Epilogue {
                bias: &self.bias[first..first + padded(output.len())],
                bounds,
            };
            let (count, weights) = (output.len(), weights.at_channel(first));
            multiply(1, input, weights, epilogue, output, 0..count);
            activate(output, activation);
        });
    }

    /// Whether it can write some of its output's channels.
    fn writes_some_channels(&self) -> bool {
        matches!(self.weights, Forward::Dense(_))
    }
}

/// A layer at work.
pub(super) struct Layer<'a> {
    pub layer: &'a PackedConv,
    pub g: Geometry,
    pub input: &'a [f32],
    pub residual: Option<&'a [f32]>,
    pub channels: Channels,
}

impl Layer<'_> {
    /// The part of the non-linearity that is applied to sums as they are written, and what is left to do: all of it, where a residual is added
    /// before, or a pool does it.
    fn activation_in_parts(&self) -> (Option<[f32; 2]>, Activation) {
        let activation = self.layer.activation;
        if self.residual.is_none() && self.layer.pool == Pool::None {
            activation.in_parts()
        } else {
            (None, activation)
        }
    }

    /// What is left to do after [`rows`](Self::rows).
    pub(super) fn activation_left(&self) -> Activation {
        self.activation_in_parts().1
    }

    /// Some rows of the output of an image, or the output of several, within bounds: the `g.outputs` channels from `first` on, which begins a
    /// panel.
    pub(super) fn rows<'a>(
        &self,
        g: &Geometry,
        images: &[f32],
        rows: Range<usize>,
        first: usize,
        scratch: &mut Scratch<f32>,
        output: &'a mut [MaybeUninit<f32>],
    ) -> &'a mut [f32] {
        let epilogue = Epilogue {
            bias: &self.layer.bias[first..first + padded(g.outputs)],
            bounds: self.activation_in_parts().0,
        };
        self.layer
            .weights
            .rows(g, images, rows, first, epilogue, scratch, output)
    }

    #[allow(unsafe_code)]
    fn part(&self, part: &Part, output: &mut [f32], scratch: &mut Scratch<f32>) {
        let (layer, g) = (self.layer, &self.g);
        let (images, rows) = (part.of(g, self.input), part.rows.clone());
        let residual = self.residual.map(|values| &values[part.values(g)]);
        if layer.pool == Pool::None && self.channels.step == g.outputs {
            // SAFETY: the layer writes values alone.
            let room = unsafe { as_room(output) };
            let filled = self.rows(g, images, rows, 0, scratch, room);
            add_and_activate(filled, residual, self.activation_left());
            return;
        }
        if layer.pool == Pool::None && residual.is_none() && layer.writes_some_channels() {
            self.among_others(images, rows, output, scratch);
            return;
        }
        let mut values = std::mem::take(&mut scratch.values);
        let count = part.values(g).len();
        if values.len() < count {
            values.resize(count, MaybeUninit::uninit());
        }
        let room = &mut values[..count];
        let filled = self.rows(g, images, rows, 0, scratch, room);
        if layer.pool == Pool::None {
            add_and_activate(filled, residual, self.activation_left());
            let Channels { first, step } = self.channels;
            let positions = filled.chunks_exact(g.outputs);
            for (to, from) in output.chunks_exact_mut(step).zip(positions) {
                to[first..first + g.outputs].copy_from_slice(from);
            }
        } else {
            let count = part.images.len().max(1);
            let (from, to) = (filled.len() / count, output.len() / count);
            if to > 0 {
                let images = filled.chunks_exact(from).zip(output.chunks_exact_mut(to));
                images.for_each(|(image, output)| relu_pool(g, layer.pool, image, output));
            }
        }
        scratch.values = values;
    }

    /// Writes some channels of each position.
    #[allow(unsafe_code)]
    fn among_others(
        &self,
        image: &[f32],
        rows: Range<usize>,
        output: &mut [f32],
        scratch: &mut Scratch<f32>,
    ) {
        let (layer, g) = (self.layer, &self.g);
        let Channels { first, step } = self.channels;
        let count = rows.len();
        let (bounds, activation) = self.activation_in_parts();
        let epilogue = Epilogue {
            bias: &layer.bias,
            bounds,
        };
        // SAFETY: convolutions write values alone.
        let to = unsafe { as_room(&mut output[first..]) };
        let Forward::Dense(weights) = &layer.weights else {
            unreachable!("asked before");
        };
        let image = padded_rows(g, image, rows, &mut scratch.grid);
        convolve_rows(g, image, weights, epilogue, count, step, to);
        let channels = first..first + g.outputs;
        activate_channels(output, step, channels, activation);
    }
}
