//! Memory that is written before it is read, without zeros first, and buffers that threads keep.

use std::any::Any;
use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};

use super::simd::Real;

/// Room for this many values.
#[allow(unsafe_code)]
pub(super) fn room<T: Real>(count: usize) -> Vec<MaybeUninit<T>> {
    let mut values = Vec::with_capacity(count);
    // SAFETY: the capacity is there, and a `MaybeUninit` needs no value.
    unsafe { values.set_len(count) };
    values
}

/// The values that fill a room.
///
/// # Safety
/// All of them must have been written.
#[allow(unsafe_code)]
pub(super) unsafe fn filled<T: Real>(room: Vec<MaybeUninit<T>>) -> Vec<T> {
    let mut room = std::mem::ManuallyDrop::new(room);
    // SAFETY: the parts of a vector whose elements have the same layout and, as promised by the caller, values.
    unsafe { Vec::from_raw_parts(room.as_mut_ptr().cast(), room.len(), room.capacity()) }
}

/// [`filled`] of a part.
///
/// # Safety
/// All of it must have been written.
#[allow(unsafe_code)]
pub(super) unsafe fn filled_part<T: Real>(room: &mut [MaybeUninit<T>]) -> &mut [T] {
    // SAFETY: as promised by the caller.
    unsafe { room.assume_init_mut() }
}

/// Values as room to write on.
///
/// # Safety
/// Nothing but values may be written: a `MaybeUninit::uninit()` would leave the slice without.
#[allow(unsafe_code)]
pub(super) unsafe fn as_room<T: Real>(values: &mut [T]) -> &mut [MaybeUninit<T>] {
    // SAFETY: the same layout; the caller keeps the values valid.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), values.len()) }
}

/// [`std::array::from_fn`], always inlined: a call of it would be compiled for the oldest machine, and pass registers through memory.
#[inline(always)]
#[allow(unsafe_code)]
pub(super) fn array<T: Copy, const N: usize>(mut value: impl FnMut(usize) -> T) -> [T; N] {
    let mut values = [MaybeUninit::uninit(); N];
    for (index, room) in values.iter_mut().enumerate() {
        room.write(value(index));
    }
    // SAFETY: an array of the same layout, of which every value has been written.
    unsafe { std::mem::transmute_copy(&values) }
}

/// Makes room for this many values at least.
pub(super) fn grow<T: Real>(values: &mut Vec<T>, count: usize) {
    if values.len() < count {
        values.resize(count, T::ZERO);
    }
}

thread_local! {
    static KEPT: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// Buffers that their thread keeps when they are dropped, for whoever asks for some of this type next: with what they hold. New ones would
/// be pages that the system fills with zeros first.
pub(super) struct Kept<B: Default + 'static>(Box<B>);

impl<B: Default> Default for Kept<B> {
    fn default() -> Self {
        let kept = KEPT.with_borrow_mut(|kept| {
            let found = kept.iter().rposition(|buffers| buffers.is::<B>())?;
            kept.swap_remove(found).downcast().ok()
        });
        Self(kept.unwrap_or_default())
    }
}

impl<B: Default> Drop for Kept<B> {
    fn drop(&mut self) {
        let buffers = std::mem::take(&mut self.0);
        // A thread that ends keeps nothing.
        let _ = KEPT.try_with(|kept| kept.borrow_mut().push(buffers));
    }
}

impl<B: Default> Deref for Kept<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.0
    }
}

impl<B: Default> DerefMut for Kept<B> {
    fn deref_mut(&mut self) -> &mut B {
        &mut self.0
    }
}

/// Whether this many values are more than the caches keep until they are read again, so that they had better be [`stream`]ed.
pub(super) fn is_large<T>(count: usize) -> bool {
    /// Bytes: about the share of a last cache that a core of a large machine has for itself.
    const BYTES: usize = 24 << 20;
    count * size_of::<T>() >= BYTES
}

/// Copies values to memory without reading it into the caches first, which halves the traffic.
pub(super) fn stream<T: Real>(from: &[T], to: &mut [MaybeUninit<T>]) {
    assert_eq!(from.len(), to.len());
    #[cfg(target_arch = "x86_64")]
    lines::stream(from, to);
    #[cfg(not(target_arch = "x86_64"))]
    to.write_copy_of_slice(from);
}

#[cfg(target_arch = "x86_64")]
mod lines {
    use std::arch::x86_64::{_mm_loadu_ps, _mm_sfence, _mm_stream_ps};
    use std::mem::MaybeUninit;

    use super::Real;

    /// Bytes of a line of the caches.
    const LINE: usize = 64;

    /// See [`stream`](super::stream): whole lines, past the caches; what is before and after, as usual.
    #[allow(unsafe_code)]
    pub(super) fn stream<T: Real>(from: &[T], to: &mut [MaybeUninit<T>]) {
        let line = LINE / size_of::<T>();
        let before = to.as_ptr().align_offset(LINE).min(to.len());
        let (head, body) = to.split_at_mut(before);
        head.write_copy_of_slice(&from[..before]);
        let from = &from[before..];
        let mut lines = body.chunks_exact_mut(line);
        for (to, from) in lines.by_ref().zip(from.chunks_exact(line)) {
            let (to, from) = (to.as_mut_ptr().cast::<f32>(), from.as_ptr().cast::<f32>());
            for quarter in 0..4 {
                // SAFETY: both have a line, of which this is a quarter; `to` is aligned to a line; every x86-64 processor
                // has these instructions.
                unsafe { _mm_stream_ps(to.add(4 * quarter), _mm_loadu_ps(from.add(4 * quarter))) };
            }
        }
        let rest = lines.into_remainder();
        rest.write_copy_of_slice(&from[from.len() - rest.len()..]);
        // SAFETY: every x86-64 processor has it. Other threads see the values once this one hands them over.
        unsafe { _mm_sfence() };
    }
}
