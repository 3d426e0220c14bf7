//! Geometry of a sample: rotation, shear, size, shift and elastic bending as one map, with one bilinear resampling.

use std::ops::Range;

use super::config::AugmentConfig;
use crate::handwriting::strokes::Affine;
use crate::rng::{Rng, normal};
use crate::shape::ImageShape;
use crate::vectorized::vectorized;

/// The value of paper, which fills areas from outside the image.
pub(super) const PAPER: f32 = 1.0;

/// Pixels of a 32 x 32 image between two nodes of the elastic grid: bends are about as long as a quarter of a letter.
const ELASTIC_CELLS: usize = 4;

/// Nodes that a cubic B-spline takes for `ELASTIC_CELLS` intervals.
const ELASTIC_NODES: usize = ELASTIC_CELLS + 3;

/// Standard deviation of a two-dimensional cubic B-spline field whose nodes have standard deviation 1, averaged over the
/// positions: the mean of the sum of the squared weights is 151 / 315 per axis.
const ELASTIC_LOSS: f32 = 151.0 / 315.0;

/// Rows and columns of paper before an image; places farther outside are moved there, where all is paper.
const BEFORE: usize = 2;

/// Rows and columns of paper before and behind an image: a place's last neighbour is one farther than the place.
const AROUND: usize = BEFORE + 3;

/// A map from the pixels of the result to places in the source.
pub(super) struct Warp {
    /// Linear part and shift, about the image's centre.
    affine: Affine,
    /// Displacements of the nodes in pixels.
    elastic: Option<Nodes>,
}

/// Displacements of the nodes, `[row][column]` of (x, y).
type Nodes = [[[f32; 2]; ELASTIC_NODES]; ELASTIC_NODES];

/// Working memory of [`Warp::resample`].
#[derive(Default)]
pub(super) struct Scratch {
    /// The source with paper around it, channel by channel.
    source: Vec<f32>,
    splines: Splines,
    row: Places,
}

/// The weights of the nodes of an elastic grid for each column.
#[derive(Default)]
struct Splines {
    /// The four weights.
    weights: [Vec<f32>; 4],
    /// The columns that each node is the first of four for.
    columns: Vec<Range<usize>>,
}

/// Where the pixels of a row are read.
#[derive(Default)]
struct Places {
    x: Vec<f32>,
    y: Vec<f32>,
    /// Of the upper left one of the four pixels around a place, in the source with paper around it.
    first: Vec<u32>,
}

impl Warp {
    /// Draws a map; `None` if all its settings are zero.
    pub fn draw(config: &AugmentConfig, shape: ImageShape, rng: &mut Rng) -> Option<Self> {
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
    pub fn resample(&self, shape: ImageShape, pixels: &mut [f32], scratch: &mut Scratch) {
        let (width, height) = (shape.width, shape.height);
        with_paper_around(shape, pixels, &mut scratch.source);
        if self.elastic.is_some() {
            scratch.splines.set(width);
        }
        scratch.row.set(width);
        let Scratch {
            source,
            splines,
            row: places,
        } = scratch;
        vectorized(
            #[inline(always)]
            || {
                let stride = width + AROUND;
                for row in 0..height {
                    self.places(row, places);
                    if let Some(nodes) = &self.elastic {
                        splines.bend(&across(nodes, row, height), places);
                    }
                    places.find_cells(width, height);
                    let targets = pixels.chunks_exact_mut(width).skip(row).step_by(height);
                    for (target, source) in
                        targets.zip(source.chunks_exact(stride * (height + AROUND)))
                    {
                        places.sample(source, stride, target);
                    }
                }
            },
        );
    }

    /// Places of a row without elastic bending.
    #[inline(always)]
    fn places(&self, row: usize, places: &mut Places) {
        for (column, (x, y)) in places.x.iter_mut().zip(&mut places.y).enumerate() {
            [*x, *y] = self.affine.apply([column as f32, row as f32]);
        }
    }
}

/// Copies the channels into `source`, each with paper around it.
fn with_paper_around(shape: ImageShape, pixels: &[f32], source: &mut Vec<f32>) {
    let (width, height) = (shape.width, shape.height);
    let stride = width + AROUND;
    source.clear();
    for channel in pixels.chunks_exact(width * height) {
        source.resize(source.len() + BEFORE * stride, PAPER);
        for row in channel.chunks_exact(width) {
            source.extend_from_slice(&[PAPER; BEFORE]);
            source.extend_from_slice(row);
            source.extend_from_slice(&[PAPER; AROUND - BEFORE]);
        }
        source.resize(source.len() + (AROUND - BEFORE) * stride, PAPER);
    }
}

impl Splines {
    /// The weights of `width` columns.
    fn set(&mut self, width: usize) {
        self.weights.iter_mut().for_each(Vec::clear);
        self.columns.clear();
        self.columns.resize(ELASTIC_CELLS, 0..0);
        for column in 0..width {
            let (weights, first) = spline(column, width);
            for (line, weight) in self.weights.iter_mut().zip(weights) {
                line.push(weight);
            }
            // Columns of a node are adjacent.
            let columns = &mut self.columns[first];
            if columns.start == columns.end {
                columns.start = column;
            }
            columns.end = column + 1;
        }
    }

