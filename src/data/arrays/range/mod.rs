//! Which values of an array are black and white, and whether those of all splits are the same.

mod find;
mod kinds;
mod wanted;

pub use find::find;
pub use find::{SCALE_BACK, are_too_many, slightly_beyond};
pub use kinds::{Found, Range};
pub use wanted::Wanted;
