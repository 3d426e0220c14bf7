//! Pages composed of NIST36 validation characters: writers that no model was trained on, and arbitrary words.
#![allow(dead_code)] // No test uses all of it.

use std::path::Path;

use image::{Rgb, RgbImage};
use kiln::data::Nist36Config;
use kiln::data::{DataSource, Split, nist36};

/// Enlargement of the 32x32 characters; their letters are then 50 pixels high.
const SCALE: u32 = 2;
const LINE: u32 = 110;
const MARGIN: u32 = 60;
const WORD_GAP: i32 = 55;

/// A small generator of test noise (SplitMix64).
pub fn noise(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Which samples are used, by their number.
#[derive(Clone, Copy)]
pub enum Samples {
    All,
    Even,
    Odd,
}

impl Samples {
    fn has(self, index: usize) -> bool {
        match self {
            Samples::All => true,
            Samples::Even => index.is_multiple_of(2),
            Samples::Odd => !index.is_multiple_of(2),
        }
    }
}

/// The characters, by class A to Z, 0 to 9: width, height and ink of each, without its margins.
pub struct Characters(Vec<Vec<(usize, usize, Vec<f32>)>>);

impl Characters {
    pub fn open(data: &Path) -> Characters {
        Self::of(data, Samples::All)
    }

    pub fn of(data: &Path, samples: Samples) -> Characters {
        let source = nist36::open(&Nist36Config::default(), data).expect("NIST36");
        let mut classes = vec![Vec::new(); 36];
        let mut pixels = vec![0.0; 1024];
        for index in (0..source.len(Split::Valid)).filter(|index| samples.has(*index)) {
            source
                .read(Split::Valid, index, 0, &mut pixels)
                .expect("a sample");
            classes[source.label(Split::Valid, index)].push(trimmed(&pixels));
        }
        Characters(classes)
    }

    /// Writes lines of words with `gaps` (from, to) pixels between letters; below 0 they overlap.
    pub fn page(&self, lines: &[String], gaps: (i32, i32), seed: u64) -> RgbImage {
        let mut random = noise(seed);
        let height = 2 * MARGIN + LINE * lines.len() as u32;
        let mut placed = Vec::new();
        let mut widest = 0;
        for (row, line) in lines.iter().enumerate() {
            let base = (MARGIN + LINE * row as u32 + 70) as i32;
            let mut x = MARGIN as i32;
            for character in line.chars() {
                let Some(class) = class(character) else {
                    x += WORD_GAP;
                    continue;
                };
                let samples = &self.0[class];
                let sample = &samples[random() as usize % samples.len()];
                let wander = (random() % 7) as i32 - 3;
                placed.push((sample, x, base + wander));
                let span = (gaps.1 - gaps.0).max(1) as u64;
                x += sample.0 as i32 * SCALE as i32 + gaps.0 + (random() % span) as i32;
            }
            widest = widest.max(x);
        }
        let mut page = RgbImage::from_pixel(widest as u32 + MARGIN, height, Rgb([236; 3]));
        for ((width, height, ink), left, base) in placed {
            for y in 0..height * SCALE as usize {
                for x in 0..width * SCALE as usize {
                    let value = smooth(ink, *width, *height, x, y);
                    let (px, py) = (
                        left + x as i32,
                        base - (height * SCALE as usize) as i32 + y as i32,
                    );
                    let pixel = page.get_pixel_mut(px as u32, py as u32);
                    let grey = (236.0 - 190.0 * value) as u8;
                    pixel.0 = pixel.0.map(|old| old.min(grey));
                }
            }
        }
        page
    }
}

fn class(character: char) -> Option<usize> {
    match character {
        'A'..='Z' => Some(character as usize - 'A' as usize),
        '0'..='9' => Some(26 + character as usize - '0' as usize),
        _ => None,
    }
}

/// A sample's ink (1 is ink) without its empty rows and columns.
fn trimmed(pixels: &[f32]) -> (usize, usize, Vec<f32>) {
    let inked = |at: &usize| pixels[*at] < 0.5;
    let all: Vec<usize> = (0..1024).filter(inked).collect();
    let columns = all.iter().map(|at| at % 32);
    let rows = all.iter().map(|at| at / 32);
    let (left, right) = (columns.clone().min().unwrap(), columns.max().unwrap() + 1);
    let (top, bottom) = (rows.clone().min().unwrap(), rows.max().unwrap() + 1);
    let ink = (top..bottom).flat_map(|y| (left..right).map(move |x| 1.0 - pixels[y * 32 + x]));
    (right - left, bottom - top, ink.collect())
}

/// The ink of an enlarged pixel, between its four neighbours.
fn smooth(ink: &[f32], width: usize, height: usize, x: usize, y: usize) -> f32 {
    let place = |at: usize, length: usize| {
        let at = ((at as f32 + 0.5) / SCALE as f32 - 0.5).clamp(0.0, (length - 1) as f32);
        let first = at as usize;
        (first, (first + 1).min(length - 1), at - first as f32)
    };
    let ((x0, x1, fx), (y0, y1, fy)) = (place(x, width), place(y, height));
    let row = |y: usize| ink[y * width + x0] * (1.0 - fx) + ink[y * width + x1] * fx;
    row(y0) * (1.0 - fy) + row(y1) * fy
}
