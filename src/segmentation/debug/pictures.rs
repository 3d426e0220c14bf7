//! An image of every stage, to look at when a page is cut wrongly.

use image::{Rgb, RgbImage};
use rayon::prelude::*;

use super::canvas;
use crate::segmentation::geometry::{Area, Rect};
use crate::segmentation::ink::Crop;
use crate::segmentation::plane::Plane;
use crate::segmentation::stages::Stages;

/// Side of a letter on the sheet of crops, in pixels.
const SHEET_CROP: usize = 32;
/// Crops per row of the sheet.
const SHEET_COLUMNS: usize = 24;
/// Colour of ink that was dropped.
const DROPPED: Rgb<u8> = Rgb([205, 205, 205]);
const WHITE: Rgb<u8> = Rgb([255, 255, 255]);

/// What one stage made of the page, as an image in the size of the working copy (but for the sheet of crops).
#[derive(Debug, Clone)]
pub struct StagePicture {
    /// The stage's name, fit for a file name.
    pub name: &'static str,
    /// The image.
    pub picture: RgbImage,
}

/// An image of every stage, in order.
pub(in crate::segmentation) fn stage_pictures(stages: &Stages) -> Vec<StagePicture> {
    let flat = &stages.flat;
    let background = flat.background.bilinear(flat.grey.width, flat.grey.height);
    [
        ("grey", grey_picture(&flat.grey, |value| value)),
        ("sheet", sheet_picture(stages)),
        ("background", grey_picture(&background, |value| value)),
        (
            "ink",
            grey_picture(&flat.ink, |value| 255.0 * (1.0 - value)),
        ),
        ("binary", binary_picture(stages)),
        (
            "components",
            label_picture(stages, |label| palette(label as usize)),
        ),
        ("letters", letters_picture(stages)),
        ("lines", lines_picture(stages)),
        ("crops", crop_sheet(stages)),
    ]
    .into_iter()
    .map(|(name, picture)| StagePicture { name, picture })
    .collect()
}

/// A colour by index; neighbouring indices differ clearly.
fn palette(index: usize) -> Rgb<u8> {
    const COLOURS: [[u8; 3]; 8] = [
        [200, 30, 40],
        [20, 120, 200],
        [20, 140, 60],
        [220, 120, 0],
        [130, 50, 170],
        [0, 140, 150],
        [190, 40, 130],
        [110, 90, 20],
    ];
    Rgb(COLOURS[index % COLOURS.len()])
}

fn picture(width: usize, height: usize, colour: impl Fn(usize) -> Rgb<u8>) -> RgbImage {
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        colour(y as usize * width + x as usize)
    })
}

fn grey_picture(plane: &Plane, level: impl Fn(f32) -> f32) -> RgbImage {
    picture(plane.width, plane.height, |at| {
        let grey = level(plane.values[at]).round().clamp(0.0, 255.0) as u8;
        Rgb([grey; 3])
    })
}

fn sheet_picture(stages: &Stages) -> RgbImage {
    let grey = &stages.flat.grey;
    picture(grey.width, grey.height, |at| {
        let level = grey.values[at].round().clamp(0.0, 255.0) as u8;
        if stages.flat.sheet.contains(at % grey.width, at / grey.width) {
            Rgb([level; 3])
        } else {
            Rgb([255, level / 2, level / 2])
        }
    })
}

fn binary_picture(stages: &Stages) -> RgbImage {
    picture(stages.binary.width, stages.binary.height, |at| {
        if stages.binary.mask[at] {
            Rgb([0; 3])
        } else {
            WHITE
        }
    })
}

fn label_picture(stages: &Stages, colour: impl Fn(u32) -> Rgb<u8>) -> RgbImage {
    let components = &stages.components;
    picture(components.width, components.height, |at| {
        match components.labels[at] {
            0 => WHITE,
            label => colour(label),
        }
    })
}

/// A colour per letter; marks are black, dropped ink is light grey.
fn letters_picture(stages: &Stages) -> RgbImage {
    let mut colours = vec![DROPPED; stages.components.list.len() + 1];
    for (index, letter) in stages.glyphs.letters.iter().enumerate() {
        for &part in &letter.parts {
            colours[part as usize] = palette(index);
        }
    }
    for part in stages.glyphs.marks.iter().flat_map(|mark| &mark.parts) {
        colours[*part as usize] = Rgb([0; 3]);
    }
    label_picture(stages, |label| colours[label as usize])
}

/// A colour per line, a frame per word.
fn lines_picture(stages: &Stages) -> RgbImage {
    let mut colours = vec![DROPPED; stages.components.list.len() + 1];
    for (index, line) in stages.layout.iter().enumerate() {
        for &letter in line.iter().flatten() {
            for &part in &stages.glyphs.letters[letter].parts {
                colours[part as usize] = palette(index);
            }
        }
    }
    let mut picture = label_picture(stages, |label| colours[label as usize]);
    for (index, line) in stages.layout.iter().enumerate() {
        for word in line {
            let areas = word.iter().map(|&i| stages.glyphs.letters[i].bounds);
            if let Some(area) = areas.reduce(|a, b| a.union(&b)) {
                canvas::frame(&mut picture, own_rect(&area), 4.0, 2.0, palette(index));
            }
        }
    }
    picture
}

/// An area as a box of the working copy.
fn own_rect(area: &Area) -> Rect {
    Rect {
        x: area.left as u32,
        y: area.top as u32,
        width: area.width() as u32,
        height: area.height() as u32,
    }
}

/// All crops in reading order; every line starts a new row.
fn crop_sheet(stages: &Stages) -> RgbImage {
    let crop = |&index: &usize| {
        stages
            .ink_of(&stages.glyphs.letters[index])
            .crop(SHEET_CROP)
    };
    let mut rows: Vec<Vec<Crop>> = Vec::new();
    for line in &stages.layout {
        let letters: Vec<usize> = line.iter().flatten().copied().collect();
        let chunks = letters.chunks(SHEET_COLUMNS);
        rows.extend(chunks.map(|row| row.par_iter().map(crop).collect()));
    }
    let cell = SHEET_CROP + 2;
    let mut sheet = RgbImage::from_pixel(
        (SHEET_COLUMNS * cell) as u32,
        (rows.len().max(1) * cell) as u32,
        Rgb([150, 170, 200]),
    );
    for (row, crops) in rows.iter().enumerate() {
        for (column, crop) in crops.iter().enumerate() {
            for (at, value) in crop.pixels.iter().enumerate() {
                let x = column * cell + 1 + at % crop.size;
                let y = row * cell + 1 + at / crop.size;
                sheet.put_pixel(x as u32, y as u32, Rgb([(value * 255.0).round() as u8; 3]));
            }
        }
    }
    sheet
}
