//! Plain loops on the SIMD of the processor.

use pulp::{Arch, Simd, WithSimd};

/// Runs `work`, compiled for AVX-512, AVX2 and the baseline of the target, on the widest that the processor has. The compiler neither
/// fuses nor reorders floating-point operations for them: the results are the same bits everywhere.
///
/// `work` should be `#[inline(always)]`, and so should closures and functions that it calls: what is not inlined is compiled for the
/// baseline, which is slower.
#[inline(always)]
pub(crate) fn vectorized<R>(work: impl FnMut() -> R) -> R {
    struct Work<W>(W);
    impl<R, W: FnMut() -> R> WithSimd for Work<W> {
        type Output = R;

        // Called by reference: the compiler's adapter for a call by value would not be inlined.
        #[inline(always)]
        fn with_simd<S: Simd>(mut self, _: S) -> R {
            (self.0)()
        }
    }
    Arch::new().dispatch(Work(work))
}
