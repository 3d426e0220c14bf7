//! Direct convolution, channels last: slices in, slices out.
//!
//! An image is copied into a grid with its zero padding, once; then every tile of output positions and channels is summed in
//! registers over the patch, whose values lie in one contiguous run per kernel row. Nothing is rearranged but the weights,
//! into panels of [`PANEL`] output channels. The input's gradient is the same convolution of the output's gradient by the
//! mirrored weights; the weights' gradient walks the same two grids with weights in the registers.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::simd::{PANEL, Real, lanes, load, many_registers, store, widest};
use super::threads;

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
    pub(super) fn input_values(&self) -> usize {
        self.inputs * self.height * self.width
    }

    /// Values of one output image.
    pub(super) fn output_values(&self) -> usize {
        self.outputs * self.output_height() * self.output_width()
    }

    /// Multiply-adds of a forward pass.
    pub fn multiply_adds(&self) -> usize {
        self.batch * self.output_values() * self.patch()
    }

    /// Values of one patch.
    fn patch(&self) -> usize {
        self.inputs * self.kernel * self.kernel
    }

    /// Whether an image already is its padded grid.
    fn is_unpadded(&self) -> bool {
        self.padding == 0
    }

    /// How the output's positions walk over the padded image.
    fn walk(&self) -> Walk {
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
    fn walk_back(&self) -> Walk {
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
    fn gradient_grid(&self, with_input: bool) -> GradientGrid {
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
pub(super) struct GradientGrid {
    rows: usize,
    columns: usize,
    border: usize,
    stride: usize,
    channels: usize,
}

impl GradientGrid {
    fn values(&self) -> usize {
        self.rows * self.columns * self.channels
    }

    /// Where the gradient of output `(row, column)` starts.
    #[inline(always)]
    pub(super) fn place(&self, row: usize, column: usize) -> usize {
        let row = self.border + row * self.stride;
        (row * self.columns + self.border + column * self.stride) * self.channels
    }
}

/// Channels in whole panels.
pub(super) fn padded(channels: usize) -> usize {
    channels.next_multiple_of(PANEL)
}

/// How positions walk over a grid: a patch is `runs` pieces of `run` values, each in a row of its own.
#[derive(Clone, Copy)]
struct Walk {
    runs: usize,
    run: usize,
    /// From one row of the grid to the next.
    pitch: usize,
    /// From one position to the next in its row.
    step: usize,
    /// From one row of positions to the next.
    row_step: usize,
}

impl Walk {
    fn depth(&self) -> usize {
        self.runs * self.run
    }

    /// Whether all patches of so many positions lie in `values` values.
    fn fits(&self, rows: usize, columns: usize, values: usize) -> bool {
        rows * columns * self.depth() == 0
            || (rows - 1) * self.row_step
                + (columns - 1) * self.step
                + (self.runs - 1) * self.pitch
                + self.run
                <= values
    }
}

/// A matrix of weights, `[taps, channels]`, in panels of channels.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a, T> {
    pub values: &'a [T],
    /// From one tap to the next.
    pub row: usize,
    /// From one panel to the next.
    pub panel: usize,
}

impl<T> Matrix<'_, T> {
    #[inline(always)]
    fn place(&self, channel: usize) -> usize {
        channel / PANEL * self.panel + channel % PANEL
    }

    /// Whether so many taps and whole panels of channels are there.
    fn holds(&self, taps: usize, channels: usize) -> bool {
        taps * channels == 0
            || (taps - 1) * self.row + (channels / PANEL - 1) * self.panel + PANEL
                <= self.values.len()
    }
}

/// The weights of a convolution as `[panel][patch][16 channels]`, zeros where a panel has no channel.
pub(super) struct Panels<T> {
    values: Vec<T>,
    depth: usize,
}

impl<T> Panels<T> {
    fn matrix(&self) -> Matrix<'_, T> {
        Matrix {
            values: &self.values,
            row: PANEL,
            panel: self.depth * PANEL,
        }
    }
}

