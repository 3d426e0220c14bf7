//! ALTO 4.4 (www.loc.gov/standards/alto): XML with a string per word and a glyph per letter.

use super::format::Format;
use super::sheet::Sheet;
use super::xml::{Attribute, Xml};
use crate::ocr::page::{Letter, Line, Word};
use crate::segmentation::Rect;

const NAMESPACE: &str = "http://www.loc.gov/standards/alto/ns-v4#";
const SCHEMA: &str = "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd";
const VERSION: &str = "4.4";
/// Longest text of a glyph's variant, in characters (by the schema).
const MAX_VARIANT: usize = 3;

/// ALTO 4.4.
pub static ALTO: Format = Format {
    name: "alto",
    description: "ALTO 4.4: XML with boxes, confidences and alternatives",
    extensions: &["xml", "alto"],
    is_binary: false,
    shows_image: false,
    holds_scores: false,
    write: |sheets, _| Ok(alto(sheets).into_bytes()),
};

/// A document with all sheets as pages: boxes in pixels of the upright image, confidences in [0, 1], the next guesses as variants of
/// their glyph. The file's name is given if all pages are of one file: ALTO has one place for it.
pub fn alto(sheets: &[Sheet]) -> String {
    let mut xml = Xml::new("");
    let root = [
        ("xmlns", NAMESPACE.to_string()),
        (
            "xmlns:xsi",
            "http://www.w3.org/2001/XMLSchema-instance".into(),
        ),
        ("xsi:schemaLocation", format!("{NAMESPACE} {SCHEMA}")),
        ("SCHEMAVERSION", VERSION.into()),
    ];
    xml.block("alto", &root, |xml| {
        xml.block("Description", &[], |xml| description(xml, sheets));
        xml.block("Layout", &[], |xml| {
            for (sheet, number) in sheets.iter().zip(1..) {
                page(xml, number, sheet);
            }
        });
    });
    xml.finish()
}

fn description(xml: &mut Xml, sheets: &[Sheet]) {
    xml.line("MeasurementUnit", &[], "pixel");
    if let Some((first, others)) = sheets.split_first()
        && others.iter().all(|sheet| sheet.image == first.image)
    {
        xml.block("sourceImageInformation", &[], |xml| {
            xml.line("fileName", &[], &first.image);
        });
    }
    xml.block("Processing", &[("ID", "processing_1".into())], |xml| {
        xml.line("processingCategory", &[], "contentGeneration");
        xml.block("processingSoftware", &[], |xml| {
            xml.line("softwareName", &[], "kiln");
            xml.line("softwareVersion", &[], env!("CARGO_PKG_VERSION"));
        });
    });
}

fn page(xml: &mut Xml, number: usize, sheet: &Sheet) {
    let page = &sheet.page;
    let attributes = [
        ("ID", format!("page_{number}")),
        ("WIDTH", page.width.to_string()),
        ("HEIGHT", page.height.to_string()),
        ("PHYSICAL_IMG_NR", number.to_string()),
        ("PC", probability(page.confidence())),
    ];
    let whole = Rect {
        x: 0,
        y: 0,
        width: page.width,
        height: page.height,
    };
    xml.block("Page", &attributes, |xml| {
        xml.block("PrintSpace", &place(whole), |xml| {
            let Some(area) = page.bounds() else {
                return;
            };
            let attributes = with_id(format!("block_{number}"), area);
            xml.block("TextBlock", &attributes, |xml| {
                // The schema requires a string in every line.
                let lines = page.lines.iter().filter(|line| !line.words.is_empty());
                for (line, at) in lines.zip(1..) {
                    self::line(xml, &format!("{number}_{at}"), line);
                }
            });
        });
    });
}

fn line(xml: &mut Xml, id: &str, line: &Line) {
    xml.block(
        "TextLine",
        &with_id(format!("line_{id}"), line.bounds),
        |xml| {
            for (word, at) in line.words.iter().zip(1..) {
                self::word(xml, &format!("{id}_{at}"), word);
                if let Some(next) = line.words.get(at) {
                    let left = word.bounds.x + word.bounds.width;
                    let space = [
                        ("HPOS", left.to_string()),
                        ("VPOS", line.bounds.y.to_string()),
                        // Slanted words may overlap.
                        ("WIDTH", next.bounds.x.saturating_sub(left).to_string()),
                    ];
                    xml.empty("SP", &space);
                }
            }
        },
    );
}

fn word(xml: &mut Xml, id: &str, word: &Word) {
    let mut attributes = with_id(format!("word_{id}"), word.bounds);
    attributes.push(("CONTENT", word.text.clone()));
    attributes.push(("WC", probability(word.confidence)));
    xml.block("String", &attributes, |xml| {
        // By the schema, a glyph is one character.
        let single = |letter: &&Letter| letter.text.chars().count() == 1;
        for letter in word.letters.iter().filter(single) {
            glyph(xml, letter);
        }
    });
}

fn glyph(xml: &mut Xml, letter: &Letter) {
    let mut attributes = place(letter.bounds);
    attributes.push(("CONTENT", letter.text.clone()));
    attributes.push(("GC", probability(letter.confidence)));
    xml.block("Glyph", &attributes, |xml| {
        for guess in &letter.alternatives {
            if guess.text.chars().count() <= MAX_VARIANT {
                let variant = [
                    ("CONTENT", guess.text.clone()),
                    ("VC", probability(guess.confidence)),
                ];
                xml.empty("Variant", &variant);
            }
        }
    });
}

fn with_id(id: String, bounds: Rect) -> Vec<Attribute<'static>> {
    let mut attributes = vec![("ID", id)];
    attributes.extend(place(bounds));
    attributes
}

fn place(bounds: Rect) -> Vec<Attribute<'static>> {
    vec![
        ("HPOS", bounds.x.to_string()),
        ("VPOS", bounds.y.to_string()),
        ("WIDTH", bounds.width.to_string()),
        ("HEIGHT", bounds.height.to_string()),
    ]
}

fn probability(value: f32) -> String {
    format!("{:.4}", value.clamp(0.0, 1.0))
}
