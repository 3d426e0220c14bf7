//! Pages of each kind that other people's pages are of, drawn from a seed.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use imageproc::drawing::draw_filled_rect_mut;
use imageproc::rect::Rect;
use kiln::handwriting::pages::{Bounds, DrawnPage, PageOptions, Scene, compose, varied};

use crate::sheets::{block, page, slanting};
use crate::text::{PUNCTUATED, columns, mixed};

/// A page and its lines in reading order.
pub struct Sheet {
    pub image: RgbImage,
    pub lines: Vec<String>,
}

/// How the pages of a kind are drawn from a seed.
pub type Draw = fn(u64) -> Sheet;

/// Every kind, by name.
pub const KINDS: [(&str, Draw); 10] = [
    ("as people photograph them", photographed),
    ("on their side or upside down", turned),
    ("light on dark", inverted),
    ("light on dark in one half", half_inverted),
    ("letters of 10 to 14 pixels", small),
    ("letters in boxes", boxed),
    ("two columns", two_columns),
    ("lines at any angle", at_an_angle),
    ("lower and upper case", in_mixed_case),
    ("punctuation", with_punctuation),
];

fn lines(page: &DrawnPage) -> Vec<String> {
    page.lines.iter().map(|line| line.text.clone()).collect()
}

fn drawn(text: &str, options: &PageOptions) -> DrawnPage {
    compose(text, options).expect("a page")
}

/// The page of a seed, without the surroundings that other kinds put around it.
fn plain(seed: u64) -> (String, PageOptions) {
    let page = varied(seed);
    let scene = Scene {
        desk: 0.0,
        turn: 0.0,
        perspective: 0.0,
        shadow: 0.0,
        ..page.options.scene
    };
    (
        page.text,
        PageOptions {
            scene,
            ..page.options
        },
    )
}

fn photographed(seed: u64) -> Sheet {
    let page = varied(seed);
    let page = drawn(&page.text, &page.options);
    Sheet {
        lines: lines(&page),
        image: page.image,
    }
}

fn turned(seed: u64) -> Sheet {
    let Sheet { image, lines } = photographed(seed);
    let image = match seed % 3 {
        0 => imageops::rotate90(&image),
        1 => imageops::rotate180(&image),
        _ => imageops::rotate270(&image),
    };
    Sheet { image, lines }
}

fn inverted(seed: u64) -> Sheet {
    let (text, options) = plain(seed);
    let page = drawn(&text, &options);
    let lines = lines(&page);
    let mut image = page.image;
    imageops::invert(&mut image);
    Sheet { image, lines }
}

/// Dark writing above light writing on a dark ground.
fn half_inverted(seed: u64) -> Sheet {
    let (text, options) = plain(seed);
    let page = drawn(&text, &options);
    let (width, height) = page.image.dimensions();
    let mut image = RgbImage::new(width, 2 * height);
    imageops::replace(&mut image, &page.image, 0, 0);
    let mut dark = page.image.clone();
    imageops::invert(&mut dark);
    imageops::replace(&mut image, &dark, 0, i64::from(height));
    Sheet {
        image,
        lines: [lines(&page), lines(&page)].concat(),
    }
}

/// A page reduced until its letters are 10 to 14 pixels high.
fn small(seed: u64) -> Sheet {
    let (text, options) = plain(seed);
    let page = drawn(&text, &options);
    let height = 10.0 + (seed % 5) as f32;
    let reduced = |side: u32| (side as f32 * height / options.letter_height).round() as u32;
    let (width, height) = page.image.dimensions();
    let filter = FilterType::Triangle;
    Sheet {
        lines: lines(&page),
        image: imageops::resize(&page.image, reduced(width), reduced(height), filter),
    }
}