/// The weights for the forward pass, times `scale` of their output channel.
pub(super) fn panels<T: Real>(g: &Geometry, weight: &[T], scale: Option<&[T]>) -> Panels<T> {
    let taps = g.kernel * g.kernel;
    let depth = g.patch();
    let mut values = vec![T::ZERO; padded(g.outputs) * depth];
    let panels = values.chunks_mut((depth * PANEL).max(1)).enumerate();
    threads::for_each(
        weight.len(),
        panels.collect(),
        || (),
        |(), (panel, values)| {
            let first = panel * PANEL;
            let outputs = PANEL.min(g.outputs - first);
            let weight = &weight[first * depth..(first + outputs) * depth];
            for input in 0..g.inputs {
                for tap in 0..taps {
                    let to = &mut values[(tap * g.inputs + input) * PANEL..][..outputs];
                    let from = weight[input * taps + tap..].iter().step_by(depth);
                    for (to, &value) in to.iter_mut().zip(from) {
                        *to = value;
                    }
                }
            }
            if let Some(scale) = scale {
                for values in values.chunks_exact_mut(PANEL) {
                    for (value, &scale) in values.iter_mut().zip(&scale[first..]) {
                        *value = *value * scale;
                    }
                }
            }
        },
    );
    Panels { values, depth }
}

/// The weights for the input's gradient: input channels in the lanes, kernels mirrored.
fn mirrored_panels<T: Real>(g: &Geometry, weight: &[T]) -> Panels<T> {
    let taps = g.kernel * g.kernel;
    let outputs = padded(g.outputs);
    let depth = taps * outputs;
    let mut values = vec![T::ZERO; padded(g.inputs) * depth];
    let panels = values.chunks_mut((depth * PANEL).max(1)).enumerate();
    threads::for_each(
        weight.len(),
        panels.collect(),
        || (),
        |(), (panel, values)| {
            let lanes = PANEL.min(g.inputs - panel * PANEL);
            for (output, kernels) in weight.chunks_exact(g.patch()).enumerate() {
                let kernels = &kernels[panel * PANEL * taps..][..lanes * taps];
                for tap in 0..taps {
                    let to = &mut values[(tap * outputs + output) * PANEL..][..lanes];
                    let from = kernels[taps - 1 - tap..].iter().step_by(taps);
                    for (to, &value) in to.iter_mut().zip(from) {
                        *to = value;
                    }
                }
            }
        },
    );
    Panels { values, depth }
}

/// The weights' gradient back in the order of the weights.
fn unpack<T: Real>(g: &Geometry, sums: &[T]) -> Vec<T> {
    let taps = g.kernel * g.kernel;
    let depth = g.patch();
    let mut weight = vec![T::ZERO; g.outputs * depth];
    let outputs = weight.chunks_mut(depth.max(1)).enumerate();
    threads::for_each(
        sums.len(),
        outputs.collect(),
        || (),
        |(), (output, kernels)| {
            let panel = &sums[output / PANEL * depth * PANEL..];
            for (input, kernel) in kernels.chunks_exact_mut(taps).enumerate() {
                for (tap, value) in kernel.iter_mut().enumerate() {
                    *value = panel[(tap * g.inputs + input) * PANEL + output % PANEL];
                }
            }
        },
    );
    weight
}

/// An image with its padding, as far as the output's `rows` need it: a part of the image itself where there is none.
pub(super) fn padded_rows<'a, T: Real>(
    g: &Geometry,
    image: &'a [T],
    rows: Range<usize>,
    grid: &'a mut Vec<T>,
) -> &'a [T] {
    let first = rows.start * g.stride;
    let count = (rows.len().max(1) - 1) * g.stride + g.kernel;
    let row = g.width * g.inputs;
    if g.is_unpadded() {
        return &image[first * row..(first + count) * row];
    }
    let pitch = (g.width + 2 * g.padding) * g.inputs;
    grid.clear();
    grid.resize(count * pitch, T::ZERO);
    for (to, y) in grid.chunks_exact_mut(pitch.max(1)).zip(first..) {
        if let Some(y) = y.checked_sub(g.padding).filter(|&y| y < g.height) {
            to[g.padding * g.inputs..][..row].copy_from_slice(&image[y * row..(y + 1) * row]);
        }
    }
    grid
}

