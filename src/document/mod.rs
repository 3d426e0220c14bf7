//! Files of one page or of several: images, TIFFs and PDFs become one upright image per page.
//!
//! Images are decoded by [`photo`](crate::photo). Of a PDF (cargo feature `pdf`), a page that is one scan gives the scan's own pixels;
//! any other page is rendered.

mod file;
mod page;
#[cfg(feature = "pdf")]
mod pdf;
mod selection;

pub use file::{DEFAULT_DPI, Document, START_BYTES, has_extension, may_have_pages};
pub use page::PageImage;
pub use selection::PageSelection;