/// Printed boxes around the letters of each word: one box a letter, with shared sides.
fn boxed(seed: u64) -> Sheet {
    let (text, mut options) = plain(seed);
    // A row of boxes is printed level, and people keep to it.
    options.scene.word_tilt = 0.0;
    options.slant = options.slant.clamp(-0.1, 0.1);
    let page = drawn(&text, &options);
    let mut image = page.image.clone();
    let room = (0.1 * options.letter_height).max(3.0) as i32;
    let rule = (0.03 * options.letter_height).max(1.0) as u32;
    for word in page.lines.iter().flat_map(|line| &line.words) {
        let letters: Vec<Bounds> = word.letters.iter().map(|letter| letter.bounds).collect();
        box_in(&mut image, &letters, room, rule);
    }
    Sheet {
        lines: lines(&page),
        image,
    }
}

/// Draws a row of boxes `room` pixels from the letters, with sides `rule` pixels wide halfway between two letters.
fn box_in(image: &mut RgbImage, letters: &[Bounds], room: i32, rule: u32) {
    let Some(all) = letters.iter().copied().reduce(Bounds::union) else {
        return;
    };
    let (left, top) = (all.x as i32 - room, all.y as i32 - room);
    let (right, bottom) = (
        (all.x + all.width) as i32 + room,
        (all.y + all.height) as i32 + room,
    );
    let mut fill = |x: i32, y: i32, width: u32, height: u32| {
        let rect = Rect::at(x, y).of_size(width.max(1), height.max(1));
        draw_filled_rect_mut(image, rect, Rgb([60, 62, 70]));
    };
    let between = letters
        .windows(2)
        .map(|pair| (pair[0].x + pair[0].width + pair[1].x) as i32 / 2);
    for x in between.chain([left, right]) {
        fill(x, top, rule, (bottom - top) as u32);
    }
    let across = (right - left) as u32 + rule;
    fill(left, top, across, rule);
    fill(left, bottom, across, rule);
}

/// Running text in two columns of one hand.
fn two_columns(seed: u64) -> Sheet {
    let (_, options) = plain(seed);
    let options = PageOptions {
        // The paper around a block is as bright as its own.
        light: 0.0,
        scene: Scene::default(),
        ..options
    };
    let [first, second] = columns(seed).map(|text| drawn(&text, &options));
    let (left, right) = (block(&first), block(&second));
    let letter = options.letter_height;
    let gutter = (letter * (2.0 + (seed % 3) as f32)) as u32;
    let margin = letter as u32;
    // Every other page has columns whose lines are not level with each other.
    let lower = (seed % 2) as u32 * (0.8 * letter) as u32;
    Sheet {
        image: page(&[
            (&left, margin, margin),
            (&right, margin + left.width() + gutter, margin + lower),
        ]),
        lines: [lines(&first), lines(&second)].concat(),
    }
}

fn at_an_angle(seed: u64) -> Sheet {
    let (text, options) = plain(seed);
    let options = PageOptions {
        // The paper around a block is as bright as its own.
        light: 0.0,
        scene: Scene::default(),
        ..options
    };
    let drawn = drawn(&text, &options);
    let margin = options.letter_height as u32;
    let flat = page(&[(&block(&drawn), margin, margin)]);
    // Steps of 37 degrees: all directions, none of them a quarter.
    let degrees = (seed * 37 % 360) as f32;
    Sheet {
        image: slanting(&flat, degrees),
        lines: lines(&drawn),
    }
}

fn in_mixed_case(seed: u64) -> Sheet {
    written_as_such(&mixed(seed, false), seed)
}

fn with_punctuation(seed: u64) -> Sheet {
    let text = mixed(seed, true);
    debug_assert!(text.contains(PUNCTUATED));
    written_as_such(&text, seed)
}

fn written_as_such(text: &str, seed: u64) -> Sheet {
    let (_, options) = plain(seed);
    let options = PageOptions {
        lower_case: true,
        ..options
    };
    let page = drawn(text, &options);
    Sheet {
        lines: lines(&page),
        image: page.image,
    }
}
