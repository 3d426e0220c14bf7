//! Draws lines, frames and block capitals on an image; the capitals come from a built-in stroke alphabet, so that no font file is
//! needed.

use image::{Rgb, RgbImage};

use crate::segmentation::geometry::Rect;

/// Width of a letter's cell in grid units, the coordinates that [`strokes`] is written in.
const CELL_WIDTH: f32 = 4.0;
/// Height of a letter's cell, in grid units.
const CELL_HEIGHT: f32 = 6.0;
/// Distance from one letter's left side to the next one's, in grid units.
const ADVANCE: f32 = 5.5;

/// Mixes a colour into a pixel; `share` is in [0, 1], and 1 replaces it.
fn mix(pixel: &mut Rgb<u8>, colour: Rgb<u8>, share: f32) {
    for (value, new) in pixel.0.iter_mut().zip(colour.0) {
        let mixed = f32::from(*value) * (1.0 - share) + f32::from(new) * share;
        *value = mixed.round() as u8;
    }
}

/// Draws a straight line with round ends and soft edges, `width` pixels wide; what lies outside the image is clipped.
pub(in crate::segmentation) fn line(
    picture: &mut RgbImage,
    from: (f32, f32),
    to: (f32, f32),
    width: f32,
    colour: Rgb<u8>,
) {
    let reach = width / 2.0 + 1.0;
    let span = |a: f32, b: f32, limit: u32| {
        let first = (a.min(b) - reach).floor().max(0.0) as u32;
        let end = (a.max(b) + reach).ceil().clamp(0.0, limit as f32) as u32;
        first..end
    };
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let squared = (dx * dx + dy * dy).max(f32::EPSILON);
    for y in span(from.1, to.1, picture.height()) {
        for x in span(from.0, to.0, picture.width()) {
            let (px, py) = (x as f32 + 0.5 - from.0, y as f32 + 0.5 - from.1);
            let along = ((px * dx + py * dy) / squared).clamp(0.0, 1.0);
            let distance = (px - along * dx).hypot(py - along * dy);
            let share = (width / 2.0 + 0.5 - distance).clamp(0.0, 1.0);
            if share > 0.0 {
                mix(picture.get_pixel_mut(x, y), colour, share);
            }
        }
    }
}

/// Draws the outline of a box, `margin` pixels outside it.
pub(in crate::segmentation) fn frame(
    picture: &mut RgbImage,
    bounds: Rect,
    margin: f32,
    width: f32,
    colour: Rgb<u8>,
) {
    let (left, top) = (bounds.x as f32 - margin, bounds.y as f32 - margin);
    let right = (bounds.x + bounds.width) as f32 + margin;
    let bottom = (bounds.y + bounds.height) as f32 + margin;
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
    for side in 0..4 {
        line(
            picture,
            corners[side],
            corners[(side + 1) % 4],
            width,
            colour,
        );
    }
}

/// Width in pixels of a text whose capitals are `height` pixels high.
pub(in crate::segmentation) fn text_width(text: &str, height: f32) -> f32 {
    let letters = text.chars().count().max(1) as f32;
    ((letters - 1.0) * ADVANCE + CELL_WIDTH) * height / CELL_HEIGHT
}

