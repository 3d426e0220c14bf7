//! PDF files (ISO 32000), read with the crate hayro.
//!
//! hayro allocates what a file claims, and runs as long as a page draws. So a file is examined first: what its streams unpack to
//! (`streams`), what a page draws, and how large its images claim to be (`survey`).

mod claims;
mod file;
mod lzw;
mod render;
mod scan;
mod streams;
mod survey;

pub(super) use file::PdfFile;
