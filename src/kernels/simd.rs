//! Vectors of either float type, over `pulp`, which picks the machine's widest instructions at run time.

use std::mem::MaybeUninit;

use bytemuck::Pod;
use pulp::{Arch, Scalar, Simd, WithSimd};

use super::special;
use crate::vectorized::Loops;

/// Channels in a panel: one AVX-512 register of `f32`, a whole number of every smaller register.
pub(super) const PANEL: usize = 16;

/// Channels in whole panels.
pub(super) fn padded(channels: usize) -> usize {
    channels.next_multiple_of(PANEL)
}

/// The two float types that the kernels work in.
pub trait Real:
    Pod
    + Send
    + Sync
    + PartialOrd
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + std::ops::AddAssign
    + std::fmt::Debug
{
    /// 0
    const ZERO: Self;

    /// 1
    const ONE: Self;

    /// A register of this type.
    type Vector<S: Simd>: Copy;

    /// A boolean for every lane.
    type Mask<S: Simd>: Copy;

    /// The values as `f32`, which alone are rounded to bfloat16. Panics for `f64`.
    fn single(values: &[Self]) -> &[f32];

    /// The same to write on.
    fn single_mut(values: &mut [Self]) -> &mut [f32];

    /// The same without values.
    fn single_room(room: &mut [MaybeUninit<Self>]) -> &mut [MaybeUninit<f32>];

    /// Rounds to this type.
    fn of(value: f64) -> Self;

    /// Widens without loss.
    fn wide(self) -> f64;

    /// The square root.
    fn sqrt(self) -> Self;

    /// The exponential; for `f32` within two units in the last place, and in a form that compilers vectorize.
    fn exp(self) -> Self;

    /// The hyperbolic tangent; for `f32` within three units in the last place.
    fn tanh(self) -> Self;

    /// The error function; for `f32` within `4e-7`.
    fn erf(self) -> Self;

    /// `x / (1 + exp(-x))`; for `f32` within `2e-7 max(1, |x|)`.
    fn silu(self) -> Self;

    /// The value in every lane.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;

    /// Runs `job` with the widest instructions of the machine that are compiled for this type.
    fn dispatch<J: WithSimd>(job: J) -> J::Output;

    /// `a b + c` lane by lane, rounded once where the machine can.
    fn multiply_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;

    /// `a + b`
    fn plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;

    /// `a - b`
    fn minus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;

    /// `a > b`
    fn greater<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S>;

    /// `a == b`
    fn equal<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S>;

    /// `a` where the mask is set, else `b`.
    fn select<S: Simd>(
        simd: S,
        mask: Self::Mask<S>,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
    ) -> Self::Vector<S>;
}

/// `min(max(least, x), largest)` lane by lane; NaN stays NaN.
#[inline(always)]
pub(super) fn clamp<S: Simd, T: Real>(
    simd: S,
    x: T::Vector<S>,
    [least, largest]: [T::Vector<S>; 2],
) -> T::Vector<S> {
    let x = T::select(simd, T::greater(simd, least, x), least, x);
    T::select(simd, T::greater(simd, x, largest), largest, x)
}

impl Real for f32 {
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    type Vector<S: Simd> = S::f32s;
    type Mask<S: Simd> = S::m32s;

    #[inline(always)]
    fn single(values: &[f32]) -> &[f32] {
        values
    }

    #[inline(always)]
    fn single_mut(values: &mut [f32]) -> &mut [f32] {
        values
    }

    #[inline(always)]
    fn single_room(room: &mut [MaybeUninit<f32>]) -> &mut [MaybeUninit<f32>] {
        room
    }

