//! File formats for pages.
//!
//! A format is one file here and one line in [`FORMATS`]: a [`Format`] that turns [`Sheet`]s (pages with the names of their images)
//! into the bytes of a file.

mod alto;
mod format;
mod hocr;
mod json;
mod list;
mod pdf;
mod picture;
mod sheet;
mod text;
mod tsv;
mod xml;

pub use alto::alto;
pub use format::Format;
pub use hocr::hocr;
pub use json::JSON;
pub use list::FORMATS;
pub use pdf::pdf;
pub use picture::Picture;
pub use sheet::{Sheet, page_name};
pub use text::{TEXT, texts};
pub use tsv::tsv;
