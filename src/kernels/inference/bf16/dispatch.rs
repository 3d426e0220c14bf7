//! Runs the loops with the instructions that the processor has.

use super::lanes::Portable;
#[cfg(target_arch = "x86_64")]
use super::lanes::is_native;
use super::rounding::{Pair, joined, rounded};
use super::tiles::Dots;
use crate::kernels::simd::widest;

/// Every position's patch times the weights.
#[allow(unsafe_code)]
pub fn run(dots: &mut Dots) {
    #[cfg(target_arch = "x86_64")]
    if is_native() {
        // SAFETY: just asked.
        unsafe { native::run(dots) };
        return;
    }
    portable(dots);
}

fn portable(dots: &mut Dots) {
    widest::<f32, _>(
        #[inline(always)]
        || dots.run::<Portable>(),
    );
}

/// Rounds values, an even number of them.
#[allow(unsafe_code)]
pub fn round_all(from: &[f32], to: &mut [Pair]) {
    #[cfg(target_arch = "x86_64")]
    if is_native() {
        // SAFETY: just asked.
        unsafe { native::round_all(from, to) };
        return;
    }
    widest::<f32, _>(
        #[inline(always)]
        || each(from, to),
    );
}

/// So many times, the product of two pairs of values to each of `SUMS` registers, to measure how fast that is; returns one of the sums.
/// Zero where the processor has no instruction for it.
#[cfg(feature = "app")]
#[allow(unsafe_code)]
pub fn chain<const SUMS: usize>(repeats: usize) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if is_native() {
        // SAFETY: just asked.
        return unsafe { native::chain::<SUMS>(repeats) };
    }
    let _ = repeats;
    0.0
}

#[inline(always)]
fn each(from: &[f32], to: &mut [Pair]) {
    for (to, from) in to.iter_mut().zip(from.as_chunks::<2>().0) {
        *to = joined(rounded(from[0]), rounded(from[1]));
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod native {
    use std::arch::x86_64::{
        __m512bh, __m512i, _mm512_cvtne2ps_pbh, _mm512_loadu_ps, _mm512_storeu_si512,
    };
    #[cfg(feature = "app")]
    use std::hint::black_box;
    use std::mem::transmute;

    use super::{Dots, Pair, each};
    #[cfg(feature = "app")]
    use crate::kernels::inference::bf16::lanes::Lanes;
    use crate::kernels::inference::bf16::lanes::native::Avx512Bf16;
    use crate::kernels::simd::PANEL;

    #[target_feature(enable = "avx512f,avx512bf16")]
    pub fn run(dots: &mut Dots) {
        dots.run::<Avx512Bf16>();
    }

    #[cfg(feature = "app")]
    #[target_feature(enable = "avx512f,avx512bf16")]
    pub fn chain<const SUMS: usize>(repeats: usize) -> f32 {
        let mut found = [0.0; PANEL];
        // SAFETY: `found` is a whole register.
        unsafe {
            let mut sums = [Avx512Bf16::sums(found.as_ptr()); SUMS];
            let [a, b] = [0x3f80_3f80, 0x3f00_3f00].map(|pair| Avx512Bf16::pair(black_box(pair)));
            for _ in 0..repeats {
                for sum in &mut sums {
                    *sum = Avx512Bf16::dot(*sum, a, b);
                }
            }
            for sum in sums {
                Avx512Bf16::store(sum, found.as_mut_ptr());
                black_box(&found);
            }
        }
        found[0]
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    pub fn round_all(from: &[f32], to: &mut [Pair]) {
        let (from, rest) = from.as_chunks::<{ 2 * PANEL }>();
        let (to, last) = to.as_chunks_mut::<PANEL>();
        for (to, from) in to.iter_mut().zip(from) {
            // SAFETY: both halves and the output are whole registers.
            unsafe {
                let low = _mm512_loadu_ps(from.as_ptr());
                let high = _mm512_loadu_ps(from.as_ptr().add(PANEL));
                let both = _mm512_cvtne2ps_pbh(high, low);
                _mm512_storeu_si512(to.as_mut_ptr().cast(), transmute::<__m512bh, __m512i>(both));
            }
        }
        each(rest, last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::conv::Geometry;
    use crate::kernels::inference::bf16::Weights;

    /// Numbers between -1 and 1 that look random.
    fn noise(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2_654_435_761) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as f32 / u32::MAX as f32 * 2.0 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    /// What a convolution is by its definition, of rounded values, in 64 bits.
    fn expected(g: &Geometry, image: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f64> {
        let exact = |value: f32| f64::from(f32::from_bits(u32::from(rounded(value)) << 16));
        let mut found = Vec::new();
        for row in 0..g.output_height() {
            for column in 0..g.output_width() {
                for output in 0..g.outputs {
                    let mut sum = f64::from(bias[output]);
                    for tap in 0..g.kernel * g.kernel {
                        let y = row * g.stride + tap / g.kernel;
                        let x = column * g.stride + tap % g.kernel;
                        let (Some(y), Some(x)) =
                            (y.checked_sub(g.padding), x.checked_sub(g.padding))
                        else {
                            continue;
                        };
                        if y >= g.height || x >= g.width {
                            continue;
                        }
                        for input in 0..g.inputs {
                            let value = image[(y * g.width + x) * g.inputs + input];
                            let weight =
                                weight[(output * g.inputs + input) * g.kernel * g.kernel + tap];
                            sum += exact(value) * exact(weight);
                        }
                    }
                    found.push(sum);
                }
            }
        }
        found
    }

    #[test]
    fn sums_are_those_of_rounded_values_and_the_same_bits_with_and_without_the_instructions() {
        for (index, (inputs, outputs, kernel, stride, padding, side)) in [
            (2, 5, 1, 1, 0, 3),
            (6, 16, 3, 1, 1, 7),
            (4, 33, 3, 2, 1, 9),
            (16, 48, 5, 1, 2, 6),
            (64, 20, 1, 1, 0, 5),
            (10, 32, 2, 2, 0, 8),
        ]
        .into_iter()
        .enumerate()
        {
            let g = Geometry {
                batch: 1,
                inputs,
                outputs,
                height: side,
                width: side + 2,
                kernel,
                stride,
                padding,
                groups: 1,
            };
            let image = noise(inputs * side * (side + 2), 1 + index as u32);
            let weight = noise(outputs * inputs * kernel * kernel, 100 + index as u32);
            let mut bias = noise(outputs, 200 + index as u32);
            let expected = expected(&g, &image, &weight, &bias);
            bias.resize(outputs.next_multiple_of(16), 0.0);
            let weights = Weights::new(&g, &weight, None);
            let mut output = vec![f32::NAN; expected.len()];
            let mut grid = Vec::new();
            let rows = 0..g.output_height();
            weights.rows(
                &g,
                &image,
                rows.clone(),
                0,
                &bias,
                &mut grid,
                outputs,
                &mut output,
            );
            for (found, expected) in output.iter().zip(&expected) {
                let difference = (f64::from(*found) - expected).abs();
                assert!(difference < 1e-4, "{g:?}: {found} is not {expected}");
            }
            let mut other = vec![f32::NAN; expected.len()];

            weights.dots(&g, rows, 0, &bias, &grid, outputs, &mut other, portable);
            assert_eq!(output, other, "{g:?}");
        }
    }
}
