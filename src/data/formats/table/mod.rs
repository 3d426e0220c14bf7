//! Tables of numbers as text (CSV): a row per line, separated by commas, semicolons, tabs or spaces; with names of the columns or not.

mod columns;
mod rows;

pub use columns::LabelColumn;
pub use rows::{Table, read};
