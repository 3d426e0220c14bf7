//! Pages drawn here, whose letters are known exactly.

use image::{Rgb, RgbImage};
use imageproc::drawing::draw_filled_circle_mut;
use kiln::segmentation::{Rect, Segmentation};
use proptest::prelude::*;

pub const PAPER: Rgb<u8> = Rgb([225, 222, 215]);
pub const INK: Rgb<u8> = Rgb([60, 60, 95]);

/// Letters of straight strokes in a unit square, each in one piece except the last, whose bar hangs free.
pub const SHAPES: [&[[f32; 4]]; 8] = [
    &[[0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.6, 1.0]],   // L
    &[[0.0, 0.0, 0.7, 0.0], [0.35, 0.0, 0.35, 1.0]], // T
    &[
        [0.0, 0.0, 0.0, 1.0],
        [0.6, 0.0, 0.6, 1.0],
        [0.0, 0.5, 0.6, 0.5],
    ], // H
    &[[0.0, 0.0, 0.7, 1.0], [0.7, 0.0, 0.0, 1.0]],   // X
    &[[0.0, 0.0, 0.3, 1.0], [0.3, 1.0, 0.6, 0.0]],   // V
    &[[0.0, 0.0, 0.0, 1.0]],                         // 1
    &[
        [0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 0.6, 1.0],
        [0.6, 1.0, 0.6, 0.0],
    ], // N
    &[[0.0, 0.0, 0.6, 0.0], [0.3, 0.2, 0.3, 1.0]],   // T in two parts
];

/// Draws strokes in a box whose upper left corner is (left, top); returns the box around their ink.
pub fn draw(
    page: &mut RgbImage,
    strokes: &[[f32; 4]],
    left: f32,
    top: f32,
    height: f32,
    pen: i32,
) -> Rect {
    let (mut low, mut high) = ((i32::MAX, i32::MAX), (i32::MIN, i32::MIN));
    for [x0, y0, x1, y1] in strokes {
        let steps = (2.0 * height).ceil() as i32;
        for step in 0..=steps {
            let along = step as f32 / steps as f32;
            let x = (left + height * (x0 + along * (x1 - x0))).round() as i32;
            let y = (top + height * (y0 + along * (y1 - y0))).round() as i32;
            draw_filled_circle_mut(page, (x, y), pen, INK);
            low = (low.0.min(x - pen), low.1.min(y - pen));
            high = (high.0.max(x + pen), high.1.max(y + pen));
        }
    }
    Rect {
        x: low.0 as u32,
        y: low.1 as u32,
        width: (high.0 - low.0 + 1) as u32,
        height: (high.1 - low.1 + 1) as u32,
    }
}

/// A page of words of shapes; and the letters' boxes by line and word.
#[derive(Debug, Clone)]
pub struct Drawn {
    pub page: RgbImage,
    pub lines: Vec<Vec<Vec<Rect>>>,
}

/// Lines of words of shape numbers, `height` pixels high.
pub fn draw_page(text: &[Vec<Vec<usize>>], height: f32) -> Drawn {
    let pen = (height / 18.0).round().max(2.0) as i32;
    let widest = text
        .iter()
        .map(|line| {
            line.iter()
                .map(|word| word.len() as f32 * 1.1 + 1.4)
                .sum::<f32>()
        })
        .fold(0.0, f32::max);
    let width = ((widest + 2.0) * height) as u32;
    let rows = ((text.len() as f32 * 2.0 + 1.0) * height) as u32;
    let mut page = RgbImage::from_pixel(width, rows, PAPER);
    let mut lines = Vec::new();
    for (row, line) in text.iter().enumerate() {
        let (mut left, top) = (height, height * (1.0 + 2.0 * row as f32));
        let mut words = Vec::new();
        for word in line {
            let mut boxes = Vec::new();
            for &shape in word {
                let bounds = draw(&mut page, SHAPES[shape], left, top, height, pen);
                left = (bounds.x + bounds.width) as f32 + 0.4 * height;
                boxes.push(bounds);
            }
            left += height;
            words.push(boxes);
        }
        lines.push(words);
    }
    Drawn { page, lines }
}

pub fn found(page: &Segmentation) -> Vec<Vec<Vec<Rect>>> {
    let lines = page.lines.iter();
    lines
        .map(|line| {
            let words = line.words.iter();
            words
                .map(|word| word.letters.iter().map(|letter| letter.bounds).collect())
                .collect()
        })
        .collect()
}

/// How many letters are in each word.
pub fn counts(lines: &[Vec<Vec<Rect>>]) -> Vec<Vec<usize>> {
    let line = |line: &Vec<Vec<Rect>>| line.iter().map(Vec::len).collect();
    lines.iter().map(line).collect()
}

/// Largest difference between the sides of two pages' boxes, the second multiplied by `scale` and moved by `shift`.
pub fn largest_shift(a: &[Vec<Vec<Rect>>], b: &[Vec<Vec<Rect>>], scale: f32, shift: f32) -> f32 {
    assert_eq!(counts(a), counts(b));
    let sides = |rect: &Rect| {
        let (x, y) = (rect.x as f32, rect.y as f32);
        [x, y, x + rect.width as f32, y + rect.height as f32]
    };
    let pairs = a
        .iter()
        .flatten()
        .flatten()
        .zip(b.iter().flatten().flatten());
    pairs
        .flat_map(|(a, b)| {
            let moved = sides(b).map(|side| side * scale + shift);
            sides(a).into_iter().zip(moved).map(|(a, b)| (a - b).abs())
        })
        .fold(0.0, f32::max)
}

/// Two to four lines of one to three words of two to five letters.
pub fn text() -> impl Strategy<Value = Vec<Vec<Vec<usize>>>> {
    let word = prop::collection::vec(0..SHAPES.len(), 2..=5);
    let line = prop::collection::vec(word, 1..=3);
    prop::collection::vec(line, 2..=4)
}

/// Three lines, the middle one of two words.
pub fn sample_page() -> Drawn {
    let line = |words: &[&[usize]]| words.iter().map(|word| word.to_vec()).collect();
    draw_page(
        &[
            line(&[&[0, 2, 3, 6]]),
            line(&[&[1, 2, 4, 5], &[6, 7, 0, 2]]),
            line(&[&[3, 4, 6], &[2, 1, 0]]),
        ],
        50.0,
    )
}

/// A small generator of test noise (SplitMix64).
pub fn noise(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