/// The rows of the output of one image; `bias` has a value for every channel of the panels, `output` none.
pub(super) fn rows<T: Real>(
    g: &Geometry,
    padded_rows: &[T],
    weights: &Panels<T>,
    bias: &[T],
    output: &mut [T],
) {
    let row = g.output_width() * g.outputs;
    Arch::new().dispatch(Convolution::<_, true> {
        walk: g.walk(),
        input: padded_rows,
        weights: weights.matrix(),
        bias,
        rows: output.len() / row.max(1),
        columns: g.output_width(),
        channels: g.outputs,
        step: g.outputs,
        output,
    });
}

/// The gradient of one input image, of the output's gradient in its grid.
fn input_gradient<T: Real>(g: &Geometry, grid: &[T], mirrored: &Panels<T>, input: &mut [T]) {
    Arch::new().dispatch(Convolution::<_, true> {
        walk: g.walk_back(),
        input: grid,
        weights: mirrored.matrix(),
        bias: &vec![T::ZERO; padded(g.inputs)],
        rows: g.height,
        columns: g.width,
        channels: g.inputs,
        step: g.inputs,
        output: input,
    });
}

/// Adds the weights' gradient of one image to `sums`, which are laid out as [`Panels`].
fn add_weight_gradient<T: Real>(
    g: &Geometry,
    padded_rows: &[T],
    grid: &GradientGrid,
    gradient: &[T],
    sums: &mut [T],
) {
    let origin = grid.place(0, 0);
    Arch::new().dispatch(WeightGradient {
        walk: g.walk(),
        input: padded_rows,
        gradient: &gradient[origin..],
        step: grid.place(0, 1) - origin,
        row_step: grid.place(1, 0) - origin,
        rows: g.output_height(),
        columns: g.output_width(),
        channels: grid.channels,
        sums,
    });
}

/// Values of the sums of [`add_weight_gradient`].
fn sums_values(g: &Geometry) -> usize {
    padded(g.outputs) * g.patch()
}

// ---- Whole batches ----

/// Threads take an image each; a few images are cut into parts of their rows as well, a multiple of `multiple`.
pub(super) fn row_parts(g: &Geometry, multiple: usize) -> Vec<Range<usize>> {
    const JOBS_PER_THREAD: usize = 4;
    let rows = g.output_height();
    let jobs = JOBS_PER_THREAD * rayon::current_num_threads();
    let parts = match threads::worth_sharing(g.multiply_adds()) {
        true => jobs.div_ceil(g.batch.max(1)),
        false => 1,
    };
    let part = rows.div_ceil(parts).next_multiple_of(multiple).max(1);
    (0..rows.max(1))
        .step_by(part)
        .map(|first| first..(first + part).min(rows))
        .collect()
}

/// `[batch, rows, columns, outputs]`; `relu` sets negative values to zero.
pub(super) fn forward<T: Real>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    bias: &[T],
    relu: bool,
) -> Vec<T> {
    let mut output = vec![T::ZERO; g.batch * g.output_values()];
    let weights = panels(g, weight, None);
    let bias = in_panels(bias);
    let parts = row_parts(g, 1);
    let row = g.output_width() * g.outputs;
    let jobs: Vec<(usize, &Range<usize>, &mut [T])> = cut(&mut output, g.batch, &parts, row);
    threads::for_each(
        g.multiply_adds(),
        jobs,
        Vec::new,
        |grid, (image, part, output)| {
            let image = &input[image * g.input_values()..(image + 1) * g.input_values()];
            let image = padded_rows(g, image, part.clone(), grid);
            rows(g, image, &weights, &bias, output);
            if relu {
                widest(
                    #[inline(always)]
                    || {
                        for value in output.iter_mut() {
                            *value = if *value > T::ZERO { *value } else { T::ZERO };
                        }
                    },
                );
            }
        },
    );
    output
}

