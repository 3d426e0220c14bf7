//! Runs the loops with the instructions that the processor has.

use super::lanes::Portable;
#[cfg(target_arch = "x86_64")]
use super::lanes::is_native;
use super::products::Products;
use super::rounding::{Pair, joined, rounded};
use super::rows::Rows;
use super::tiles::Dots;
use crate::kernels::simd::widest;

/// Calls a function of [`native`] where the processor has AVX512-BF16, else the one of [`portable`], which gives the same bits.
macro_rules! dispatched {
    ($function:ident($($argument:expr),*)) => {{
        #[cfg(target_arch = "x86_64")]
        if is_native() {
            // SAFETY: just asked.
            #[allow(unsafe_code)]
            unsafe { native::$function($($argument),*) };
            return;
        }
        portable::$function($($argument),*);
    }};
}

/// Every position's patch times the weights.
pub fn convolve(dots: &mut Dots) {
    dispatched!(convolve(dots));
}

/// Values of every position times its gradients, added to sums.
pub fn add_products(products: &mut Products) {
    dispatched!(add_products(products));
}

/// Rounds values, twice as many as there are pairs; neighbours are joined.
pub fn round_all(from: &[f32], to: &mut [Pair]) {
    assert_eq!(from.len(), 2 * to.len());
    dispatched!(round_all(from, to));
}

/// Rounds rows, and joins each value with that of the next row; the pairs of each two rows begin `to_step` after those before. A last row without
/// neighbour is joined with zeros.
pub fn join_rows(rows: Rows, to: &mut [Pair], to_step: usize) {
    dispatched!(join_rows(rows, to, to_step));
}

/// Rounds rows of an even number of values, and joins neighbours in them; the pairs of each row begin `to_step` after those before.
pub fn round_rows(rows: Rows, to: &mut [Pair], to_step: usize) {
    dispatched!(round_rows(rows, to, to_step));
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

mod portable {
    use super::{Dots, Pair, Portable, Products, Rows, joined, round_pairs, rounded, widest};

    pub fn convolve(dots: &mut Dots) {
        widest::<f32, _>(
            #[inline(always)]
            || dots.run::<Portable>(),
        );
    }

    pub fn add_products(products: &mut Products) {
        widest::<f32, _>(
            #[inline(always)]
            || products.run::<Portable>(),
        );
    }

    pub fn round_all(from: &[f32], to: &mut [Pair]) {
        widest::<f32, _>(
            #[inline(always)]
            || round_pairs(from, to),
        );
    }

    pub fn round_rows(rows: Rows, to: &mut [Pair], to_step: usize) {
        for (row, to) in rows.each().zip(to.chunks_mut(to_step)) {
            round_all(row, &mut to[..rows.width / 2]);
        }
    }

    pub fn join_rows(rows: Rows, to: &mut [Pair], to_step: usize) {
        for ((first, second), to) in rows.pairs().zip(to.chunks_mut(to_step)) {
            let to = &mut to[..rows.width];
            widest::<f32, _>(
                #[inline(always)]
                || match second {
                    Some(second) => {
                        for (to, (&a, &b)) in to.iter_mut().zip(first.iter().zip(second)) {
                            *to = joined(rounded(a), rounded(b));
                        }
                    }
                    None => {
                        for (to, &value) in to.iter_mut().zip(first) {
                            *to = joined(rounded(value), 0);
                        }
                    }
                },
            );
        }
    }
}

#[inline(always)]
fn round_pairs(from: &[f32], to: &mut [Pair]) {
    for (to, from) in to.iter_mut().zip(from.as_chunks::<2>().0) {
        *to = joined(rounded(from[0]), rounded(from[1]));
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod native {
    use std::arch::x86_64::{
        __m256bh, __m256i, __m512bh, __m512i, _mm512_cvtepu16_epi32, _mm512_cvtne2ps_pbh,
        _mm512_cvtneps_pbh, _mm512_loadu_ps, _mm512_or_si512, _mm512_slli_epi32,
        _mm512_storeu_si512,
    };
    #[cfg(feature = "app")]
    use std::hint::black_box;
    use std::mem::transmute;

    use super::{Dots, Pair, Products, Rows, joined, round_pairs, rounded};
    #[cfg(feature = "app")]
    use crate::kernels::bf16::lanes::Lanes;
    use crate::kernels::bf16::lanes::native::Avx512Bf16;
    use crate::kernels::simd::PANEL;

    #[target_feature(enable = "avx512f,avx512bf16")]
    pub fn convolve(dots: &mut Dots) {
        dots.run::<Avx512Bf16>();
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    pub fn add_products(products: &mut Products) {
        products.run::<Avx512Bf16>();
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
        round_pairs(rest, last);
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    pub fn round_rows(rows: Rows, to: &mut [Pair], to_step: usize) {
        for (row, to) in rows.each().zip(to.chunks_mut(to_step)) {
            round_all(row, &mut to[..rows.width / 2]);
        }
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    pub fn join_rows(rows: Rows, to: &mut [Pair], to_step: usize) {
        for ((first, second), to) in rows.pairs().zip(to.chunks_mut(to_step)) {
            let to = &mut to[..rows.width];
            let (firsts, first_rest) = first.as_chunks::<PANEL>();
            let (rooms, rest) = to.as_chunks_mut::<PANEL>();
            let Some(second) = second else {
                for (to, first) in rooms.iter_mut().zip(firsts) {
                    store(to, half(first));
                }
                for (to, &first) in rest.iter_mut().zip(first_rest) {
                    *to = joined(rounded(first), 0);
                }
                continue;
            };
            let (seconds, second_rest) = second.as_chunks::<PANEL>();
            for (to, (first, second)) in rooms.iter_mut().zip(firsts.iter().zip(seconds)) {
                let high = _mm512_slli_epi32::<16>(half(second));
                store(to, _mm512_or_si512(half(first), high));
            }
            let last = first_rest.iter().zip(second_rest);
            for (to, (&first, &second)) in rest.iter_mut().zip(last) {
                *to = joined(rounded(first), rounded(second));
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(to: &mut [Pair; PANEL], pairs: __m512i) {
        // SAFETY: a whole register.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), pairs) }
    }

    /// Rounded values in the low halves.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn half(values: &[f32; PANEL]) -> __m512i {
        // SAFETY: a whole register.
        let values = unsafe { _mm512_loadu_ps(values.as_ptr()) };
        // SAFETY: registers of the same size, of which every bit pattern is valid.
        let halves = unsafe { transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(values)) };
        _mm512_cvtepu16_epi32(halves)
    }
}

#[cfg(test)]
mod tests;
