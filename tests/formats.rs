//! What other programs may rely on in the files that pages are written to.

mod common;

use std::io::Read;
use std::path::Path;
use std::process::Command;

use image::codecs::jpeg::JpegEncoder;
use image::{ImageEncoder, Rgb, RgbImage};
use kiln::ocr::formats::{Format, Picture, Sheet, alto, hocr, pdf, tsv, write};
use kiln::ocr::{Guess, Letter, Line, Page, Word};
use kiln::photo;
use kiln::segmentation::Rect;
use proptest::prelude::*;
use roxmltree::{Document, Node, ParsingOptions};

// ---- Helpers ----

/// Size of a drawn letter, of the gap between words and of the distance between lines, in pixels.
const LETTER: (u32, u32) = (20, 30);
const GAP: u32 = 35;
const LINE: u32 = 60;
const MARGIN: u32 = 40;

fn word(text: &str, x: u32, y: u32) -> Word {
    let (width, height) = LETTER;
    let letters: Vec<Letter> = text
        .chars()
        .zip(0..)
        .map(|(letter, at)| Letter {
            bounds: Rect {
                x: x + at * width,
                y,
                width,
                height,
            },
            text: letter.to_string(),
            confidence: 0.9,
            alternatives: ["?", "!"]
                .map(|text| Guess {
                    text: text.into(),
                    confidence: 0.05,
                })
                .into(),
        })
        .collect();
    Word {
        bounds: Rect {
            x,
            y,
            width: width * letters.len().max(1) as u32,
            height,
        },
        text: text.into(),
        confidence: 0.9,
        letters,
    }
}

/// A page with a line of words for each text, and room around them.
fn page(lines: &[Vec<String>]) -> Page {
    let mut right = 0;
    let lines: Vec<Line> = lines
        .iter()
        .zip(0..)
        .map(|(words, number)| {
            let (mut x, y) = (MARGIN, MARGIN + number * LINE);
            let words: Vec<Word> = words
                .iter()
                .map(|text| {
                    let word = word(text, x, y);
                    x += word.bounds.width + GAP;
                    word
                })
                .collect();
            right = right.max(x);
            let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
            let bounds = words.iter().map(|word| word.bounds);
            Line {
                bounds: bounds.reduce(Rect::union).unwrap(),
                text: texts.join(" "),
                confidence: 0.9,
                words,
            }
        })
        .collect();
    Page {
        width: right + MARGIN,
        height: 2 * MARGIN + LINE * lines.len() as u32,
        lines,
    }
}

fn sheet(page: Page) -> Sheet {
    Sheet {
        image: "a <strange> & \"quoted\" name; with all.png".into(),
        page,
        score: None,
        picture: None,
    }
}

fn two_lines() -> Page {
    page(&[vec!["HELLO".into(), "WORLD".into()], vec!["7".into()]])
}

fn parse(text: &str) -> Document<'_> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn all<'a>(document: &'a Document, name: &str) -> Vec<Node<'a, 'a>> {
    let nodes = document.descendants();
    nodes.filter(|node| node.has_tag_name(name)).collect()
}

fn of_class<'a>(document: &'a Document, class: &str) -> Vec<Node<'a, 'a>> {
    let nodes = document.descendants();
    nodes
        .filter(|node| node.attribute("class") == Some(class))
        .collect()
}

fn number(node: Node, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

/// Any text of a word that a model might give: letters, what XML reserves, what it can't hold.
fn odd_words() -> impl Strategy<Value = Vec<Vec<String>>> {
    let letter = prop_oneof![
        Just('<'),
        Just('&'),
        Just('>'),
        Just('"'),
        Just('\''),
        Just('\t'),
        Just('\u{1}'),
        Just('\u{ffff}'),
        Just(']'),
        any::<char>(),
    ];
    let word = prop::collection::vec(letter, 1..6).prop_map(|word| word.into_iter().collect());
    prop::collection::vec(prop::collection::vec(word, 1..4), 0..4)
}

// ---- XML ----

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_page_of_any_text_is_well_formed_xml(lines in odd_words()) {
        let sheets = [sheet(page(&lines)), sheet(page(&lines))];
        let words: usize = lines.iter().map(Vec::len).sum();
        let text = alto(&sheets);
        let document = parse(&text);
        prop_assert_eq!(all(&document, "Page").len(), 2);
        prop_assert_eq!(all(&document, "String").len(), 2 * words);
        let text = hocr(&sheets);
        let document = parse(&text);
        prop_assert_eq!(of_class(&document, "ocr_page").len(), 2);
        prop_assert_eq!(of_class(&document, "ocrx_word").len(), 2 * words);
    }

    #[test]
    fn a_row_of_the_table_has_twelve_columns_whatever_the_text(lines in odd_words()) {
        let words: usize = lines.iter().map(Vec::len).sum();
        let text = tsv(&[sheet(page(&lines))]);
        let rows: Vec<&str> = text.split_terminator('\n').collect();
        let block = if lines.is_empty() { 0 } else { 2 };
        prop_assert_eq!(rows.len(), 1 + 1 + block + lines.len() + words);
        for row in rows {
            prop_assert_eq!(row.split('\t').count(), 12, "{}", row);
        }
    }

    #[test]
    fn a_pdf_of_any_text_has_its_offsets_right(lines in odd_words()) {
        let mut sheet = sheet(page(&lines));
        let white = RgbImage::from_pixel(3, 2, Rgb([255; 3]));
        sheet.picture = Some(Picture::new(Vec::new(), &white));
        check_pdf(&pdf(&[sheet]));
    }
}

