//! Labels in a file: CSV or JSON lines, named by `data.labels`.

mod columns;
mod delimited;
mod json_lines;
mod list;
mod lookup;
mod parse;
mod row;

pub(super) use list::{EXTENSIONS, list, names_images};
pub use parse::parse;
pub use row::{Row, Table};