/// Cuts a batch of outputs into the parts of every image: number of the image, part, values.
pub(super) fn cut<'a, 'b, T>(
    mut output: &'a mut [T],
    batch: usize,
    parts: &'b [Range<usize>],
    row: usize,
) -> Vec<(usize, &'b Range<usize>, &'a mut [T])> {
    let mut jobs = Vec::with_capacity(batch * parts.len());
    for image in 0..batch {
        for part in parts {
            let (head, tail) = output.split_at_mut(part.len() * row);
            output = tail;
            jobs.push((image, part, head));
        }
    }
    jobs
}

/// A value per channel, filled up with zeros to whole panels.
pub(super) fn in_panels<T: Real>(values: &[T]) -> Vec<T> {
    let mut values = values.to_vec();
    values.resize(padded(values.len()), T::ZERO);
    values
}

/// The gradients that somebody wants.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub input: bool,
    /// And of the biases.
    pub weight: bool,
}

/// The gradients of a convolution.
pub(super) struct Gradients<T> {
    /// Of the input, if it was asked for.
    pub input: Option<Vec<T>>,
    /// Of the weights.
    pub weight: Vec<T>,
    /// Of the biases.
    pub bias: Vec<T>,
}

/// Gradients of [`forward`]; with `relu`, of its output, only what is positive lets gradients through.
pub(super) fn backward<T: Real>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    gradient: &[T],
    relu: Option<&[T]>,
    wanted: Wanted,
) -> Gradients<T> {
    let outputs = g.outputs;
    gradients(g, input, weight, wanted, |image, grid, slopes, bias| {
        let values = g.output_values();
        let gradient = &gradient[image * values..(image + 1) * values];
        let passed = relu.map(|output| &output[image * values..(image + 1) * values]);
        widest(
            #[inline(always)]
            || {
                for row in 0..g.output_height() {
                    let mut sums = vec![T::ZERO; outputs];
                    for column in 0..g.output_width() {
                        let at = (row * g.output_width() + column) * outputs;
                        let to = &mut slopes[grid.place(row, column)..][..outputs];
                        let from = &gradient[at..at + outputs];
                        match passed {
                            None => to.copy_from_slice(from),
                            Some(passed) => {
                                let passed = &passed[at..at + outputs];
                                for ((to, &from), &passed) in to.iter_mut().zip(from).zip(passed) {
                                    *to = if passed > T::ZERO { from } else { T::ZERO };
                                }
                            }
                        }
                        add(&mut sums, to);
                    }
                    for (bias, sum) in bias.iter_mut().zip(sums) {
                        *bias += sum.wide();
                    }
                }
            },
        );
    })
}

/// Gradients, with the output's gradient of an image put into the grid by `fill(image, grid, values of the grid, bias
/// sums)`. Those that nobody wants are zeros.
///
/// The images are taken in fixed groups, each summed in order, then the groups in order: the bits depend on shapes alone.
pub(super) fn gradients<T: Real>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    wanted: Wanted,
    fill: impl Fn(usize, &GradientGrid, &mut [T], &mut [f64]) + Sync,
) -> Gradients<T> {
    /// Groups of images that are summed side by side: enough for eight threads; more cost memory and a longer last sum.
    const GROUPS: usize = 8;
    let group = g.batch.div_ceil(GROUPS).max(1);
    let mirrored = wanted.input.then(|| mirrored_panels(g, weight));
    let grid = g.gradient_grid(wanted.input);
    let input_values = if wanted.input {
        g.batch * g.input_values()
    } else {
        0
    };
    let mut input_gradients = vec![T::ZERO; input_values];
    let count = g.batch.div_ceil(group);
    let inputs = chunks_or_nothing(&mut input_gradients, group * g.input_values(), count);
    let groups: Vec<(Vec<T>, Vec<f64>)> = threads::map(
        g.multiply_adds(),
        inputs.into_iter().enumerate().collect(),
        |(index, inputs)| {
            let mut sums = vec![T::ZERO; sums_values(g)];
            let mut bias = vec![0.0; g.outputs];
            let mut slopes = vec![T::ZERO; grid.values()];
            let mut padded = Vec::new();
            let mut inputs = inputs.chunks_mut(g.input_values().max(1));
            for image in index * group..g.batch.min((index + 1) * group) {
                fill(image, &grid, &mut slopes, &mut bias);
                if wanted.weight {
                    let values = &input[image * g.input_values()..(image + 1) * g.input_values()];
                    let values = padded_rows(g, values, 0..g.output_height(), &mut padded);
                    add_weight_gradient(g, values, &grid, &slopes, &mut sums);
                }
                if let (Some(mirrored), Some(to)) = (&mirrored, inputs.next()) {
                    input_gradient(g, &slopes, mirrored, to);
                }
            }
            (sums, bias)
        },
    );
    let mut groups = groups.into_iter();
    let (mut sums, mut bias) = groups
        .next()
        .unwrap_or_else(|| (vec![T::ZERO; sums_values(g)], vec![0.0; g.outputs]));
    for (more, more_bias) in groups {
        widest(
            #[inline(always)]
            || add(&mut sums, &more),
        );
        for (bias, more) in bias.iter_mut().zip(more_bias) {
            *bias += more;
        }
    }
    Gradients {
        input: wanted.input.then_some(input_gradients),
        weight: unpack(g, &sums),
        bias: bias.into_iter().map(T::of).collect(),
    }
}

