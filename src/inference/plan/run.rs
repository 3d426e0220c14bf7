//! Runs a plan.

use std::ops::Range;

use super::Plan;
use super::profile::{Clock, Laps};
use super::stages::Stage;
use super::step::{Operand, Step};
use crate::fitting::NormalizeConfig;
use crate::kernels::inference::{Team, normalize_pixels};

/// The buffer of the input.
const INPUT: usize = 0;

/// What a stage begins with.
enum Input<'a> {
    Pixels(&'a [f32], Option<&'a NormalizeConfig>),
    /// Of the stage before.
    Values(&'a [f32]),
}

impl Plan {
    /// The network's outputs `[count, outputs]` for `count` images in [0, 1], `[count, channels, height, width]`.
    pub fn run(
        &self,
        pixels: &[f32],
        count: usize,
        normalize: Option<&NormalizeConfig>,
    ) -> Vec<f32> {
        self.run_with(pixels, count, normalize, None)
    }

    /// [`run`](Self::run); the clock takes the time of each step.
    pub(super) fn run_with(
        &self,
        pixels: &[f32],
        count: usize,
        normalize: Option<&NormalizeConfig>,
        clock: Option<&Clock>,
    ) -> Vec<f32> {
        let mut outputs = vec![0.0; count * self.last.output.values];
        if outputs.is_empty() {
            return outputs;
        }
        let together = self.last.together;
        self.helpers.gather(count * self.work, |team| {
            let threads = team.threads();
            let is_by_image = threads > 1 && count >= threads;
            let size = if is_by_image {
                let groups = count.div_ceil(together).next_multiple_of(threads);
                in_whole_tiles(count.div_ceil(groups))
            } else {
                together
            };
            if let Some(clock) = clock {
                clock.start(threads, size.min(count), is_by_image);
            }
            let groups = self.cut(&mut outputs, count, size);
            let work = |(images, to): (Range<usize>, &mut [f32]), team: &Team| {
                let images = self.images(pixels, images);
                self.group(images, normalize, to, team, clock);
            };
            if is_by_image {
                team.for_each(groups, |group| work(group, &Team::alone()));
            } else {
                groups.into_iter().for_each(|group| work(group, team));
            }
        });
        outputs
    }

    /// Groups of images with the room for their outputs.
    fn cut<'a>(
        &self,
        outputs: &'a mut [f32],
        count: usize,
        size: usize,
    ) -> Vec<(Range<usize>, &'a mut [f32])> {
        let groups = outputs
            .chunks_mut(size * self.last.output.values)
            .enumerate();
        groups
            .map(|(index, to)| (index * size..((index + 1) * size).min(count), to))
            .collect()
    }

    fn images<'a>(&self, pixels: &'a [f32], images: Range<usize>) -> &'a [f32] {
        let values = self.shape.values();
        &pixels[images.start * values..images.end * values]
    }

    /// Images that go through the last stage together.
    fn group(
        &self,
        pixels: &[f32],
        normalize: Option<&NormalizeConfig>,
        outputs: &mut [f32],
        team: &Team,
        clock: Option<&Clock>,
    ) {
        let Some(early) = &self.early else {
            let input = Input::Pixels(pixels, normalize);
            self.stage(&self.last, input, outputs, team, clock);
            return;
        };
        let count = outputs.len() / self.last.output.values;
        let values = early.output.values;
        let room = std::iter::once(count * values);
        self.passed.with(room, |passed| {
            let passed = &mut passed[0][..count * values];
            let some = pixels.chunks(early.together * self.shape.values());
            for (pixels, to) in some.zip(passed.chunks_mut(early.together * values)) {
                let input = Input::Pixels(pixels, normalize);
                self.stage(early, input, to, team, clock);
            }
            let input = Input::Values(passed);
            self.stage(&self.last, input, outputs, team, clock);
        });
    }

    /// Images that go through a stage together.
    fn stage(
        &self,
        stage: &Stage,
        input: Input,
        outputs: &mut [f32],
        team: &Team,
        clock: Option<&Clock>,
    ) {
        let count = outputs.len() / stage.output.values;
        let sizes = stage.sizes.iter().map(|size| size * count);
        stage.buffers.with(sizes, |buffers| {
            let mut laps = Laps::new(clock, team.threads());
            let mut images = match input {
                Input::Values(values) => Some(values),
                Input::Pixels(pixels, normalize) => {
                    let as_they_are = self.takes_pixels_as_they_are(normalize);
                    if !as_they_are {
                        self.load(pixels, normalize, &mut buffers[INPUT], team);
                    }
                    laps.end(0);
                    as_they_are.then_some(pixels)
                }
            };
            for (index, step) in (stage.first..).zip(&stage.steps) {
                run(step, count, buffers, images, team);
                laps.end(1 + index);
                images = images.filter(|_| step.to.buffer != INPUT);
            }
            outputs.copy_from_slice(&buffers[stage.output.buffer][..outputs.len()]);
        });
    }

    /// Whether the first step reads the pixels themselves.
    pub(super) fn takes_pixels_as_they_are(&self, normalize: Option<&NormalizeConfig>) -> bool {
        self.shape.channels == 1 && normalize.is_none()
    }

    /// Pixels as the first step takes them: normalised, channels last.
    fn load(
        &self,
        pixels: &[f32],
        normalize: Option<&NormalizeConfig>,
        input: &mut [f32],
        team: &Team,
    ) {
        let values = self.shape.values();
        let norms: Vec<(f32, f32)> = (0..self.shape.channels)
            .map(|channel| normalize.map_or((0.0, 1.0), |norm| norm.of_channel(channel)))
            .collect();
        let images = pixels.chunks_exact(values);
        for (from, to) in images.zip(input.chunks_exact_mut(values)) {
            normalize_pixels(from, &norms, to, team);
        }
    }
}

/// Runs a step; `images` stand for what is in the buffer of the input.
fn run(step: &Step, count: usize, buffers: &mut [Vec<f32>], images: Option<&[f32]>, team: &Team) {
    let mut output = std::mem::take(&mut buffers[step.to.buffer]);
    let values = |from: Operand| match images {
        Some(images) if from.buffer == INPUT => images,
        _ => &buffers[from.buffer][..from.values * count],
    };
    step.run(
        count,
        values(step.from),
        step.other.map(values),
        &mut output[..step.to.values * count],
        team,
    );
    buffers[step.to.buffer] = output;
}

/// So many images, or a few more, which fill the tiles of fully connected layers.
fn in_whole_tiles(images: usize) -> usize {
    /// Rows of a tile.
    const TILE: usize = 4;
    if images < TILE {
        images
    } else {
        images.next_multiple_of(TILE)
    }
}
