//! Debug images: what was found on a page, and what each stage made of it.

mod canvas;
pub(super) mod overlay;
pub(super) mod pictures;
