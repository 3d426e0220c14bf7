//! What other programs may rely on in the files that pages are written to.

#[path = "../common/mod.rs"]
mod common;
mod pages;
mod pdf;
mod xml;
