//! PDF.

use std::io::Read;
use std::path::Path;
use std::process::Command;

use image::codecs::jpeg::JpegEncoder;
use image::{ImageEncoder, Rgb, RgbImage};
use kiln::ocr::formats::{Picture, Sheet, pdf};
use kiln::ocr::{Page, Word};
use kiln::photo;
use proptest::prelude::*;

use crate::pages::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_pdf_of_any_text_has_its_offsets_right(lines in odd_words()) {
        let mut sheet = sheet(page(&lines));
        let white = RgbImage::from_pixel(3, 2, Rgb([255; 3]));
        sheet.picture = Some(Picture::new(Vec::new(), &white));
        check_pdf(&pdf(&[sheet]));
    }
}

/// Fails unless the cross-references lead to objects. (ISO 32000-1, section 7.5.4.)
fn check_pdf(file: &[u8]) {
    let text: String = file.iter().map(|&byte| char::from(byte)).collect();
    assert!(text.starts_with("%PDF-1."));
    let end = text.rfind("startxref").unwrap();
    let start: usize = text[end..].lines().nth(1).unwrap().parse().unwrap();
    // One character a byte: positions in `text` are not those in the file where a character has two.
    let at = |offset: usize| {
        String::from_utf8_lossy(&file[offset..(offset + 40).min(file.len())]).into_owned()
    };
    assert!(at(start).starts_with("xref\n"));
    let table = String::from_utf8_lossy(&file[start..]).into_owned();
    let entries = table
        .lines()
        .skip(2)
        .map(str::trim_end)
        .take_while(|line| line.ends_with(" n") || line.ends_with(" f"));
    let mut count = 0;
    for (number, entry) in entries
        .enumerate()
        .filter(|(_, entry)| entry.ends_with(" n"))
    {
        let offset: usize = entry[..10].parse().unwrap();
        let head = format!("{number} 0 obj");
        assert!(at(offset).starts_with(&head), "{head}: {}", at(offset));
        count += 1;
    }
    assert!(count >= 4, "{count} objects");
}

fn find(file: &[u8], what: &[u8]) -> Option<usize> {
    file.windows(what.len()).position(|window| window == what)
}

/// Four quarters of different colours, and a light ground.
fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(match (2 * x < width, 2 * y < height) {
            (true, true) => [220, 30, 30],
            (false, true) => [30, 200, 30],
            (true, false) => [30, 30, 220],
            (false, false) => [230, 230, 60],
        })
    })
}

/// A JPEG with an EXIF orientation (a TIFF block with that tag alone: 0x0112, one SHORT).
fn jpeg(picture: &RgbImage, orientation: u8) -> Vec<u8> {
    let mut block = b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    block.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_exif_metadata(block).unwrap();
    encoder
        .write_image(
            picture.as_raw(),
            picture.width(),
            picture.height(),
            image::ExtendedColorType::Rgb8,
        )
        .unwrap();
    bytes
}

fn with_picture(page: Page, file: Vec<u8>) -> (Sheet, RgbImage) {
    let upright = photo::decode(&file, Path::new("test.jpg"))
        .unwrap()
        .into_rgb8();
    let mut sheet = sheet(Page {
        width: upright.width(),
        height: upright.height(),
        ..page
    });
    sheet.picture = Some(Picture::new(file, &upright));
    (sheet, upright)
}

#[test]
fn a_jpeg_is_in_the_pdf_byte_by_byte() {
    let file = jpeg(&quarters(300, 200), 1);
    let (sheet, _) = with_picture(two_lines(), file.clone());
    let pdf = pdf(&[sheet]);
    check_pdf(&pdf);
    assert!(find(&pdf, &file).is_some());
    assert!(find(&pdf, b"/DCTDecode").is_some());
    assert!(find(&pdf, b"3 Tr").is_some(), "the text is not drawn");
}

