//! The end of a run: the model file, its evaluation, the summary and the report.

mod model_file;
mod report;
mod results;

pub use results::finish;
