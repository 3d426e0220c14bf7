//! Pixels as the first layer takes them: normalized, channels last.

use std::ops::Range;

use super::team::Team;
use crate::kernels::simd::widest;

/// Pixels that are normalized at a time, in registers.
const PIXELS: usize = 16;

/// `[channels, positions]` of an image as `[positions, channels]`: from each value its channel's mean, over its deviation.
pub fn normalize_pixels(from: &[f32], norms: &[(f32, f32)], to: &mut [f32], team: &Team) {
    /// Values that a thread takes at a time.
    const PART: usize = 1 << 14;
    let channels = norms.len().max(1);
    let part = PART.div_ceil(channels).next_multiple_of(PIXELS);
    let parts = to.chunks_mut(part * channels).enumerate();
    team.for_each(parts.collect(), |(index, to)| {
        let first = index * part;
        some_pixels(from, first..first + to.len() / channels, norms, to);
    });
}

fn some_pixels(from: &[f32], pixels: Range<usize>, norms: &[(f32, f32)], to: &mut [f32]) {
    let positions = from.len() / norms.len().max(1);
    let plane = |channel: usize| &from[channel * positions..][pixels.clone()];
    if let &[red, green, blue] = norms {
        let planes = [plane(0), plane(1), plane(2)];
        widest::<f32, _>(
            #[inline(always)]
            || interleave(planes, [red, green, blue], to),
        );
        return;
    }
    widest::<f32, _>(
        #[inline(always)]
        || {
            for (channel, &(mean, std)) in norms.iter().enumerate() {
                let to = to.iter_mut().skip(channel).step_by(norms.len());
                for (to, &value) in to.zip(plane(channel)) {
                    *to = (value - mean) / std;
                }
            }
        },
    );
}

/// Channels of one number, whose values become neighbours in registers.
#[inline(always)]
fn interleave<const C: usize>(planes: [&[f32]; C], norms: [(f32, f32); C], to: &mut [f32]) {
    let count = to.len() / C;
    let whole = count / PIXELS * PIXELS;
    for first in (0..whole).step_by(PIXELS) {
        let mut normal = [[0.0; PIXELS]; C];
        for channel in 0..C {
            let (mean, std) = norms[channel];
            let values = &planes[channel][first..first + PIXELS];
            for pixel in 0..PIXELS {
                normal[channel][pixel] = (values[pixel] - mean) / std;
            }
        }
        let to = &mut to[first * C..(first + PIXELS) * C];
        for pixel in 0..PIXELS {
            for channel in 0..C {
                to[pixel * C + channel] = normal[channel][pixel];
            }
        }
    }
    for pixel in whole..count {
        for channel in 0..C {
            let (mean, std) = norms[channel];
            to[pixel * C + channel] = (planes[channel][pixel] - mean) / std;
        }
    }
}
