//! In-place augmentation of one sample.
//!
//! All geometry (rotation, shear, size, shift, elastic bending) is one map and costs one bilinear resampling; all channels share it.

use std::cell::RefCell;

use super::config::AugmentConfig;
use super::jitter::Jitter;
use crate::handwriting::strokes::Affine;
use crate::rng::{Rng, normal, uniform};
use crate::shape::ImageShape;

/// The value of paper, which fills areas from outside the image.
const PAPER: f32 = 1.0;

/// Pixels of a 32 x 32 image between two nodes of the elastic grid: bends are about as long as a quarter of a letter.
const ELASTIC_CELLS: usize = 4;

/// Nodes that a cubic B-spline takes for `ELASTIC_CELLS` intervals.
const ELASTIC_NODES: usize = ELASTIC_CELLS + 3;

/// Standard deviation of a two-dimensional cubic B-spline field whose nodes have standard deviation 1, averaged over the
/// positions: the mean of the sum of the squared weights is 151 / 315 per axis.
const ELASTIC_LOSS: f32 = 151.0 / 315.0;

/// Minimum side of an erased rectangle, as a fraction of the maximum.
const ERASE_LEAST: f32 = 0.25;

thread_local! {
    /// Working memory, so that the training loop does not allocate for every sample.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

#[derive(Default)]
struct Scratch {
    source: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    weights: Vec<([f32; 4], usize)>,
}

/// Augments one sample in place.
///
/// `pixels` holds `shape.values()` values; a slice of another length is left unchanged. Settings that are zero do nothing
/// and draw no random numbers; if all are zero the output is bit-identical.
pub fn apply(config: &AugmentConfig, shape: ImageShape, pixels: &mut [f32], rng: &mut Rng) {
    if config.is_off() || pixels.is_empty() || pixels.len() != shape.values() {
        return;
    }
    SCRATCH.with_borrow_mut(|scratch| {
        if config.flip > 0.0 && uniform(rng) < config.flip {
            pixels
                .chunks_exact_mut(shape.width)
                .for_each(<[f32]>::reverse);
        }
        if config.crop > 0 {
            let mut draw = || step(config.crop, rng);
            let by = [draw(), draw()];
            move_mirrored(by, shape, pixels, scratch);
        }
        if let Some(warp) = Warp::draw(config, shape, rng) {
            warp.resample(shape, pixels, scratch);
        }
        if config.stroke > 0.0 {
            let change = config.stroke * (2.0 * uniform(rng) - 1.0);
            for channel in pixels.chunks_exact_mut(shape.width * shape.height) {
                change_stroke(change, shape.width, channel, scratch);
            }
        }
    });
    if let Some(jitter) = Jitter::draw(config, rng) {
        jitter.apply(shape, pixels);
    }
    if config.erase > 0.0 && uniform(rng) < config.erase {
        erase(config.erase_size, shape, pixels, rng);
    }
}

/// A uniform integer from `-most` to `most`.
fn step(most: usize, rng: &mut Rng) -> isize {
    let choices = (2 * most + 1) as f32;
    // The largest f32 below 1 times a count can round up to the count.
    let choice = (uniform(rng) * choices).min(choices - 1.0) as isize;
    choice - most as isize
}

/// Shifts the image by (columns, rows), padding by reflection about its outermost pixels.
fn move_mirrored(by: [isize; 2], shape: ImageShape, pixels: &mut [f32], scratch: &mut Scratch) {
    let (width, height) = (shape.width, shape.height);
    let source = &mut scratch.source;
    source.clear();
    source.extend_from_slice(pixels);
    let planes = pixels
        .chunks_exact_mut(width * height)
        .zip(source.chunks_exact(width * height));
    for (plane, source) in planes {
        for (y, row) in plane.chunks_exact_mut(width).enumerate() {
            let from = mirrored(y as isize - by[1], height) * width;
            for (x, value) in row.iter_mut().enumerate() {
                *value = source[from + mirrored(x as isize - by[0], width)];
            }
        }
    }
}

/// Reflects an index into `0..count`: -1 is 1, `count` is `count - 2`.
fn mirrored(at: isize, count: usize) -> usize {
    let period = (2 * count.max(2) - 2) as isize;
    let at = at.rem_euclid(period) as usize;
    at.min(period as usize - at).min(count - 1)
}

/// A map from the pixels of the result to places in the source.
struct Warp {
    /// Linear part and shift, about the image's centre.
    affine: Affine,
    /// Displacements of the nodes in pixels, `[row][column]` of (x, y).
    elastic: Option<[[[f32; 2]; ELASTIC_NODES]; ELASTIC_NODES]>,
}

impl Warp {
    /// Draws a map; `None` if all its settings are zero.
    fn draw(config: &AugmentConfig, shape: ImageShape, rng: &mut Rng) -> Option<Self> {
        let strengths = [
            config.rotate,
            config.shear,
            config.scale,
            config.aspect,
            config.shift,
            config.elastic,
        ];
        if strengths.iter().all(|&strength| strength == 0.0) {
            return None;
        }
        let mut draw = |strength: f32| match strength {
            0.0 => 0.0,
            _ => strength * normal(rng),
        };
        let rotate = draw(config.rotate).to_radians();
        let shear = draw(config.shear);
        let scale = draw(config.scale);
        // Half of the ratio goes to the width, half to the height: the area stays.
        let aspect = draw(config.aspect) / 2.0;
        let shift = [draw(config.shift), draw(config.shift)];
        let forward = Affine::new(
            rotate,
            shear,
            (scale + aspect).exp(),
            (scale - aspect).exp(),
        );
        let elastic = (config.elastic > 0.0).then(|| {
            let strength = config.elastic / ELASTIC_LOSS;
            let mut nodes = [[[0.0; 2]; ELASTIC_NODES]; ELASTIC_NODES];
            for value in nodes.as_flattened_mut().as_flattened_mut() {
                *value = draw(strength);
            }
            nodes
        });
        Some(Self {
            affine: backward(&forward, shift, shape),
            elastic,
        })
    }

    /// Reads every pixel of `pixels` at its place in a copy of them.
    fn resample(&self, shape: ImageShape, pixels: &mut [f32], scratch: &mut Scratch) {
        let (width, height) = (shape.width, shape.height);
        let plane = width * height;
        scratch.source.clear();
        scratch.source.extend_from_slice(pixels);
        scratch.weights.clear();
        scratch.weights.extend((0..width).map(|x| spline(x, width)));
        for row in 0..height {
            let bent = self
                .elastic
                .as_ref()
                .map(|nodes| across(nodes, row, height));
            for column in 0..width {
                let at = [column as f32, row as f32];
                let [mut x, mut y] = self.affine.apply(at);
                if let (Some(nodes), Some((weights, first))) = (&bent, scratch.weights.get(column))
                {
                    for (weight, node) in weights.iter().zip(nodes.iter().skip(*first)) {
                        x += weight * node[0];
                        y += weight * node[1];
                    }
                }
                let cell = Cell::new(x, y, width, height);
                let targets = pixels.iter_mut().skip(row * width + column).step_by(plane);
                for (target, source) in targets.zip(scratch.source.chunks_exact(plane)) {
                    *target = cell.sample(source, width, height);
                }
            }
        }
    }
}

/// The inverse of "`forward` about the centre, then `shift`", in pixel indices.
fn backward(forward: &Affine, shift: [f32; 2], shape: ImageShape) -> Affine {
    let determinant = forward.xx * forward.yy - forward.xy * forward.yx;
    let (xx, xy) = (forward.yy / determinant, -forward.xy / determinant);
    let (yx, yy) = (-forward.yx / determinant, forward.xx / determinant);
    let centre = [
        (shape.width as f32 - 1.0) / 2.0,
        (shape.height as f32 - 1.0) / 2.0,
    ];
    let (x, y) = (centre[0] + shift[0], centre[1] + shift[1]);
    Affine {
        xx,
        xy,
        x0: centre[0] - xx * x - xy * y,
        yx,
        yy,
        y0: centre[1] - yx * x - yy * y,
    }
}

/// The four weights of the uniform cubic B-spline for a pixel, and the first of the four nodes.
fn spline(pixel: usize, size: usize) -> ([f32; 4], usize) {
    let place = (pixel as f32 + 0.5) / size as f32 * ELASTIC_CELLS as f32;
    let first = (place as usize).min(ELASTIC_CELLS - 1);
    let t = place - first as f32;
    let (t2, t3) = (t * t, t * t * t);
    let weights = [
        (1.0 - t) * (1.0 - t) * (1.0 - t) / 6.0,
        (3.0 * t3 - 6.0 * t2 + 4.0) / 6.0,
        (-3.0 * t3 + 3.0 * t2 + 3.0 * t + 1.0) / 6.0,
        t3 / 6.0,
    ];
    (weights, first)
}

/// The grid of displacements, interpolated at one row of pixels.
fn across(
    nodes: &[[[f32; 2]; ELASTIC_NODES]; ELASTIC_NODES],
    row: usize,
    height: usize,
) -> [[f32; 2]; ELASTIC_NODES] {
    let (weights, first) = spline(row, height);
    let mut line = [[0.0; 2]; ELASTIC_NODES];
    for (weight, nodes) in weights.iter().zip(nodes.iter().skip(first)) {
        for (sum, node) in line.iter_mut().zip(nodes) {
            sum[0] += weight * node[0];
            sum[1] += weight * node[1];
        }
    }
    line
}

/// Where a place lies between four pixels.
struct Cell {
    column: isize,
    row: isize,
    right: f32,
    down: f32,
    /// All four pixels are in the image.
    inside: bool,
}

impl Cell {
    fn new(x: f32, y: f32, width: usize, height: usize) -> Self {
        // Far outside is all paper: the bound only keeps the integers small.
        let x = x.clamp(-2.0, width as f32 + 1.0);
        let y = y.clamp(-2.0, height as f32 + 1.0);
        // Adding 2 makes truncation a floor.
        let column = (x + 2.0) as isize - 2;
        let row = (y + 2.0) as isize - 2;
        Self {
            column,
            row,
            right: x - column as f32,
            down: y - row as f32,
            inside: column >= 0
                && row >= 0
                && column + 1 < width as isize
                && row + 1 < height as isize,
        }
    }

    /// Bilinear value of one channel.
    fn sample(&self, source: &[f32], width: usize, height: usize) -> f32 {
        let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
        let near = if self.inside {
            let start = self.row as usize * width + self.column as usize;
            source.get(start..start + width + 2)
        } else {
            None
        };
        let [a, b, c, d] = match near {
            Some(near) => [near[0], near[1], near[width], near[width + 1]],
            None => {
                let pixel = |dx: isize, dy: isize| {
                    let (x, y) = (self.column + dx, self.row + dy);
                    let out = x < 0 || y < 0 || x >= width as isize || y >= height as isize;
                    if out {
                        return PAPER;
                    }
                    let value = source.get(y as usize * width + x as usize);
                    value.copied().unwrap_or(PAPER)
                };
                [pixel(0, 0), pixel(1, 0), pixel(0, 1), pixel(1, 1)]
            }
        };
        mix(mix(a, b, self.right), mix(c, d, self.right), self.down)
    }
}

/// Makes dark strokes `change` pixels wider (thinner if negative) by grey-scale erosion of the paper or of the ink.
///
/// Each edge moves by half the change: whole pixels by repeated filtering, the rest by a blend.
fn change_stroke(change: f32, width: usize, channel: &mut [f32], scratch: &mut Scratch) {
    let darken = change > 0.0;
    let mut rest = change.abs() / 2.0;
    while rest > 0.0 {
        let share = rest.min(1.0);
        let pick = if darken { f32::min } else { f32::max };
        filter_step(pick, share, width, channel, scratch);
        rest -= share;
    }
}

/// One blend with the mean of the 3 x 3 square's and the cross's extreme: that moves a straight edge by 1 pixel, and a
/// diagonal one by 1.06, where the square alone would move it by 1.41 and the cross by 0.71.
fn filter_step(
    pick: fn(f32, f32) -> f32,
    share: f32,
    width: usize,
    channel: &mut [f32],
    scratch: &mut Scratch,
) {
    let (vertical, horizontal) = (&mut scratch.first, &mut scratch.second);
    vertical.clear();
    vertical.extend_from_slice(channel);
    let lines = channel.len() / width;
    for line in 1..lines {
        let (above, here) = ((line - 1) * width, line * width);
        for column in 0..width {
            let (a, b) = (channel[above + column], channel[here + column]);
            vertical[above + column] = pick(vertical[above + column], b);
            vertical[here + column] = pick(vertical[here + column], a);
        }
    }
    horizontal.clear();
    horizontal.resize(width, 0.0);
    for (line, vertical) in channel
        .chunks_exact_mut(width)
        .zip(vertical.chunks_exact(width))
    {
        horizontal.copy_from_slice(line);
        for column in 0..width {
            let (left, right) = (column.saturating_sub(1), (column + 1).min(width - 1));
            let cross = pick(pick(horizontal[left], horizontal[right]), vertical[column]);
            let square = pick(pick(vertical[left], vertical[right]), vertical[column]);
            let moved = (cross + square) / 2.0;
            line[column] += (moved - line[column]) * share;
        }
    }
}

/// Paints a random rectangle with paper or ink.
fn erase(longest: f32, shape: ImageShape, pixels: &mut [f32], rng: &mut Rng) {
    let mut span = |size: usize| {
        let share = ERASE_LEAST + (1.0 - ERASE_LEAST) * uniform(rng);
        let length = ((share * longest * size as f32).round() as usize).min(size);
        let start = (uniform(rng) * (size - length + 1) as f32) as usize;
        start..(start + length).min(size)
    };
    let (columns, rows) = (span(shape.width), span(shape.height));
    let value = if uniform(rng) < 0.5 { PAPER } else { 0.0 };
    for channel in pixels.chunks_exact_mut(shape.width * shape.height) {
        let lines = channel.chunks_exact_mut(shape.width);
        for line in lines.take(rows.end).skip(rows.start) {
            if let Some(cells) = line.get_mut(columns.clone()) {
                cells.fill(value);
            }
        }
    }
}