    #[inline(always)]
    fn of(value: f64) -> f32 {
        value as f32
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn sqrt(self) -> f32 {
        f32::sqrt(self)
    }

    /// `2^n e^r` with `n` the nearest whole number to `x / ln 2`; the polynomial for `e^r` is that of Cephes' `expf` (S. L.
    /// Moshier).
    #[inline(always)]
    fn exp(self) -> f32 {
        /// Added to a small number, leaves it rounded in the low bits.
        const ROUND: f32 = 12_582_912.0;
        const LN_2_HIGH: f32 = 0.693_359_4;
        const LN_2_LOW: f32 = -2.121_944_4e-4;
        let x = self.clamp(-87.0, 88.0);
        let shifted = x * std::f32::consts::LOG2_E + ROUND;
        let n = shifted - ROUND;
        let r = x - n * LN_2_HIGH - n * LN_2_LOW;
        let mut p = 1.987_569_1e-4;
        p = p * r + 1.398_2e-3;
        p = p * r + 8.333_452e-3;
        p = p * r + 4.166_579_6e-2;
        p = p * r + 1.666_666_5e-1;
        p = p * r + 0.5;
        let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
        (p * r * r + r + 1.0) * power
    }

    #[inline(always)]
    fn tanh(self) -> f32 {
        special::tanh(self, <f32 as Real>::exp)
    }

    #[inline(always)]
    fn erf(self) -> f32 {
        special::erf(self)
    }

    #[inline(always)]
    fn silu(self) -> f32 {
        special::silu(self)
    }

    #[inline(always)]
    fn splat<S: Simd>(simd: S, value: f32) -> S::f32s {
        simd.splat_f32s(value)
    }

    #[inline(always)]
    fn dispatch<J: WithSimd>(job: J) -> J::Output {
        Arch::new().dispatch(job)
    }

    #[inline(always)]
    fn multiply_add<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
        simd.mul_add_e_f32s(a, b, c)
    }

    #[inline(always)]
    fn plus<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
        simd.add_f32s(a, b)
    }

    #[inline(always)]
    fn minus<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
        simd.sub_f32s(a, b)
    }

    #[inline(always)]
    fn greater<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::m32s {
        simd.greater_than_f32s(a, b)
    }

    #[inline(always)]
    fn equal<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::m32s {
        simd.equal_f32s(a, b)
    }

    #[inline(always)]
    fn select<S: Simd>(simd: S, mask: S::m32s, a: S::f32s, b: S::f32s) -> S::f32s {
        simd.select_f32s(mask, a, b)
    }
}

impl Real for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    type Vector<S: Simd> = S::f64s;
    type Mask<S: Simd> = S::m64s;

    fn single(_: &[f64]) -> &[f32] {
        unreachable!("64 bits are not rounded to bfloat16")
    }

    fn single_mut(_: &mut [f64]) -> &mut [f32] {
        unreachable!("64 bits are not rounded to bfloat16")
    }

    fn single_room(_: &mut [MaybeUninit<f64>]) -> &mut [MaybeUninit<f32>] {
        unreachable!("64 bits are not rounded to bfloat16")
    }

    #[inline(always)]
    fn of(value: f64) -> f64 {
        value
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    #[inline(always)]
    fn sqrt(self) -> f64 {
        f64::sqrt(self)
    }

    #[inline(always)]
    fn exp(self) -> f64 {
        f64::exp(self)
    }

    #[inline(always)]
    fn tanh(self) -> f64 {
        f64::tanh(self)
    }

    #[inline(always)]
    fn erf(self) -> f64 {
        special::erf_series(self)
    }

    #[inline(always)]
    fn silu(self) -> f64 {
        self / (1.0 + f64::exp(-self))
    }

    #[inline(always)]
    fn splat<S: Simd>(simd: S, value: f64) -> S::f64s {
        simd.splat_f64s(value)
    }

    /// Without AVX-512: `f64` only checks gradients, and would make up a third of the kernels' machine code.
    #[inline(always)]
    fn dispatch<J: WithSimd>(job: J) -> J::Output {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        match pulp::x86::V3::try_new() {
            Some(simd) => Simd::vectorize(simd, job),
            None => Simd::vectorize(Scalar::new(), job),
        }
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
        Arch::new().dispatch(job)
    }

    #[inline(always)]
    fn multiply_add<S: Simd>(simd: S, a: S::f64s, b: S::f64s, c: S::f64s) -> S::f64s {
        simd.mul_add_e_f64s(a, b, c)
    }

    #[inline(always)]
    fn plus<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        simd.add_f64s(a, b)
    }

    #[inline(always)]
    fn minus<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::f64s {
        simd.sub_f64s(a, b)
    }

    #[inline(always)]
    fn greater<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::m64s {
        simd.greater_than_f64s(a, b)
    }

    #[inline(always)]
    fn equal<S: Simd>(simd: S, a: S::f64s, b: S::f64s) -> S::m64s {
        simd.equal_f64s(a, b)
    }

    #[inline(always)]
    fn select<S: Simd>(simd: S, mask: S::m64s, a: S::f64s, b: S::f64s) -> S::f64s {
        simd.select_f64s(mask, a, b)
    }
}

