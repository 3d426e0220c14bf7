//! Sixteen lanes of sums and pairs: with AVX512-BF16, and with whatever the processor has.

use super::rounding::Pair;
use crate::kernels::simd::PANEL;

/// Sixteen sums of products of pairs.
#[allow(unsafe_code)]
pub trait Lanes {
    type Sums: Copy;
    type Pairs: Copy;

    /// # Safety
    /// Sixteen values must be readable.
    unsafe fn sums(from: *const f32) -> Self::Sums;

    /// # Safety
    /// Sixteen pairs must be readable.
    unsafe fn pairs(from: *const Pair) -> Self::Pairs;

    /// The pair in every lane.
    ///
    /// # Safety
    /// The processor must have the instructions.
    unsafe fn pair(value: Pair) -> Self::Pairs;

    /// In each lane the sum, plus the product of the second values, plus that of the first ones, each rounded.
    ///
    /// # Safety
    /// The processor must have the instructions.
    unsafe fn dot(sums: Self::Sums, a: Self::Pairs, b: Self::Pairs) -> Self::Sums;

    /// `min(max(least, x), largest)`; NaN stays NaN.
    ///
    /// # Safety
    /// The processor must have the instructions.
    unsafe fn clamp(sums: Self::Sums, bounds: [f32; 2]) -> Self::Sums;

    /// # Safety
    /// Sixteen values must be writable.
    unsafe fn store(sums: Self::Sums, to: *mut f32);
}

/// Any processor.
pub struct Portable;

#[allow(unsafe_code)]
impl Lanes for Portable {
    type Sums = [f32; PANEL];
    type Pairs = [Pair; PANEL];

    #[inline(always)]
    unsafe fn sums(from: *const f32) -> Self::Sums {
        // SAFETY: as promised by the caller.
        unsafe { from.cast::<Self::Sums>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn pairs(from: *const Pair) -> Self::Pairs {
        // SAFETY: as promised by the caller.
        unsafe { from.cast::<Self::Pairs>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn pair(value: Pair) -> Self::Pairs {
        [value; PANEL]
    }

    #[inline(always)]
    unsafe fn dot(mut sums: Self::Sums, a: Self::Pairs, b: Self::Pairs) -> Self::Sums {
        let low = |pair: Pair| f32::from_bits(pair << 16);
        let high = |pair: Pair| f32::from_bits(pair & 0xffff_0000);
        for (sum, (a, b)) in sums.iter_mut().zip(a.into_iter().zip(b)) {
            // The products of two values of 8 bits are exact.
            *sum = (*sum + high(a) * high(b)) + low(a) * low(b);
        }
        sums
    }

    #[inline(always)]
    unsafe fn clamp(sums: Self::Sums, [least, largest]: [f32; 2]) -> Self::Sums {
        sums.map(|x| {
            let x = if x < least { least } else { x };
            if x > largest { largest } else { x }
        })
    }

    #[inline(always)]
    unsafe fn store(sums: Self::Sums, to: *mut f32) {
        // SAFETY: as promised by the caller.
        unsafe { to.cast::<Self::Sums>().write_unaligned(sums) }
    }
}

/// Whether the processor has AVX512-BF16.
#[cfg(target_arch = "x86_64")]
pub fn is_native() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bf16")
}

#[cfg(not(target_arch = "x86_64"))]
pub fn is_native() -> bool {
    false
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
pub mod native {
    use std::arch::x86_64::{
        __m512, __m512bh, __m512i, _mm512_dpbf16_ps, _mm512_loadu_ps, _mm512_loadu_si512,
        _mm512_max_ps, _mm512_min_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_storeu_ps,
    };
    use std::mem::transmute;

    use super::{Lanes, Pair};

    /// AVX512-BF16.
    pub struct Avx512Bf16;

    impl Lanes for Avx512Bf16 {
        type Sums = __m512;
        type Pairs = __m512bh;

        #[inline(always)]
        unsafe fn sums(from: *const f32) -> __m512 {
            // SAFETY: as promised by the caller.
            unsafe { _mm512_loadu_ps(from) }
        }

        #[inline(always)]
        unsafe fn pairs(from: *const Pair) -> __m512bh {
            // SAFETY: as promised by the caller; registers of the same size, of which every bit pattern is valid.
            unsafe { transmute::<__m512i, __m512bh>(_mm512_loadu_si512(from.cast())) }
        }

        #[inline(always)]
        unsafe fn pair(value: Pair) -> __m512bh {
            // SAFETY: as promised by the caller; as above.
            unsafe { transmute::<__m512i, __m512bh>(_mm512_set1_epi32(value.cast_signed())) }
        }

        #[inline(always)]
        unsafe fn dot(sums: __m512, a: __m512bh, b: __m512bh) -> __m512 {
            // SAFETY: as promised by the caller.
            unsafe { _mm512_dpbf16_ps(sums, a, b) }
        }

        #[inline(always)]
        unsafe fn clamp(sums: __m512, [least, largest]: [f32; 2]) -> __m512 {
            // SAFETY: as promised by the caller. Of a NaN, they return the second operand.
            unsafe {
                let sums = _mm512_max_ps(_mm512_set1_ps(least), sums);
                _mm512_min_ps(_mm512_set1_ps(largest), sums)
            }
        }

        #[inline(always)]
        unsafe fn store(sums: __m512, to: *mut f32) {
            // SAFETY: as promised by the caller.
            unsafe { _mm512_storeu_ps(to, sums) }
        }
    }
}
