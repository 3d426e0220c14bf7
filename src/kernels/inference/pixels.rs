//! Pixels as the first layer takes them: normalized, channels last.

use std::ops::Range;

use super::team::Team;
use crate::kernels::simd::widest;

/// Pixels in a register.
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
        interleave([plane(0), plane(1), plane(2)], [red, green, blue], to);
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

/// Three channels.
fn interleave(planes: [&[f32]; 3], norms: [(f32, f32); 3], to: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    let done = wide::interleave(planes, norms, to);
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    for (pixel, to) in to.chunks_exact_mut(3).enumerate().skip(done) {
        for (channel, to) in to.iter_mut().enumerate() {
            let (mean, std) = norms[channel];
            *to = (planes[channel][pixel] - mean) / std;
        }
    }
}

/// Three registers become neighbours by permutations, which compilers do not find.
#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::{
        _mm512_div_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_permutex2var_ps, _mm512_set1_ps,
        _mm512_storeu_ps, _mm512_sub_ps,
    };

    use super::PIXELS;

    /// Where the values of each register of the result are: in the second of two registers from 16 on.
    struct Places {
        /// In those of the first and second channel.
        first_two: [u32; PIXELS],
        /// In these together and the third channel.
        third: [u32; PIXELS],
    }

    const PLACES: [Places; 3] = [places(0), places(1), places(2)];

    const fn places(register: usize) -> Places {
        let mut places = Places {
            first_two: [0; PIXELS],
            third: [0; PIXELS],
        };
        let mut lane = 0;
        while lane < PIXELS {
            let at = register * PIXELS + lane;
            let (pixel, channel) = ((at / 3) as u32, at % 3);
            match channel {
                0 => places.first_two[lane] = pixel,
                1 => places.first_two[lane] = PIXELS as u32 + pixel,
                _ => {}
            }
            places.third[lane] = if channel == 2 {
                PIXELS as u32 + pixel
            } else {
                lane as u32
            };
            lane += 1;
        }
        places
    }

    /// As many pixels as fill registers, where the processor has AVX-512; their number.
    #[allow(unsafe_code)]
    pub(super) fn interleave(planes: [&[f32]; 3], norms: [(f32, f32); 3], to: &mut [f32]) -> usize {
        if !is_x86_feature_detected!("avx512f") {
            return 0;
        }
        let pixels = to.len() / 3 / PIXELS * PIXELS;
        assert!(planes.iter().all(|plane| plane.len() >= pixels));
        // SAFETY: just asked.
        unsafe { registers(planes, norms, to, pixels) };
        pixels
    }

    /// # Safety
    /// The processor must have AVX-512, the planes and `to` so many pixels, a multiple of 16.
    #[allow(unsafe_code)]
    #[target_feature(enable = "avx512f")]
    unsafe fn registers(
        planes: [&[f32]; 3],
        norms: [(f32, f32); 3],
        to: &mut [f32],
        pixels: usize,
    ) {
        for pixel in (0..pixels).step_by(PIXELS) {
            // SAFETY: as promised by the caller; whole registers.
            unsafe {
                let mut normal = [_mm512_set1_ps(0.0); 3];
                for channel in 0..3 {
                    let values = _mm512_loadu_ps(planes[channel].as_ptr().add(pixel));
                    let (mean, std) = norms[channel];
                    let values = _mm512_sub_ps(values, _mm512_set1_ps(mean));
                    normal[channel] = _mm512_div_ps(values, _mm512_set1_ps(std));
                }
                let to = to.as_mut_ptr().add(3 * pixel);
                for (register, places) in PLACES.iter().enumerate() {
                    let first_two = _mm512_loadu_si512(places.first_two.as_ptr().cast());
                    let third = _mm512_loadu_si512(places.third.as_ptr().cast());
                    let two = _mm512_permutex2var_ps(normal[0], first_two, normal[1]);
                    let all = _mm512_permutex2var_ps(two, third, normal[2]);
                    _mm512_storeu_ps(to.add(register * PIXELS), all);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_normalized_and_channels_become_neighbours() {
        let norms = [(0.5, 0.25), (0.1, 3.0), (-2.0, 0.7), (0.0, 1.0)];
        for channels in [1, 3, 4] {
            for positions in [1, 15, 16, 47, 20_000] {
                let count = channels * positions;
                let from: Vec<f32> = (0..count).map(|i| (i as f32 * 0.37).sin()).collect();
                let mut to = vec![f32::NAN; count];
                normalize_pixels(&from, &norms[..channels], &mut to, &Team::alone());
                for (index, &value) in to.iter().enumerate() {
                    let (pixel, channel) = (index / channels, index % channels);
                    let (mean, std) = norms[channel];
                    let expected = (from[channel * positions + pixel] - mean) / std;
                    assert_eq!(value, expected, "{channels} {positions} {index}");
                }
            }
        }
    }
}
