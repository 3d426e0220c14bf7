//! PDFs written by hand.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A PDF of objects, numbered from 1, of which the first is the catalog.
pub fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut places = Vec::new();
    for (object, number) in objects.iter().zip(1..) {
        places.push(file.len());
        writeln!(file, "{number} 0 obj").unwrap();
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let start = file.len();
    write!(file, "xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).unwrap();
    places
        .iter()
        .for_each(|place| writeln!(file, "{place:010} 00000 n ").unwrap());
    let size = places.len() + 1;
    write!(
        file,
        "trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n"
    )
    .unwrap();
    file
}

pub fn text(object: impl Into<String>) -> Vec<u8> {
    object.into().into_bytes()
}

pub fn stream(dictionary: &str, data: &[u8]) -> Vec<u8> {
    let mut object = text(format!("<<{dictionary}/Length {}>>stream\n", data.len()));
    object.extend(data);
    object.extend(b"\nendstream");
    object
}

/// A PDF with one page of these entries, and the objects that they refer to, from 4 on.
pub fn one_page(entries: &str, others: Vec<Vec<u8>>) -> Vec<u8> {
    let mut objects = vec![
        text("<</Type/Catalog/Pages 2 0 R>>"),
        text("<</Type/Pages/Kids[3 0 R]/Count 1>>"),
        text(format!("<</Type/Page/Parent 2 0 R{entries}>>")),
    ];
    objects.extend(others);
    pdf(&objects)
}

pub fn zlib(mut data: impl Read) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    std::io::copy(&mut data, &mut encoder).unwrap();
    encoder.finish().unwrap()
}
