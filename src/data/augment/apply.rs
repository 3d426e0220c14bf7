//! In-place augmentation of one sample.
//!
//! All geometry (rotation, shear, size, shift, elastic bending) is one map and costs one bilinear resampling; all channels share it.

use std::cell::RefCell;

use super::config::AugmentConfig;
use super::jitter::Jitter;
use super::stroke;
use super::warp::{self, PAPER, Warp};
use crate::rng::{Rng, uniform};
use crate::shape::ImageShape;

/// Minimum side of an erased rectangle, as a fraction of the maximum.
const ERASE_LEAST: f32 = 0.25;

thread_local! {
    /// Working memory, so that the training loop does not allocate for every sample.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

#[derive(Default)]
struct Scratch {
    source: Vec<f32>,
    warp: warp::Scratch,
    stroke: stroke::Scratch,
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
            move_mirrored(by, shape, pixels, &mut scratch.source);
        }
        if let Some(warp) = Warp::draw(config, shape, rng) {
            warp.resample(shape, pixels, &mut scratch.warp);
        }
        if config.stroke > 0.0 {
            let change = config.stroke * (2.0 * uniform(rng) - 1.0);
            for channel in pixels.chunks_exact_mut(shape.width * shape.height) {
                stroke::change(change, shape.width, channel, &mut scratch.stroke);
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
fn move_mirrored(by: [isize; 2], shape: ImageShape, pixels: &mut [f32], source: &mut Vec<f32>) {
    let (width, height) = (shape.width, shape.height);
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
