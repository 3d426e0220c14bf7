//! The type of the tables of forms; see [`super::skeletons`] for the notation.

/// A way to write a character: `(weight, width in per cent of the height, path)`.
pub(super) type Form = (u32, u32, &'static str);
