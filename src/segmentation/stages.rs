//! Pictures of every stage, to look at when a page is cut wrongly. Made on demand from what [`Segmentation`] keeps.

use image::{Rgb, RgbImage};

use super::canvas;
use super::crops::{self, Crop};
use super::geometry::{Area, Rect};
use super::plane::Plane;
use super::{Segmentation, Work};

/// Side of a letter on the sheet of crops, and crops a row.
const SHEET_CROP: usize = 32;
const SHEET_COLUMNS: usize = 24;
/// Colour of what is left out.
const DROPPED: Rgb<u8> = Rgb([205, 205, 205]);
const WHITE: Rgb<u8> = Rgb([255, 255, 255]);

/// Each intermediate picture with its name, in the order in which they are made.
pub(super) fn stages(segmentation: &Segmentation) -> Vec<(&'static str, RgbImage)> {
    let Some(work) = &segmentation.work else {
        return Vec::new();
    };
    let background = work.flat.background.resized_to_show(&work.flat.grey);
    vec![
        ("grey", grey_picture(&work.flat.grey, |value| value)),
        ("sheet", sheet_picture(work)),
        ("background", grey_picture(&background, |value| value)),
        (
            "ink",
            grey_picture(&work.flat.ink, |value| 255.0 * (1.0 - value)),
        ),
        ("binary", binary_picture(work)),
        (
            "components",
            label_picture(work, |label| palette(label as usize)),
        ),
        ("letters", letters_picture(work)),
        ("lines", lines_picture(work)),
        ("crops", crop_sheet(work)),
    ]
}

impl Plane {
    /// The coarse background in the size of the page.
    fn resized_to_show(&self, like: &Plane) -> Plane {
        let (sx, sy) = (
            self.width as f32 / like.width as f32,
            self.height as f32 / like.height as f32,
        );
        Plane::from_rows(like.width, like.height, |y, out| {
            for (x, out) in out.iter_mut().enumerate() {
                *out = self.sample((x as f32 + 0.5) * sx, (y as f32 + 0.5) * sy);
            }
        })
    }
}

/// Colours that neighbours in the list differ in.
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

fn sheet_picture(work: &Work) -> RgbImage {
    let grey = &work.flat.grey;
    picture(grey.width, grey.height, |at| {
        let level = grey.values[at].round().clamp(0.0, 255.0) as u8;
        if work.flat.sheet.contains(at % grey.width, at / grey.width) {
            Rgb([level; 3])
        } else {
            Rgb([255, level / 2, level / 2])
        }
    })
}

fn binary_picture(work: &Work) -> RgbImage {
    picture(work.binary.width, work.binary.height, |at| {
        if work.binary.mask[at] {
            Rgb([0; 3])
        } else {
            WHITE
        }
    })
}

fn label_picture(work: &Work, colour: impl Fn(u32) -> Rgb<u8>) -> RgbImage {
    let components = &work.components;
    picture(components.width, components.height, |at| {
        match components.labels[at] {
            0 => WHITE,
            label => colour(label),
        }
    })
}

/// A colour a letter; marks are black and what was left out is light grey.
fn letters_picture(work: &Work) -> RgbImage {
    let mut colours = vec![DROPPED; work.components.list.len() + 1];
    for (index, letter) in work.letters.letters.iter().enumerate() {
        for &part in &letter.parts {
            colours[part as usize] = palette(index);
        }
    }
    for part in work.letters.marks.iter().flat_map(|mark| &mark.parts) {
        colours[*part as usize] = Rgb([0; 3]);
    }
    label_picture(work, |label| colours[label as usize])
}

/// A colour a line, a frame a word.
fn lines_picture(work: &Work) -> RgbImage {
    let mut colours = vec![DROPPED; work.components.list.len() + 1];
    for (index, line) in work.layout.iter().enumerate() {
        for &letter in line.iter().flatten() {
            for &part in &work.letters.letters[letter].parts {
                colours[part as usize] = palette(index);
            }
        }
    }
    let mut picture = label_picture(work, |label| colours[label as usize]);
    for (index, line) in work.layout.iter().enumerate() {
        for word in line {
            let areas = word.iter().map(|&i| work.letters.letters[i].bounds);
            if let Some(area) = areas.reduce(|a, b| a.union(&b)) {
                canvas::frame(&mut picture, own_rect(&area), 4.0, 2.0, palette(index));
            }
        }
    }
    picture
}

/// A working area as it is.
fn own_rect(area: &Area) -> Rect {
    Rect {
        x: area.left as u32,
        y: area.top as u32,
        width: area.width() as u32,
        height: area.height() as u32,
    }
}

/// All crops in reading order, every line from a new row.
fn crop_sheet(work: &Work) -> RgbImage {
    let rows: Vec<Vec<Crop>> = work
        .layout
        .iter()
        .flat_map(|line| {
            let letters: Vec<usize> = line.iter().flatten().copied().collect();
            letters
                .chunks(SHEET_COLUMNS)
                .map(|row| {
                    crops::crops(
                        &work.binary,
                        &work.components,
                        row.iter().map(|&i| &work.letters.letters[i]),
                        work.stroke_width,
                        SHEET_CROP,
                    )
                })
                .collect::<Vec<_>>()
        })
        .collect();
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