/// Mutable chunks, or `count` empty ones of an empty slice.
fn chunks_or_nothing<T: Real>(values: &mut [T], size: usize, count: usize) -> Vec<&mut [T]> {
    match values.is_empty() {
        true => (0..count).map(|_| &mut [][..]).collect(),
        false => values.chunks_mut(size).collect(),
    }
}

/// `to += from`
#[inline(always)]
pub(super) fn add<T: Real>(to: &mut [T], from: &[T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// Rows of values by a matrix, plus bias, into the `channels` of as many rows of `output`; the bias fills whole panels.
pub(super) fn multiply<T: Real>(
    rows: usize,
    input: &[T],
    weights: Matrix<T>,
    bias: &[T],
    output: &mut [T],
    channels: Range<usize>,
) {
    let inputs = input.len() / rows.max(1);
    let step = output.len() / rows.max(1);
    Arch::new().dispatch(Convolution::<_, false> {
        walk: Walk {
            runs: 1,
            run: inputs,
            pitch: inputs,
            step: inputs,
            row_step: 0,
        },
        input,
        weights,
        bias,
        rows: 1,
        columns: rows,
        channels: channels.len(),
        step,
        output: &mut output[channels.start..],
    });
}

// ---- In registers ----

/// Every position's patch times the weights, plus bias. `PACKED` weights have a row of [`PANEL`] values, which the compiler
/// makes use of.
struct Convolution<'a, T, const PACKED: bool> {
    walk: Walk,
    input: &'a [T],
    weights: Matrix<'a, T>,
    bias: &'a [T],
    rows: usize,
    columns: usize,
    channels: usize,
    /// From one position's output to the next.
    step: usize,
    output: &'a mut [T],
}

impl<T: Real, const PACKED: bool> WithSimd for Convolution<'_, T, PACKED> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let channels = padded(self.channels);
        assert!(self.walk.fits(self.rows, self.columns, self.input.len()));
        assert!(!PACKED || self.weights.row == PANEL);
        assert!(self.weights.holds(self.walk.depth(), channels));
        assert_eq!(self.bias.len(), channels);
        let positions = self.rows * self.columns;
        assert!(
            positions * channels == 0
                || (positions - 1) * self.step + self.channels <= self.output.len()
        );
        let mut run = self;
        let lanes = lanes::<S, T>();
        let mut channel = 0;
        while channel + 2 * lanes <= channels {
            run.positions::<S, 2>(simd, channel);
            channel += 2 * lanes;
        }
        if channel < channels {
            run.positions::<S, 1>(simd, channel);
        }
    }
}

/// A place in the input and the position that it belongs to.
type Place = (usize, usize);

