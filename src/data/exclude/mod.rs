//! Samples that are left out of any source: `data.exclude` names a list of them.

mod list;
mod source;

pub use list::{ExcludeList, line};
pub use source::{Excluding, open};
