//! PDF 1.7: each image fills a page, and the words lie over it as invisible text, where they are in the image.
//!
//! The text has a font of kiln's own without any shapes: each character is a box on the baseline. A word is as high as its line and
//! stretched to its own width; the space after it fills the gap to the next word. So what is selected and copied is what is seen. The
//! font holds every character of the pages with its Unicode value, whatever alphabet the model has.
//!
//! Programs that extract text from a PDF put it into lines and columns again, by baselines and by gaps measured in font sizes.
//! Slanted handwriting with wide gaps falls apart there, so the words of a line have one baseline, and the font is larger than its
//! boxes (pdftotext takes gaps above 0.7 font sizes for columns; people leave wider ones).

use std::collections::BTreeMap;

use image::metadata::Orientation;
use pdf_writer::types::{FontFlags, Predictor, SystemInfo, TextRenderingMode, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

use super::format::Format;
use super::picture::{Packing, Picture};
use super::sheet::{Sheet, title};
use crate::ocr::page::{Line, Word};
use crate::segmentation;

/// Longer side of a page in points, if its file doesn't say how large it is: that of A4. A photograph has no size of its own.
const LONGER_SIDE: f32 = 842.0;
/// Sides that a page may have in points (ISO 32000-1, annex C.2).
const SIDES: std::ops::RangeInclusive<f32> = 3.0..=14_400.0;
/// Units of the font's own coordinates per font size.
const UNITS: f32 = 1000.0;
/// Height of the boxes relative to the font size. On the course's pages, pdftotext finds all lines at 0.5, and breaks some of them
/// at 0.67 and at 0.4.
const BOX_HEIGHT: f32 = 0.5;
/// Width of a character as a fraction of the font size; poppler assumes this of Type 3 fonts, whose size it doesn't trust.
const CHARACTER_WIDTH: f32 = 0.5;
/// Width of a character in units of the font.
const ADVANCE: f32 = CHARACTER_WIDTH * UNITS;
/// Height of a character in units of the font.
const ASCENT: f32 = BOX_HEIGHT * UNITS;
/// Depth of characters below the baseline, in units of the font: none, but poppler takes 0 for "unknown".
const DESCENT: f32 = -1.0;
/// Characters per font: codes are one byte, and 0 is not used.
const CODES: usize = 255;
/// Name of the image among a page's resources.
const IMAGE: Name = Name(b"Image");

/// PDF 1.7.
pub static PDF: Format = Format {
    name: "pdf",
    description: "Searchable PDF: the image with invisible text over it",
    extensions: &["pdf"],
    is_binary: true,
    shows_image: true,
    holds_scores: false,
    write: |sheets, _| Ok(pdf(sheets)),
};

/// A document with a page for each sheet that has its picture.
pub fn pdf(sheets: &[Sheet]) -> Vec<u8> {
    let mut next = 1;
    let mut fresh = || {
        let id = Ref::new(next);
        next += 1;
        id
    };
    let (catalog, tree, info) = (fresh(), fresh(), fresh());
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.document_info(info)
        .title(TextStr(&title(sheets)))
        .creator(TextStr("kiln"))
        .producer(TextStr(concat!("kiln ", env!("CARGO_PKG_VERSION"))));
    let character_set = CharacterSet::of(sheets);
    let fonts: Vec<Ref> = character_set
        .fonts()
        .map(|characters| write_font(&mut pdf, characters, &mut fresh))
        .collect();
    let mut pages = Vec::new();
    for sheet in sheets {
        let Some(picture) = &sheet.picture else {
            continue;
        };
        let (page, image, content) = (fresh(), fresh(), fresh());
        write_image(&mut pdf, image, picture);
        let scale = Scale::of(&sheet.page, picture);
        let drawn = draw(sheet, picture, &scale, &character_set);
        pdf.stream(content, &drawn);
        let mut writer = pdf.page(page);
        writer.media_box(Rect::new(0.0, 0.0, scale.width, scale.height));
        writer.parent(tree);
        writer.contents(content);
        let mut resources = writer.resources();
        resources.x_objects().pair(IMAGE, image);
        let mut dictionary = resources.fonts();
        for (index, &font) in fonts.iter().enumerate() {
            dictionary.pair(Name(font_name(index).as_bytes()), font);
        }
        dictionary.finish();
        resources.finish();
        writer.finish();
        pages.push(page);
    }
    let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(pages).count(count);
    pdf.finish()
}

/// From pixels of the upright image, with y down, to points of the page, with y up.
struct Scale {
    /// Points per pixel, across and down.
    across: f32,
    down: f32,
    /// Width of the page in points.
    width: f32,
    /// Height of the page in points.
    height: f32,
}

impl Scale {
    /// The page is as large as its file says; otherwise its longer side is that of A4.
    fn of(page: &crate::ocr::Page, picture: &Picture) -> Self {
        let (columns, rows) = (page.width.max(1) as f32, page.height.max(1) as f32);
        match picture
            .size
            .filter(|size| size.iter().all(|side| SIDES.contains(side)))
        {
            Some([width, height]) => Self {
                across: width / columns,
                down: height / rows,
                width,
                height,
            },
            None => {
                let factor = LONGER_SIDE / columns.max(rows);
                Self {
                    across: factor,
                    down: factor,
                    width: factor * columns,
                    height: factor * rows,
                }
            }
        }
    }
}

/// The image, and all words over it.
fn draw(sheet: &Sheet, picture: &Picture, scale: &Scale, character_set: &CharacterSet) -> Vec<u8> {
    let mut content = Content::new();
    let [a, b, c, d, e, f] = upright(picture.orientation);
    let (width, height) = (scale.width, scale.height);
    content.save_state();
    content.transform([
        a * width,
        b * height,
        c * width,
        d * height,
        e * width,
        f * height,
    ]);
    content.x_object(IMAGE);
    content.restore_state();
    content.begin_text();
    content.set_text_rendering_mode(TextRenderingMode::Invisible);
    for line in &sheet.page.lines {
        draw_line(&mut content, line, scale, character_set);
    }
    content.end_text();
    content.finish().into_vec()
}

/// The matrix that shows a stored image (first row at the top of the unit square) upright in the unit square: `x' = a x + c y + e`, `y' = b x + d y + f`.
fn upright(orientation: Orientation) -> [f32; 6] {
    match orientation {
        Orientation::NoTransforms => [1.0, 0.0, 0.0, 1.0, 0.0, 0.0],
        Orientation::FlipHorizontal => [-1.0, 0.0, 0.0, 1.0, 1.0, 0.0],
        Orientation::Rotate180 => [-1.0, 0.0, 0.0, -1.0, 1.0, 1.0],
        Orientation::FlipVertical => [1.0, 0.0, 0.0, -1.0, 0.0, 1.0],
        // Rotated clockwise by 90 degrees, then mirrored: columns and rows change places.
        Orientation::Rotate90FlipH => [0.0, -1.0, -1.0, 0.0, 1.0, 1.0],
        Orientation::Rotate90 => [0.0, -1.0, 1.0, 0.0, 0.0, 1.0],
        Orientation::Rotate270FlipH => [0.0, 1.0, 1.0, 0.0, 0.0, 0.0],
        Orientation::Rotate270 => [0.0, 1.0, -1.0, 0.0, 1.0, 0.0],
    }
}

fn draw_line(content: &mut Content, line: &Line, scale: &Scale, character_set: &CharacterSet) {
    for (index, word) in line.words.iter().enumerate() {
        let bounds = segmentation::Rect {
            y: line.bounds.y,
            height: line.bounds.height,
            ..word.bounds
        };
        draw_text(content, &word.text, bounds, scale, character_set);
        if let Some(next) = line.words.get(index + 1) {
            let gap = segmentation::Rect {
                x: bounds.x + bounds.width,
                width: gap(word, next),
                ..bounds
            };
            draw_text(content, " ", gap, scale, character_set);
        }
    }
}

/// Pixels between two words; at least one, because slanted words may overlap.
fn gap(word: &Word, next: &Word) -> u32 {
    let end = word.bounds.x + word.bounds.width;
    next.bounds.x.saturating_sub(end).max(1)
}

/// Sets a text into a box, stretched to its width.
fn draw_text(
    content: &mut Content,
    text: &str,
    bounds: segmentation::Rect,
    scale: &Scale,
    character_set: &CharacterSet,
) {
    let size = bounds.height as f32 * scale.down / BOX_HEIGHT;
    let natural = text.chars().count() as f32 * CHARACTER_WIDTH * size;
    if natural <= 0.0 {
        return;
    }
    let width = bounds.width as f32 * scale.across;
    let left = bounds.x as f32 * scale.across;
    let bottom = scale.height - (bounds.y + bounds.height) as f32 * scale.down;
    content.set_horizontal_scaling(100.0 * width / natural);
    content.set_text_matrix([1.0, 0.0, 0.0, 1.0, left, bottom]);
    for (font, codes) in character_set.encode(text) {
        content.set_font(Name(font_name(font).as_bytes()), size);
        content.show(Str(&codes));
    }
}

/// The characters of all sheets, and their positions in the fonts.
struct CharacterSet {
    characters: Vec<char>,
    positions: BTreeMap<char, usize>,
}

impl CharacterSet {
    fn of(sheets: &[Sheet]) -> Self {
        let words = sheets.iter().flat_map(|sheet| &sheet.page.lines);
        let words = words.flat_map(|line| &line.words);
        let letters = words.flat_map(|word| word.text.chars());
        let mut characters: Vec<char> = letters.chain([' ']).collect();
        characters.sort_unstable();
        characters.dedup();
        let positions = characters.iter().copied().zip(0..).collect();
        Self {
            characters,
            positions,
        }
    }

    /// The characters of each font.
    fn fonts(&self) -> impl Iterator<Item = &[char]> {
        self.characters.chunks(CODES)
    }

    /// A text as runs of one font each: the font's index and codes.
    fn encode(&self, text: &str) -> Vec<(usize, Vec<u8>)> {
        let mut runs: Vec<(usize, Vec<u8>)> = Vec::new();
        for position in text.chars().filter_map(|c| self.positions.get(&c)) {
            // In 1..=CODES.
            let (font, code) = (position / CODES, (position % CODES + 1) as u8);
            match runs.last_mut() {
                Some((last, codes)) if *last == font => codes.push(code),
                _ => runs.push((font, vec![code])),
            }
        }
        runs
    }
}

fn font_name(index: usize) -> String {
    format!("F{index}")
}

/// Writes a Type 3 font whose glyphs are empty boxes; the code of `characters[i]` is `i + 1`.
fn write_font(pdf: &mut Pdf, characters: &[char], fresh: &mut impl FnMut() -> Ref) -> Ref {
    /// The glyph of all codes. It is not named after a letter, because readers would assume that letter's width.
    const GLYPH: Name = Name(b"box");
    let (font, glyph, unicode, descriptor) = (fresh(), fresh(), fresh(), fresh());
    // At most CODES.
    let last = characters.len() as u8;
    let mut writer = pdf.type3_font(font);
    writer.bbox(Rect::new(0.0, 0.0, ADVANCE, ASCENT));
    writer.matrix([1.0 / UNITS, 0.0, 0.0, 1.0 / UNITS, 0.0, 0.0]);
    writer.char_procs().pair(GLYPH, glyph);
    let mut encoding = writer.encoding_custom();
    encoding
        .differences()
        .consecutive(1, characters.iter().map(|_| GLYPH));
    encoding.finish();
    writer.first_char(1).last_char(last);
    writer.widths(characters.iter().map(|_| ADVANCE));
    writer.resources().finish();
    writer.to_unicode(unicode);
    writer.font_descriptor(descriptor);
    writer.finish();
    pdf.font_descriptor(descriptor)
        .name(Name(b"kiln"))
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(0.0, 0.0, ADVANCE, ASCENT))
        .italic_angle(0.0)
        .ascent(ASCENT)
        .descent(DESCENT)
        .cap_height(ASCENT)
        .stem_v(0.0);
    let mut drawing = Content::new();
    drawing.start_shape_glyph(ADVANCE, 0.0, 0.0, ADVANCE, ASCENT);
    pdf.stream(glyph, &drawing.finish());
    let system = SystemInfo {
        registry: Str(b"Adobe"),
        ordering: Str(b"UCS"),
        supplement: 0,
    };
    let mut map = UnicodeCmap::<u8>::new(Name(b"kiln"), system);
    for (&character, code) in characters.iter().zip(1u8..=u8::MAX) {
        map.pair(code, character);
    }
    pdf.stream(unicode, &map.finish());
    font
}

fn write_image(pdf: &mut Pdf, id: Ref, picture: &Picture) {
    let size = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
    let mut image = pdf.image_xobject(id, &picture.bytes);
    match picture.packing {
        Packing::Jpeg => {
            image.filter(Filter::DctDecode);
        }
        Packing::Zlib => {
            image.filter(Filter::FlateDecode);
            image
                .decode_parms()
                .predictor(Predictor::PngUp)
                .colors(i32::from(picture.channels))
                .bits_per_component(8)
                .columns(size(picture.width));
        }
    }
    image
        .width(size(picture.width))
        .height(size(picture.height));
    match picture.channels {
        1 => image.color_space().device_gray(),
        _ => image.color_space().device_rgb(),
    }
    image.bits_per_component(8);
    image.finish();
}