#[test]
fn a_png_is_in_the_pdf_without_loss() {
    let picture = RgbImage::from_fn(13, 7, |x, y| Rgb([x * 19, y * 31, x * y].map(|v| v as u8)));
    let mut file = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut file, image::ImageFormat::Png)
        .unwrap();
    let (sheet, _) = with_picture(page(&[]), file.into_inner());
    let pdf = pdf(&[sheet]);
    check_pdf(&pdf);
    let filter = find(&pdf, b"/FlateDecode").unwrap();
    let start = filter + find(&pdf[filter..], b"stream\n").unwrap() + 7;
    let mut rows = Vec::new();
    flate2::read::ZlibDecoder::new(&pdf[start..])
        .read_to_end(&mut rows)
        .unwrap();
    let mut above = [0u8; 39];
    let mut values = Vec::new();
    for row in rows.chunks(40) {
        assert_eq!(row[0], 2, "the filter Up");
        for (value, above) in row[1..].iter().zip(&mut above) {
            *above = above.wrapping_add(*value);
        }
        values.extend(above);
    }
    assert_eq!(&values, picture.as_raw());
}

/// Runs a program of poppler-utils on a PDF: its folder, and what it prints.
fn poppler(program: &str, arguments: &[&str], pdf: &[u8]) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("test.pdf"), pdf).unwrap();
    let output = Command::new(program)
        .current_dir(folder.path())
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    assert_eq!(complaints, "", "{program} finds nothing wrong");
    (folder, String::from_utf8(output.stdout).unwrap())
}

#[test]
#[cfg_attr(
    not(kiln_tool = "pdftotext"),
    ignore = "needs pdftotext of poppler-utils"
)]
fn pdftotext_finds_the_words_where_they_stand_with_their_spaces() {
    let page = page(&[
        vec!["HELLO".into(), "W<&>D".into(), "ÄΩ中".into()],
        vec!["I".into(), "READ".into(), "7".into()],
    ]);
    let file = jpeg(&quarters(page.width, page.height), 1);
    let (sheet, _) = with_picture(page.clone(), file);
    let file = pdf(&[sheet.clone(), sheet]);
    let (_folder, text) = poppler("pdftotext", &["test.pdf", "-"], &file);
    let pages: Vec<&str> = text.split_terminator('\u{c}').collect();
    assert_eq!(pages.len(), 2);
    let lines: Vec<&str> = pages[1].lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, ["HELLO W<&>D ÄΩ中", "I READ 7"]);
    let (_folder, boxes) = poppler("pdftotext", &["-bbox", "test.pdf", "-"], &file);
    let document = parse(&boxes);
    let scale = 842.0 / f64::from(page.width.max(page.height));
    let words: Vec<&Word> = page.lines.iter().flat_map(|line| &line.words).collect();
    let found = all(&document, "word");
    assert_eq!(found.len(), 2 * words.len());
    for (node, word) in found.iter().zip(words) {
        assert_eq!(node.text(), Some(word.text.as_str()));
        let bounds = word.bounds;
        for (name, pixels) in [
            ("xMin", bounds.x),
            ("yMin", bounds.y),
            ("xMax", bounds.x + bounds.width),
            ("yMax", bounds.y + bounds.height),
        ] {
            let off = number(*node, name) / scale - f64::from(pixels);
            assert!(off.abs() < 2.0, "{} {name}: {off} pixels off", word.text);
        }
    }
}

#[test]
#[cfg_attr(
    not(kiln_tool = "pdftoppm"),
    ignore = "needs pdftoppm of poppler-utils"
)]
fn a_photograph_is_upright_in_the_pdf_however_the_camera_was_held() {
    for orientation in 1..=8 {
        let (sheet, upright) = with_picture(page(&[]), jpeg(&quarters(240, 160), orientation));
        let arguments = ["-png", "-scale-to", "240", "test.pdf", "seen"];
        let (folder, _) = poppler("pdftoppm", &arguments, &pdf(&[sheet]));
        let seen = image::open(folder.path().join("seen-1.png"))
            .unwrap()
            .into_rgb8();
        let sides = [
            (seen.width(), upright.width()),
            (seen.height(), upright.height()),
        ];
        // A page has no whole number of pixels.
        assert!(sides.iter().all(|(a, b)| a.abs_diff(*b) <= 1), "{sides:?}");
        let (width, height) = upright.dimensions();
        for (x, y) in [(1, 1), (3, 1), (1, 3), (3, 3)] {
            let (x, y) = (x * width / 4, y * height / 4);
            let (a, b) = (seen.get_pixel(x, y), upright.get_pixel(x, y));
            let off = (0..3).map(|i| a[i].abs_diff(b[i])).max().unwrap();
            assert!(
                off < 12,
                "orientation {orientation} at {x},{y}: {a:?} for {b:?}"
            );
        }
    }
}
