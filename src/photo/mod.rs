//! Decoding photographs: image files as upright images in memory.
//!
//! The only place that decodes image files. The result is an 8-bit grey or RGB image, turned as its EXIF orientation says, with transparent
//! parts on white (on black where only light ink is opaque). Images that would take too much memory, and truncated files, are rejected.

mod colours;
mod complete;
mod decode;
mod error;
mod format;
mod header;
mod limits;
mod paper;
mod resolution;
mod scaled;
mod tiff;
mod tiff_header;

pub use decode::{decode, decode_page, open, page_indices};
pub use error::PhotoError;
pub use format::{
    FORMATS, SIGNATURE_BYTES, conversion, has_image_extension, has_image_signature, is_tiff,
};
pub use header::Header;
pub use limits::{MAX_FILE_BYTES, MAX_WORKING_BYTES};
pub use resolution::resolution;
pub use scaled::open_scaled;
