//! The end of a run: the model file, its evaluation, the summary and the report.

pub mod finalize;
pub mod page;
