//! The JSON Schema of configs, generated from their types, and the check of JSON against it.
//!
//! The same types give what editors complete, what `kiln config schema` prints and what kiln refuses.

mod check;
mod generate;
mod wording;

pub use check::problems;
pub use generate::{Variant, experiment, of, variants};