/// Pen strokes of characters on the 4 x 6 grid, below which tails reach: points `xy`, strokes separated by spaces.
const STROKES: [(char, &str); 83] = [
    ('A', "062046 1434"),
    ('B', "0006364504 033342413000 3344"),
    ('C', "4130100105163645"),
    ('D', "000626442000 4442"),
    ('E', "40000646 0333"),
    ('F', "400006 0333"),
    ('G', "4130100105163645432343"),
    ('H', "0006 4046 0343"),
    ('I', "1030 2026 1636"),
    ('J', "40453616051404"),
    ('K', "0006 4003 0346"),
    ('L', "000646"),
    ('M', "0600234046"),
    ('N', "06004640"),
    ('O', "1001051636454130 3010"),
    ('P', "06003041423303"),
    ('Q', "10010516364541301 3010 2446"),
    ('R', "06003041423303 1346"),
    ('S', "41301001021333444536160504"),
    ('T', "0040 2026"),
    ('U', "000516364540"),
    ('V', "002640"),
    ('W', "0016233640"),
    ('X', "0046 4006"),
    ('Y', "0023 4023 2326"),
    ('Z', "00400646"),
    ('0', "100105163645413010 4105"),
    ('1', "112026 1636"),
    ('2', "011030414206 0646"),
    ('3', "01103041423313 334445361605"),
    ('4', "36300444"),
    ('5', "40000233444536160504"),
    ('6', "3010010516364544331304"),
    ('7', "004016"),
    ('8', "1001021333444536160504133342413010"),
    ('9', "4233130201103041453616"),
    ('a', "4246 4332120305163645"),
    ('b', "0006 0312324345361605"),
    ('c', "4332120305163645"),
    ('d', "4046 4332120305163645"),
    ('e', "04444332120305163645"),
    ('f', "41302126 1232"),
    ('g', "4332120305163645 4247381807"),
    ('h', "0006 0312324346"),
    ('i', "2226 2021"),
    ('j', "32372817 3031"),
    ('k', "0006 4204 1346"),
    ('l', "10202636"),
    ('m', "0206 03122326 23324346"),
    ('n', "0206 0312324346"),
    ('o', "120305163645433212"),
    ('p', "0208 0312324345361605"),
    ('q', "4248 4332120305163645"),
    ('r', "0206 031232"),
    ('s', "43321203143445361605"),
    ('t', "20253646 1232"),
    ('u', "0205163645 4246"),
    ('v', "022642"),
    ('w', "0216233642"),
    ('x', "0246 4206"),
    ('y', "0226 4208"),
    ('z', "02420646"),
    ('(', "30212536"),
    (')', "10212516"),
    ('+', "2125 0343"),
    ('=', "0242 0444"),
    (';', "2122 2516"),
    ('"', "1011 3031"),
    ('#', "1016 3036 0242 0444"),
    ('&', "461120311204163644"),
    ('%', "4006 0010 3646"),
    ('@', "34332324344441301001051636"),
    ('$', "41301001021333444536160504 2026"),
    ('*', "2125 0244 4204"),
    ('.', "2526"),
    (',', "2516"),
    ('-', "1333"),
    ('\'', "2021"),
    ('!', "2024 2526"),
    ('?', "0110304142232324 2526"),
    (':', "2122 2425"),
    ('/', "4006"),
    (' ', ""),
];
/// Those of any other character: a small box.
const UNKNOWN: &str = "1131353511 1511";

/// Writes text with its upper left corner at `corner`, capitals `height` pixels high.
pub(in crate::segmentation) fn text(
    picture: &mut RgbImage,
    text: &str,
    corner: (f32, f32),
    height: f32,
    colour: Rgb<u8>,
) {
    let unit = height / CELL_HEIGHT;
    for (index, letter) in text.chars().enumerate() {
        let left = corner.0 + index as f32 * ADVANCE * unit;
        for stroke in strokes(letter).split(' ') {
            let points: Vec<(f32, f32)> = stroke
                .as_bytes()
                .chunks_exact(2)
                .map(|pair| {
                    let grid = |digit: u8| f32::from(digit.saturating_sub(b'0')) * unit;
                    (left + grid(pair[0]), corner.1 + grid(pair[1]))
                })
                .collect();
            for pair in points.windows(2) {
                line(picture, pair[0], pair[1], unit.max(1.0), colour);
            }
        }
    }
}

/// Pen strokes of a character.
fn strokes(letter: char) -> &'static str {
    let known = STROKES.iter().find(|(character, _)| *character == letter);
    known.map_or(UNKNOWN, |(_, strokes)| strokes)
}
