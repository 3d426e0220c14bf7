//! Files and pages that can't be read.

use std::fmt::Write;
use std::io::Read;
use std::path::Path;

use kiln::photo;
use predicates::prelude::*;
use predicates::str::contains;

use crate::common::Bench;
use crate::written::{one_page, pdf, stream, text, zlib};
use crate::{bench, open, page};

#[test]
#[cfg_attr(not(feature = "pdf"), ignore = "needs --features pdf")]
fn a_page_that_cannot_be_read_is_reported_and_counted_and_the_others_are_read() {
    let bench = bench(&["one.jpg"]);
    let jpeg = bench.read("one.jpg");
    let photo = photo::decode(&jpeg, Path::new("one.jpg")).unwrap();
    let image = |data: &[u8]| {
        let sides = format!("/Width {}/Height {}", photo.width(), photo.height());
        let dictionary = format!(
            "/Subtype/Image{sides}/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode"
        );
        stream(&dictionary, data)
    };
    let page = |image: usize, side: &str| {
        text(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {side} 400]/Contents 7 0 R/Resources<</XObject<</I {image} 0 R>>>>>>"
        ))
    };
    bench.write(
        "mixed.pdf",
        pdf(&[
            text("<</Type/Catalog/Pages 2 0 R>>"),
            text("<</Type/Pages/Kids[3 0 R 4 0 R 5 0 R]/Count 3>>"),
            page(6, "700"),
            page(6, "1000000000"),
            page(8, "700"),
            image(&jpeg),
            stream("", b"700 0 0 400 0 0 cm /I Do"),
            image(&jpeg[..40]),
        ]),
    );
    bench
        .kiln("ocr mixed.pdf")
        .assert()
        .code(1)
        .stdout(contains("== mixed.pdf, page 1\nHELLO WORLD\n"))
        .stderr(contains(
            "error: mixed.pdf, page 2: the page is 1000000000x400 points;",
        ))
        .stderr(contains(
            "error: mixed.pdf, page 3: the image on the page is damaged",
        ))
        .stderr(contains("2 of 3 pages could not be read"));
}

#[test]
#[cfg_attr(not(feature = "pdf"), ignore = "needs --features pdf")]
fn protected_damaged_and_empty_files_are_rejected_in_a_line() {
    let bench = bench(&["locked.pdf", "restricted.pdf", "drawn.pdf"]);
    bench.write("cut.pdf", &b"%PDF-1.7\n1 0 obj\n<</Type/Cat"[..]);
    bench.write(
        "none.pdf",
        pdf(&[
            text("<</Type/Catalog/Pages 2 0 R>>"),
            text("<</Type/Pages/Kids[]/Count 0>>"),
        ]),
    );
    for (file, says) in [
        (
            "locked.pdf",
            "is protected by a password; remove it with `qpdf",
        ),
        ("cut.pdf", "damaged or incomplete"),
        ("none.pdf", "has no pages"),
    ] {
        bench
            .kiln(&format!("ocr {file}"))
            .assert()
            .code(1)
            .stderr(predicate::function(|text: &str| text.lines().count() == 1))
            .stderr(contains(says));
    }
    // Without a password to open it, it is read.
    assert_eq!(
        page(&open("restricted.pdf"), 1).photo,
        page(&open("drawn.pdf"), 1).photo
    );
    assert!(
        photo::open(&bench.path("drawn.pdf"))
            .unwrap_err()
            .to_string()
            .contains("`kiln ocr`")
    );
}

/// A page that draws a thousand million things: each of nine forms draws the next one ten times.
fn nested() -> Vec<u8> {
    let mut forms = vec![stream("", b"/F5 Do")];
    for number in 5..14 {
        let mut content = String::new();
        (0..10).for_each(|_| write!(content, "/F{} Do 0 0 1 1 re f ", number + 1).unwrap());
        let next = format!("/Resources<</XObject<</F{0} {0} 0 R>>>>", number + 1);
        forms.push(stream(
            &format!("/Subtype/Form/BBox[0 0 9 9]{next}"),
            content.as_bytes(),
        ));
    }
    forms.push(stream("/Subtype/Form/BBox[0 0 9 9]", b"0 0 1 1 re f"));
    one_page("/Contents 4 0 R/Resources<</XObject<</F5 5 0 R>>>>", forms)
}

/// LZW data (ISO 32000-1, 7.4.4) of 12 bits a code: a full table, and then its longest entry 300,000 times.
fn lzw() -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    let mut put = |code: usize, width: usize| {
        bits.extend((0..width).rev().map(|bit| code >> bit & 1 == 1));
    };
    put(256, 9);
    put(0, 9);
    for code in 258..4096 {
        put(
            code,
            9 + [511, 1023, 2047]
                .iter()
                .filter(|&&full| code >= full)
                .count(),
        );
    }
    (0..300_000).for_each(|_| put(4095, 12));
    bits.chunks(8)
        .map(|chunk| {
            let byte = chunk
                .iter()
                .fold(0, |byte: u8, &bit| byte << 1 | u8::from(bit));
            byte << (8 - chunk.len())
        })
        .collect()
}

#[test]
#[cfg_attr(not(feature = "pdf"), ignore = "needs --features pdf")]
fn files_that_would_take_all_memory_or_time_are_refused() {
    let bench = Bench::new();
    let kids = "<</Type/Page>>".repeat(10_001);
    let many = pdf(&[
        text("<</Type/Catalog/Pages 2 0 R>>"),
        text(format!("<</Type/Pages/Count 10001/Kids[{kids}]>>")),
    ]);
    let zeros = zlib(std::io::repeat(b' ').take(950_000_000));
    let unpacks = one_page(
        "/Contents 4 0 R",
        vec![stream("/Filter/FlateDecode", &zeros)],
    );
    let twice = one_page(
        "/Contents 4 0 R",
        vec![stream("/Filter[/FlateDecode/Fl]", &zlib(zeros.as_slice()))],
    );
    // As text: every byte as two digits.
    let digits: String = zeros.iter().map(|byte| format!("{byte:02x}")).collect();
    let as_text = one_page(
        "/Contents 4 0 R",
        vec![stream("/Filter[/AHx/Fl]", digits.as_bytes())],
    );
    // Without the header of zlib, which readers of PDF tolerate.
    let headless = one_page(
        "/Contents 4 0 R",
        vec![stream("/Filter/FlateDecode", &zeros[2..])],
    );
    let lzw = one_page("/Contents 4 0 R", vec![stream("/Filter/LZWDecode", &lzw())]);
    let huge = "/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceGray";
    let image = one_page(
        "/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>",
        vec![stream("", b"9 0 0 9 0 0 cm /I Do"), stream(huge, b"")],
    );
    for (name, file, code, says) in [
        ("many.pdf", many, 2, "has 10001 pages; at most 10000"),
        ("unpacks.pdf", unpacks, 1, "unpacks to more than 900 MB"),
        ("twice.pdf", twice, 1, "compressed twice"),
        ("headless.pdf", headless, 1, "unpacks to more than 900 MB"),
        ("lzw.pdf", lzw, 1, "unpacks to more than 900 MB"),
        ("as_text.pdf", as_text, 1, "unpacks to more than 900 MB"),
        (
            "image.pdf",
            image,
            1,
            "an image of 60000x60000 pixels on the page needs 28800 MB",
        ),
        ("nested.pdf", nested(), 1, "draws more than"),
    ] {
        bench.write(name, file);
        bench
            .kiln(&format!("segment {name}"))
            .assert()
            .code(code)
            .stderr(contains(says));
    }
}