impl<T: Real, const PACKED: bool> Convolution<'_, T, PACKED> {
    /// `V` registers of channels for all positions: four neighbours at a time, then what is left of the rows.
    #[inline(always)]
    fn positions<S: Simd, const V: usize>(&mut self, simd: S, channel: usize) {
        let (rows, columns) = (self.rows, self.columns);
        let walk = self.walk;
        let place = move |row: usize, column: usize| -> Place {
            (
                row * walk.row_step + column * walk.step,
                row * columns + column,
            )
        };
        let fours = columns / 4;
        let mut few = [(0, 0); 3];
        let mut count = 0;
        for row in 0..rows {
            for four in 0..fours {
                few[count] = place(row, 4 * four);
                count += 1;
                if count == 3 || !many_registers::<S>() {
                    match count {
                        3 => self.tile::<S, 3, 4, V>(simd, few, channel),
                        _ => self.tile::<S, 1, 4, V>(simd, [few[0]], channel),
                    }
                    count = 0;
                }
            }
        }
        for &place in &few[..count] {
            self.tile::<S, 1, 4, V>(simd, [place], channel);
        }
        let mut few = [(0, 0); 12];
        let most = if many_registers::<S>() { 12 } else { 4 };
        let mut count = 0;
        for row in 0..rows {
            for column in 4 * fours..columns {
                few[count] = place(row, column);
                count += 1;
                if count == most {
                    match most {
                        12 => self.tile::<S, 12, 1, V>(simd, few, channel),
                        _ => {
                            self.tile::<S, 4, 1, V>(simd, [few[0], few[1], few[2], few[3]], channel)
                        }
                    }
                    count = 0;
                }
            }
        }
        let (fours, ones) = few[..count].as_chunks::<4>();
        for &four in fours {
            self.tile::<S, 4, 1, V>(simd, four, channel);
        }
        for &one in ones {
            self.tile::<S, 1, 1, V>(simd, [one], channel);
        }
    }

    /// `G` groups of `Q` neighbouring positions times `V` registers of channels, summed over the patch in its order.
    #[inline(always)]
    #[allow(unsafe_code)]
    fn tile<S: Simd, const G: usize, const Q: usize, const V: usize>(
        &mut self,
        simd: S,
        places: [Place; G],
        channel: usize,
    ) {
        let lanes = lanes::<S, T>();
        let walk = self.walk;
        // SAFETY: `with_simd` asserted that every patch of every position lies in `input`, that `weights` holds whole panels
        // for `channels` rounded up, in which `V` registers from `channel` on lie, and `bias` as many values; places are
        // positions of the output, and a register is written only where all of its channels exist.
        unsafe {
            let weights: [*const T; V] = std::array::from_fn(|v| {
                let place = self.weights.place(channel + v * lanes);
                self.weights.values.as_ptr().add(place)
            });
            let bias: [T::Vector<S>; V] =
                std::array::from_fn(|v| load::<S, T>(self.bias.as_ptr().add(channel + v * lanes)));
            let row = if PACKED { PANEL } else { self.weights.row };
            let mut sums = [[bias; Q]; G];
            let mut tap = 0;
            for run in 0..walk.runs {
                let at: [*const T; G] = std::array::from_fn(|group| {
                    self.input.as_ptr().add(places[group].0 + run * walk.pitch)
                });
                for i in 0..walk.run {
                    let weight: [T::Vector<S>; V] =
                        std::array::from_fn(|v| load::<S, T>(weights[v].add(tap * row)));
                    for group in 0..G {
                        for q in 0..Q {
                            let value = T::splat(simd, *at[group].add(q * walk.step + i));
                            for v in 0..V {
                                sums[group][q][v] =
                                    T::multiply_add(simd, value, weight[v], sums[group][q][v]);
                            }
                        }
                    }
                    tap += 1;
                }
            }
            for group in 0..G {
                for q in 0..Q {
                    let at = (places[group].1 + q) * self.step;
                    for v in 0..V {
                        let channel = channel + v * lanes;
                        let left = self.channels.saturating_sub(channel);
                        if left >= lanes {
                            let to = self.output.as_mut_ptr().add(at + channel);
                            store::<S, T>(to, sums[group][q][v]);
                        } else if left > 0 {
                            let mut all = [T::ZERO; PANEL];
                            store::<S, T>(all.as_mut_ptr(), sums[group][q][v]);
                            self.output[at + channel..][..left].copy_from_slice(&all[..left]);
                        }
                    }
                }
            }
        }
    }
}

