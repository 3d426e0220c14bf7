//! Runs a plan.

use std::ops::Range;

use super::Plan;
use super::step::{Operand, Step};
use crate::fitting::NormalizeConfig;
use crate::kernels;

/// Values that go through the steps together, of the largest buffer: about half a megabyte, which stays in a core's cache.
const VALUES: usize = 1 << 17;
/// Most images that go through the steps together: enough to read weights rarely.
const MOST_IMAGES: usize = 96;

impl Plan {
    /// The network's outputs `[count, outputs]` for `count` images in [0, 1], `[count, channels, height, width]`.
    pub fn run(
        &self,
        pixels: &[f32],
        count: usize,
        normalize: Option<&NormalizeConfig>,
    ) -> Vec<f32> {
        let mut outputs = vec![0.0; count * self.output.values];
        if outputs.is_empty() {
            return outputs;
        }
        let largest = self.sizes.iter().copied().max().unwrap_or(1).max(1);
        let together = (VALUES / largest).clamp(1, MOST_IMAGES);
        let threads = kernels::inference::threads(count * self.work);
        if threads > 1 && count >= threads {
            let groups = count.div_ceil(together).next_multiple_of(threads);
            let size = in_whole_tiles(count.div_ceil(groups));
            let jobs = self.cut(&mut outputs, count, size);
            kernels::inference::for_each(jobs, |(images, to)| {
                self.group(self.images(pixels, images), normalize, to, false);
            });
        } else {
            for (images, to) in self.cut(&mut outputs, count, together) {
                self.group(self.images(pixels, images), normalize, to, threads > 1);
            }
        }
        outputs
    }

    /// Groups of images with the room for their outputs.
    fn cut<'a>(
        &self,
        outputs: &'a mut [f32],
        count: usize,
        size: usize,
    ) -> Vec<(Range<usize>, &'a mut [f32])> {
        let groups = outputs.chunks_mut(size * self.output.values).enumerate();
        groups
            .map(|(index, to)| (index * size..((index + 1) * size).min(count), to))
            .collect()
    }

    fn images<'a>(&self, pixels: &'a [f32], images: Range<usize>) -> &'a [f32] {
        let values = self.shape.values();
        &pixels[images.start * values..images.end * values]
    }

    /// Images that go through the steps together.
    fn group(
        &self,
        pixels: &[f32],
        normalize: Option<&NormalizeConfig>,
        outputs: &mut [f32],
        shared: bool,
    ) {
        let count = outputs.len() / self.output.values;
        let sizes = self.sizes.iter().map(|size| size * count);
        self.buffers.with(sizes, |buffers| {
            self.load(pixels, normalize, &mut buffers[0]);
            for step in &self.steps {
                run(step, count, buffers, shared);
            }
            outputs.copy_from_slice(&buffers[self.output.buffer][..outputs.len()]);
        });
    }

    /// Pixels as the first step takes them: normalised, channels last.
    fn load(&self, pixels: &[f32], normalize: Option<&NormalizeConfig>, input: &mut [f32]) {
        let channels = self.shape.channels;
        let positions = self.shape.height * self.shape.width;
        let images = pixels.chunks_exact(self.shape.values());
        for (from, to) in images.zip(input.chunks_exact_mut(self.shape.values())) {
            for (channel, from) in from.chunks_exact(positions).enumerate() {
                let to = to[channel..].iter_mut().step_by(channels);
                match normalize {
                    None => to.zip(from).for_each(|(to, &value)| *to = value),
                    Some(normalize) => {
                        let of = |list: &[f32]| list[if list.len() == 1 { 0 } else { channel }];
                        let (mean, std) = (of(&normalize.mean), of(&normalize.std));
                        to.zip(from)
                            .for_each(|(to, &value)| *to = (value - mean) / std);
                    }
                }
            }
        }
    }
}

/// Runs a step.
fn run(step: &Step, count: usize, buffers: &mut [Vec<f32>], shared: bool) {
    let mut output = std::mem::take(&mut buffers[step.to.buffer]);
    let values = |from: Operand| &buffers[from.buffer][..from.values * count];
    step.run(
        count,
        values(step.from),
        step.other.map(values),
        &mut output[..step.to.values * count],
        shared,
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
