//! Forms: named boxes on a page, each with its alphabet, and what is written in them.

mod definition;
mod fields;
mod table;

pub use definition::{Field, Form};
pub use fields::{FieldText, FormRow, read_form};
pub use table::{to_csv, to_json};