/// Every patch value times the gradient of its position, summed over the positions.
struct WeightGradient<'a, T> {
    walk: Walk,
    input: &'a [T],
    gradient: &'a [T],
    step: usize,
    row_step: usize,
    rows: usize,
    columns: usize,
    /// In whole panels.
    channels: usize,
    sums: &'a mut [T],
}

impl<T: Real> WithSimd for WeightGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.rows * self.columns == 0 {
            return;
        }
        let last = (self.rows - 1) * self.row_step + (self.columns - 1) * self.step;
        assert!(self.walk.fits(self.rows, self.columns, self.input.len()));
        assert!(last + self.channels <= self.gradient.len());
        assert_eq!(self.sums.len(), self.channels * self.walk.depth());
        let mut run = self;
        let lanes = lanes::<S, T>();
        let mut channel = 0;
        while channel + 2 * lanes <= run.channels {
            run.taps::<S, 2>(simd, channel);
            channel += 2 * lanes;
        }
        if channel < run.channels {
            run.taps::<S, 1>(simd, channel);
        }
    }
}

impl<T: Real> WeightGradient<'_, T> {
    #[inline(always)]
    fn taps<S: Simd, const V: usize>(&mut self, simd: S, channel: usize) {
        for run in 0..self.walk.runs {
            let mut i = 0;
            while i < self.walk.run {
                i += match self.walk.run - i {
                    12.. if many_registers::<S>() => self.tile::<S, 12, V>(simd, run, i, channel),
                    8.. if many_registers::<S>() => self.tile::<S, 8, V>(simd, run, i, channel),
                    4.. => self.tile::<S, 4, V>(simd, run, i, channel),
                    3 => self.tile::<S, 3, V>(simd, run, i, channel),
                    _ => self.tile::<S, 1, V>(simd, run, i, channel),
                };
            }
        }
    }

    /// `J` neighbouring taps times `V` registers of channels, summed over the positions in their order. Gives `J`.
    #[inline(always)]
    #[allow(unsafe_code)]
    fn tile<S: Simd, const J: usize, const V: usize>(
        &mut self,
        simd: S,
        run: usize,
        i: usize,
        channel: usize,
    ) -> usize {
        let lanes = lanes::<S, T>();
        let walk = self.walk;
        let tap = run * walk.run + i;
        let place = |j: usize, v: usize| {
            let (panel, lane) = ((channel + v * lanes) / PANEL, (channel + v * lanes) % PANEL);
            (panel * walk.depth() + tap + j) * PANEL + lane
        };
        // SAFETY: `with_simd` asserted that every patch of every position lies in `input`, that a register from `channel` on
        // lies in `gradient` for every position, and that `sums` has a register for every tap and channel.
        unsafe {
            let to = self.sums.as_mut_ptr();
            let mut sums: [[T::Vector<S>; V]; J] =
                std::array::from_fn(|j| std::array::from_fn(|v| load::<S, T>(to.add(place(j, v)))));
            for row in 0..self.rows {
                let mut at = self
                    .input
                    .as_ptr()
                    .add(row * walk.row_step + run * walk.pitch + i);
                let mut gradient = self.gradient.as_ptr().add(row * self.row_step + channel);
                for column in 0..self.columns {
                    let slopes: [T::Vector<S>; V] =
                        std::array::from_fn(|v| load::<S, T>(gradient.add(v * lanes)));
                    for j in 0..J {
                        let value = T::splat(simd, *at.add(j));
                        for v in 0..V {
                            sums[j][v] = T::multiply_add(simd, value, slopes[v], sums[j][v]);
                        }
                    }
                    if column + 1 < self.columns {
                        at = at.add(walk.step);
                        gradient = gradient.add(self.step);
                    }
                }
            }
            for j in 0..J {
                for v in 0..V {
                    store::<S, T>(to.add(place(j, v)), sums[j][v]);
                }
            }
        }
        J
    }
}
