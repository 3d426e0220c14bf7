//! The JSON Schema of configs, generated from their types, and the check of JSON against it.
//!
//! The same types give what editors complete, what `kiln config schema` prints and what kiln refuses.

mod check;
mod generate;
mod keys;
mod wording;

pub use check::problems;
pub use generate::{Variant, experiment, of, variants};
pub use keys::key_named;
pub(in crate::config) use wording::values;