#[test]
fn text_is_kept_as_it_is_in_xml() {
    let odd = page(&[vec!["A<B&\"C'".into()]]);
    let text = alto(&[sheet(odd.clone())]);
    let document = parse(&text);
    assert_eq!(
        all(&document, "String")[0].attribute("CONTENT"),
        Some("A<B&\"C'")
    );
    assert_eq!(
        all(&document, "fileName")[0].text(),
        Some("a <strange> & \"quoted\" name; with all.png")
    );
    let text = hocr(&[sheet(odd)]);
    let document = parse(&text);
    let letters: String = of_class(&document, "ocrx_word")[0]
        .descendants()
        .filter(|node| node.is_text())
        .map(|node| node.text().unwrap())
        .collect();
    assert_eq!(letters, "A<B&\"C'");
}

#[test]
fn hocr_has_its_boxes_inside_each_other_and_its_capabilities() {
    let text = hocr(&[sheet(two_lines())]);
    let document = parse(&text);
    let bbox = |node: Node| -> Vec<u32> {
        let title = node.attribute("title").unwrap();
        let part = title
            .split("; ")
            .find_map(|part| part.strip_prefix("bbox "));
        let numbers = part.unwrap().split(' ').map(|part| part.parse().unwrap());
        numbers.collect()
    };
    let classes = [
        "ocr_page",
        "ocr_carea",
        "ocr_line",
        "ocrx_word",
        "ocrx_cinfo",
    ];
    for (class, count) in classes.iter().zip([1, 1, 2, 3, 11]) {
        assert_eq!(of_class(&document, class).len(), count, "{class}");
    }
    for class in &classes[1..] {
        for node in of_class(&document, class) {
            let (inner, outer) = (bbox(node), bbox(node.parent().unwrap()));
            assert!(inner[0] >= outer[0] && inner[1] >= outer[1]);
            assert!(inner[2] <= outer[2] && inner[3] <= outer[3]);
        }
    }
    let capabilities = all(&document, "meta").into_iter();
    let mut capabilities =
        capabilities.filter(|meta| meta.attribute("name") == Some("ocr-capabilities"));
    let named = capabilities.next().unwrap().attribute("content").unwrap();
    assert!(classes.iter().all(|class| named.contains(class)), "{named}");
    assert!(
        of_class(&document, "ocrx_word")[0]
            .attribute("title")
            .unwrap()
            .contains("x_wconf 90")
    );
}

/// The order and number of children by the schema of ALTO 4.4 (alto-4-4.xsd), for what kiln writes of it.
#[test]
fn alto_has_the_elements_of_its_schema_in_their_order() {
    let text = alto(&[sheet(two_lines()), sheet(page(&[]))]);
    let document = parse(&text);
    let names = |node: Node| -> Vec<String> {
        let children = node.children().filter(Node::is_element);
        children
            .map(|child| child.tag_name().name().to_string())
            .collect()
    };
    let root = document.root_element();
    assert_eq!(
        root.tag_name().namespace(),
        Some("http://www.loc.gov/standards/alto/ns-v4#")
    );
    assert_eq!(names(root), ["Description", "Layout"]);
    assert_eq!(
        names(all(&document, "Description")[0]),
        ["MeasurementUnit", "Processing"]
    );
    assert_eq!(
        names(all(&document, "TextBlock")[0]),
        ["TextLine", "TextLine"]
    );
    assert_eq!(
        all(&document, "TextBlock").len(),
        1,
        "none on an empty page"
    );
    assert_eq!(
        names(all(&document, "TextLine")[0]),
        ["String", "SP", "String"]
    );
    let space = all(&document, "SP")[0];
    assert_eq!(number(space, "HPOS"), f64::from(MARGIN + 5 * LETTER.0));
    assert_eq!(number(space, "WIDTH"), f64::from(GAP));
    let glyph = all(&document, "Glyph")[0];
    assert_eq!(glyph.attribute("CONTENT"), Some("H"));
    assert_eq!(names(glyph), ["Variant", "Variant"]);
    for (name, confidence) in [
        ("String", "WC"),
        ("Glyph", "GC"),
        ("Variant", "VC"),
        ("Page", "PC"),
    ] {
        for node in all(&document, name) {
            assert!((0.0..=1.0).contains(&number(node, confidence)), "{name}");
        }
    }
    let mut ids: Vec<&str> = document
        .descendants()
        .filter_map(|node| node.attribute("ID"))
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "every name is given once");
}

#[test]
fn a_word_stands_in_the_table_where_it_stands_on_the_page() {
    let text = tsv(&[sheet(two_lines())]);
    let rows: Vec<&str> = text.lines().collect();
    assert!(rows[0].starts_with("level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft"));
    let world = rows.iter().find(|row| row.ends_with("\tWORLD")).unwrap();
    assert_eq!(*world, "5\t1\t1\t1\t1\t2\t175\t40\t100\t30\t90.0000\tWORLD");
}

#[test]
fn every_format_takes_a_page_without_writing_and_no_page_at_all() {
    for format in [
        Format::Text,
        Format::Json,
        Format::Hocr,
        Format::Alto,
        Format::Tsv,
        Format::Pdf,
    ] {
        assert!(write(format, &[sheet(page(&[]))], false).is_ok());
        assert!(write(format, &[], true).is_ok());
    }
}

// ---- PDF ----

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
