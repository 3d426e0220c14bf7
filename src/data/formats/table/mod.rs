//! Tables of numbers as text (CSV): a row per line, separated by commas, semicolons, tabs or spaces; with names of the columns or not.

mod columns;
mod guess;
mod rows;

pub use columns::{Columns, ExpectedColumns, LabelColumn};
pub use rows::{Table, read};
