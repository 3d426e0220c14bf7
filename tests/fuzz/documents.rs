//! Files of several pages.

use std::path::Path;
use std::sync::Arc;

use kiln::document::Document;
use kiln::photo::MAX_WORKING_BYTES;

use super::targets::{name, rejected_in_a_line};

/// Parts of PDFs.
#[cfg(feature = "pdf")]
pub const PDF: &[&[u8]] = &[
    b"%PDF-1.7",
    b"1 0 obj",
    b"endobj",
    b"stream\n",
    b"endstream",
    b"<<",
    b">>",
    b"[",
    b"]",
    b"3 0 R",
    b"/Type/Page",
    b"/Type/Pages",
    b"/Kids",
    b"/MediaBox[0 0 200 200]",
    b"/Rotate 90",
    b"/Contents",
    b"/Filter/FlateDecode",
    b"/Filter/DCTDecode",
    b"/Filter/CCITTFaxDecode",
    b"/Filter/JPXDecode",
    b"/Filter/JBIG2Decode",
    b"/Filter/LZWDecode",
    b"/Columns 99999",
    b"/Width 99999",
    b"/Height 99999",
    b"/BitsPerComponent 1",
    b"/ImageMask true",
    b"/SMask",
    b"/Decode[1 0]",
    b"/Subtype/Form",
    b"/Encrypt",
    b"/ObjStm",
    b"/Prev 0",
    b"xref\n0 1\n",
    b"trailer",
    b"startxref\n0\n%%EOF",
    b"99999999999",
    b"-1",
];

/// Files of several pages with one of these extensions.
pub fn seeds(extension: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pages");
    let entries = std::fs::read_dir(folder).expect("the fixtures");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| std::fs::read(path).expect("a file"))
        .collect();
    assert!(seeds.len() > 1, "{} seeds", seeds.len());
    seeds
}

/// A file of several pages: the first and the last.
pub fn document(bytes: &[u8]) -> String {
    let document = match Document::new(Arc::new(bytes.to_vec()), name()) {
        Ok(document) => document,
        Err(error) => return rejected_in_a_line(error),
    };
    let answers = [1, document.pages()].map(|number| match document.page(number, 50, name()) {
        Ok(page) => {
            let pixels = u64::from(page.photo.width()) * u64::from(page.photo.height());
            assert!(pixels <= MAX_WORKING_BYTES);
            format!("{:?}", page.photo.color())
        }
        Err(error) => rejected_in_a_line(error),
    });
    format!("{} pages: {}", document.pages().min(3), answers.join("; "))
}
