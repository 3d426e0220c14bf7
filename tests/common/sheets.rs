//! Sheets put together from drawn writing.
#![allow(dead_code)] // No test uses all of them.

use image::imageops;
use image::{Rgb, RgbImage};
use kiln::handwriting::pages::{DrawnPage, PageOptions, compose};

/// The colour of the sheets.
pub const PAPER: Rgb<u8> = Rgb([236; 3]);

/// Drawn text on even paper, without margins.
pub fn block_of(lines: &[&str], seed: u64) -> RgbImage {
    let options = PageOptions {
        seed,
        ..PageOptions::default()
    };
    block(&compose(&lines.join("\n"), &options).unwrap())
}

/// The writing of a drawn page on even paper, without margins.
pub fn block(page: &DrawnPage) -> RgbImage {
    let bounds: Vec<_> = page.lines.iter().map(|line| line.bounds).collect();
    let left = bounds.iter().map(|b| b.x).min().unwrap();
    let top = bounds.iter().map(|b| b.y).min().unwrap();
    let right = bounds.iter().map(|b| b.x + b.width).max().unwrap();
    let bottom = bounds.iter().map(|b| b.y + b.height).max().unwrap();
    let mut block =
        imageops::crop_imm(&page.image, left, top, right - left, bottom - top).to_image();
    // Paper as bright as that around the block: what is darker is ink.
    for pixel in block.pixels_mut().filter(|pixel| pixel.0[0] > 190) {
        *pixel = PAPER;
    }
    block
}

/// Blocks beside each other: each with its columns and rows from the upper left.
pub fn page(blocks: &[(&RgbImage, u32, u32)]) -> RgbImage {
    let width = blocks.iter().map(|(b, x, _)| x + b.width()).max().unwrap();
    let height = blocks.iter().map(|(b, _, y)| y + b.height()).max().unwrap();
    let mut page = RgbImage::from_pixel(width + 100, height + 100, PAPER);
    for (block, x, y) in blocks {
        imageops::replace(&mut page, *block, i64::from(*x), i64::from(*y));
    }
    page
}

/// The page turned clockwise by `degrees`, on paper large enough for it.
pub fn slanting(page: &RgbImage, degrees: f32) -> RgbImage {
    let side = (f64::from(page.width()).hypot(f64::from(page.height()))) as u32 + 20;
    let mut turned = RgbImage::from_pixel(side, side, PAPER);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let middle = side as f32 / 2.0;
    let centre = (page.width() as f32 / 2.0, page.height() as f32 / 2.0);
    for (x, y, pixel) in turned.enumerate_pixels_mut() {
        let (dx, dy) = (x as f32 + 0.5 - middle, y as f32 + 0.5 - middle);
        let (u, v) = (dx * cos + dy * sin, dy * cos - dx * sin);
        let (u, v) = (u + centre.0 - 0.5, v + centre.1 - 0.5);
        if let Some(seen) = imageops::interpolate_bilinear(page, u, v) {
            *pixel = seen;
        }
    }
    turned
}
