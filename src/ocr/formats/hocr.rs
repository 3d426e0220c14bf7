//! hOCR 1.2 (kba.github.io/hocr-spec/1.2): XHTML whose elements carry their box and confidence in `title`.

use super::format::Format;
use super::sheet::{Sheet, title};
use super::xml::{Attribute, Xml};
use crate::ocr::page::{Line, Word};
use crate::segmentation::Rect;

/// What the document holds, in the terms of the specification.
const CAPABILITIES: &str = "ocr_page ocr_carea ocr_line ocrx_word ocrx_cinfo";
/// XHTML 1.0, as Tesseract's hOCR has it.
const DOCTYPE: &str = "html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \
                       \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\"";

/// hOCR 1.2.
pub static HOCR: Format = Format {
    name: "hocr",
    description: "hOCR 1.2: XHTML with boxes and confidences",
    extensions: &["hocr", "html", "xhtml"],
    is_binary: false,
    shows_image: false,
    holds_scores: false,
    write: |sheets, _| Ok(hocr(sheets).into_bytes()),
};

/// A document with all sheets as pages; boxes are `left top right bottom` in pixels of the upright image, confidences in per cent.
/// The format has no place for the next guesses; ALTO and JSON have.
pub fn hocr(sheets: &[Sheet]) -> String {
    let mut xml = Xml::new(DOCTYPE);
    let html = [("xmlns", "http://www.w3.org/1999/xhtml".into())];
    xml.block("html", &html, |xml| {
        xml.block("head", &[], |xml| head(xml, sheets));
        xml.block("body", &[], |xml| {
            for (number, sheet) in sheets.iter().enumerate() {
                page(xml, number, sheet);
            }
        });
    });
    xml.finish()
}

fn head(xml: &mut Xml, sheets: &[Sheet]) {
    xml.line("title", &[], &title(sheets));
    xml.empty(
        "meta",
        &[
            ("http-equiv", "Content-Type".into()),
            ("content", "text/html; charset=utf-8".into()),
        ],
    );
    let mut meta = |name: &str, content: String| {
        xml.empty("meta", &[("name", name.into()), ("content", content)])
    };
    meta("ocr-system", format!("kiln {}", env!("CARGO_PKG_VERSION")));
    meta("ocr-capabilities", CAPABILITIES.into());
    meta("ocr-number-of-pages", sheets.len().to_string());
}

fn page(xml: &mut Xml, number: usize, sheet: &Sheet) {
    let (width, height) = (sheet.page.width, sheet.page.height);
    // The specification has no escape for a quote inside the quoted name.
    let image = sheet.image.replace(['"', ';'], "_");
    let title = format!("image \"{image}\"; bbox 0 0 {width} {height}; ppageno {number}");
    let prefix = number + 1;
    let attributes = element("ocr_page", format!("page_{prefix}"), title);
    xml.block("div", &attributes, |xml| {
        let Some(area) = sheet.page.bounds() else {
            return;
        };
        let attributes = element("ocr_carea", format!("block_{prefix}_1"), bbox(area));
        xml.block("div", &attributes, |xml| {
            for (line, at) in sheet.page.lines.iter().zip(1..) {
                self::line(xml, &format!("{prefix}_{at}"), line);
            }
        });
    });
}

fn line(xml: &mut Xml, id: &str, line: &Line) {
    let attributes = element("ocr_line", format!("line_{id}"), bbox(line.bounds));
    xml.inline("span", &attributes, |xml| {
        for (word, at) in line.words.iter().zip(1..) {
            if at > 1 {
                xml.text(" ");
            }
            self::word(xml, &format!("{id}_{at}"), word);
        }
    });
    // White space between the lines, so that no words run together when only the text is extracted.
    xml.empty("br", &[]);
}

fn word(xml: &mut Xml, id: &str, word: &Word) {
    let title = format!(
        "{}; x_wconf {:.0}",
        bbox(word.bounds),
        100.0 * word.confidence
    );
    xml.inline(
        "span",
        &element("ocrx_word", format!("word_{id}"), title),
        |xml| {
            for letter in &word.letters {
                let title = format!(
                    "{}; x_confs {:.2}",
                    bbox(letter.bounds),
                    100.0 * letter.confidence
                );
                let attributes = [("class", "ocrx_cinfo".into()), ("title", title)];
                xml.inline("span", &attributes, |xml| xml.text(&letter.text));
            }
        },
    );
}

fn element(class: &str, id: String, title: String) -> [Attribute<'static>; 3] {
    [("class", class.into()), ("id", id), ("title", title)]
}

fn bbox(bounds: Rect) -> String {
    let Rect {
        x,
        y,
        width,
        height,
    } = bounds;
    format!("bbox {x} {y} {} {}", x + width, y + height)
}
