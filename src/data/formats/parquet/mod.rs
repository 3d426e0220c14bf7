//! Parquet files: footers, pages and values of flat columns (lists are not read), and writing sets of images.
//!
//! Written here because every size can be checked before it is believed, which the `parquet` crate does not offer for pages.

mod footer;
mod pages;
mod runs;
mod thrift;
mod varint;
mod write;

pub use footer::{Chunk, Column, Footer, Physical};
pub use pages::{Value, each};
pub use write::{ImageRow, ImageWriter};