    /// Adds a row's displacements, interpolated between `nodes`.
    #[inline(always)]
    fn bend(&self, nodes: &[[f32; 2]; ELASTIC_NODES], places: &mut Places) {
        for (first, columns) in self.columns.iter().enumerate() {
            let x = &mut places.x[columns.clone()];
            let y = &mut places.y[columns.clone()];
            for (weights, node) in self.weights.iter().zip(&nodes[first..]) {
                let weights = &weights[columns.clone()];
                for ((x, y), weight) in x.iter_mut().zip(&mut *y).zip(weights) {
                    *x += weight * node[0];
                    *y += weight * node[1];
                }
            }
        }
    }
}

impl Places {
    fn set(&mut self, width: usize) {
        self.x.resize(width, 0.0);
        self.y.resize(width, 0.0);
        self.first.resize(width, 0);
    }

    /// Replaces each place by the first of the pixels around it, and how far it is to the right of that and below.
    #[inline(always)]
    fn find_cells(&mut self, width: usize, height: usize) {
        let stride = (width + AROUND) as u32;
        let cells = self.x.iter_mut().zip(&mut self.y).zip(&mut self.first);
        for ((x, y), first) in cells {
            let (column, right) = cell(*x, width);
            let (row, down) = cell(*y, height);
            (*x, *y) = (right, down);
            *first = row * stride + column;
        }
    }

    /// Bilinear values of one channel.
    #[inline(always)]
    fn sample(&self, source: &[f32], stride: usize, target: &mut [f32]) {
        let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
        let cells = self.first.iter().zip(&self.x).zip(&self.y);
        for (value, ((&first, &right), &down)) in target.iter_mut().zip(cells) {
            let near = &source[first as usize..][..stride + 2];
            let upper = mix(near[0], near[1], right);
            let lower = mix(near[stride], near[stride + 1], right);
            *value = mix(upper, lower, down);
        }
    }
}

/// The pixel at or before a place along an axis of so many pixels, counted from the paper before them, and the distance from it.
#[inline(always)]
fn cell(place: f32, pixels: usize) -> (u32, f32) {
    const FIRST: f32 = -(BEFORE as f32);
    let last = pixels as f32 + 1.0;
    // NaN counts as outside.
    let place = if place > FIRST { place } else { FIRST };
    let place = if place < last { place } else { last };
    // No number here is negative: truncation is a floor.
    let pixel = (place + BEFORE as f32) as u32;
    (pixel, place - (pixel as f32 - BEFORE as f32))
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
fn across(nodes: &Nodes, row: usize, height: usize) -> [[f32; 2]; ELASTIC_NODES] {
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
