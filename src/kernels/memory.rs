//! Memory that is written before it is read, without zeros first.

use std::mem::MaybeUninit;

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
