//! Several sources as one: training uses all of them, validation and test the first, or those that `evaluate` names.
//!
//! The classes are those of the first source and the extra ones of the config; the other sources' classes are matched by name. Training
//! samples are concatenated source by source, each repeated as configured; nothing is copied.

mod config;
mod rules;
mod source;

pub use config::MixConfig;
pub use source::Mix;
