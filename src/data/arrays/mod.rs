//! Sources whose images are arrays of numbers in a few files: their keys, and how arrays become images and classes.

mod classes_of_parts;
mod csv;
mod files;
pub mod idx;
mod keys;
mod labels;
mod layout;
mod mat;
mod members;
mod npz;
mod part;
mod pixels;
mod range;
mod source;

pub use csv::{ColumnConfig, CsvConfig};
pub use idx::IdxConfig;
pub use keys::ArrayKeys;
pub use labels::{Classes, Label, Labels};
pub use layout::{Expected, FlatOrder};
pub use mat::MatConfig;
pub use members::{Found, MemberConfig};
pub use npz::NpzConfig;
pub use part::Part;
pub use pixels::{Images, Pixels, images};
pub use range::{Range, Wanted};
pub(super) use range::{SCALE_BACK, are_too_many, slightly_beyond};
pub use source::ArraySource;
