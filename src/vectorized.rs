//! Plain loops on the processor's widest vectors.

use pulp::{Arch, Simd, WithSimd};

/// Runs `work`, compiled for the widest vectors that the processor has (AVX-512, AVX2, or the least of its kind). The compiler fuses
/// and reorders no arithmetic for them: the results are the same bits everywhere.
///
/// `work` must be `#[inline(always)]`, and so must closures and functions that it calls: what is not inlined is compiled for the least.
#[inline(always)]
pub(crate) fn vectorized<R>(work: impl FnMut() -> R) -> R {
    struct Work<W>(W);
    impl<R, W: FnMut() -> R> WithSimd for Work<W> {
        type Output = R;

        // Called by reference: the compiler's adapter that calls it by value would not be inlined.
        #[inline(always)]
        fn with_simd<S: Simd>(mut self, _: S) -> R {
            (self.0)()
        }
    }
    Arch::new().dispatch(Work(work))
}