/// Lanes of a register; divides [`PANEL`].
#[inline(always)]
pub(super) fn lanes<S: Simd, T: Real>() -> usize {
    size_of::<T::Vector<S>>() / size_of::<T>()
}

/// Whether accumulators of a tile may take 24 registers, not 12. Asked as `if const { .. }`, so that the other tiles are not compiled.
#[inline(always)]
pub(super) const fn many_registers<S: Simd>() -> bool {
    S::REGISTER_COUNT >= 32
}

/// # Safety
/// A whole register must be readable at `from`.
#[inline(always)]
#[allow(unsafe_code)]
pub(super) unsafe fn load<S: Simd, T: Real>(from: *const T) -> T::Vector<S> {
    // SAFETY: as promised by the caller; the pointer need not be aligned.
    unsafe { from.cast::<T::Vector<S>>().read_unaligned() }
}

/// # Safety
/// A whole register must be writable at `to`.
#[inline(always)]
#[allow(unsafe_code)]
pub(super) unsafe fn store<S: Simd, T: Real>(to: *mut T, value: T::Vector<S>) {
    // SAFETY: as promised by the caller; the pointer need not be aligned.
    unsafe { to.cast::<T::Vector<S>>().write_unaligned(value) }
}

/// Runs [`Loops`] over values of type `T` with the widest instructions of the machine that are compiled for this type.
pub(super) fn widest<T: Real, R>(loops: impl FnMut() -> R) -> R {
    T::dispatch(Loops(loops))
}

/// Loads a register of the values from `at` on; panics if there are too few.
#[inline(always)]
#[allow(unsafe_code)]
pub(super) fn get<S: Simd, T: Real>(values: &[T], at: usize) -> T::Vector<S> {
    let values = &values[at..at + lanes::<S, T>()];
    // SAFETY: the slice is as long as the register.
    unsafe { load::<S, T>(values.as_ptr()) }
}

/// Stores a register from `at` on; panics if there is no room.
#[inline(always)]
#[allow(unsafe_code)]
pub(super) fn put<S: Simd, T: Real>(values: &mut [T], at: usize, value: T::Vector<S>) {
    let values = &mut values[at..at + lanes::<S, T>()];
    // SAFETY: the slice is as long as the register.
    unsafe { store::<S, T>(values.as_mut_ptr(), value) }
}

/// [`put`] into room for values.
#[inline(always)]
#[allow(unsafe_code)]
pub(super) fn fill<S: Simd, T: Real>(room: &mut [MaybeUninit<T>], at: usize, value: T::Vector<S>) {
    let room = &mut room[at..at + lanes::<S, T>()];
    // SAFETY: the slice is as long as the register.
    unsafe { store::<S, T>(room.as_mut_ptr().cast(), value) }
}

/// Adds a register to 64-bit sums from `at` on.
#[inline(always)]
pub(super) fn add_wide<S: Simd, T: Real>(sums: &mut [f64], at: usize, value: T::Vector<S>) {
    let mut all = [T::ZERO; PANEL];
    put::<S, T>(&mut all, 0, value);
    let lanes = lanes::<S, T>();
    for (sum, value) in sums[at..at + lanes].iter_mut().zip(all) {
        *sum += value.wide();
    }
}

/// Work that is the same for every channel.
pub(super) trait ByChannel<T: Real> {
    /// How many channels.
    fn channels(&self) -> usize;

    /// Works on the register of channels that starts at `channel`. Mark implementations `#[inline(always)]`.
    fn run<S: Simd>(&mut self, simd: S, channel: usize);
}

/// Runs `work` for all its channels: in the machine's widest registers, then one channel at a time.
pub(super) fn by_channel<T: Real>(work: impl ByChannel<T>) {
    struct All<T, K>(K, std::marker::PhantomData<T>);
    impl<T: Real, K: ByChannel<T>> WithSimd for All<T, K> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(mut self, simd: S) {
            let lanes = lanes::<S, T>();
            let whole = self.0.channels() / lanes * lanes;
            for channel in (0..whole).step_by(lanes) {
                self.0.run(simd, channel);
            }
            for channel in whole..self.0.channels() {
                self.0.run(Scalar::new(), channel);
            }
        }
    }
    T::dispatch(All(work, std::marker::PhantomData));
}
