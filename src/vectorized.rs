//! Plain loops on the SIMD of the processor.

use pulp::{Arch, Simd, WithSimd};

/// A closure without arguments that pulp's dispatch compiles for each instruction set, as far as it is inlined: it should be
/// `#[inline(always)]`, and so should closures and functions that it calls. What is not inlined is compiled for the baseline of the
/// target, which is slower.
///
/// `FnMut`, because the compiler's adapter that calls a closure as `FnOnce` would not be inlined.
pub(crate) struct Loops<F>(pub F);

impl<R, F: FnMut() -> R> WithSimd for Loops<F> {
    type Output = R;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) -> R {
        (self.0)()
    }
}

/// Runs [`Loops`], compiled for AVX-512, AVX2 and the baseline of the target, on the widest that the processor has. The compiler
/// neither fuses nor reorders floating-point operations for them: the results are the same bits everywhere.
#[inline(always)]
pub(crate) fn vectorized<R>(loops: impl FnMut() -> R) -> R {
    Arch::new().dispatch(Loops(loops))
}
