//! Whole hand-printed pages with exact ground truth: for tests, for trying the reader without a camera, for benchmarks.
//!
//! Comes in: a text of A-Z, 0-9, spaces and line breaks, and [`PageOptions`]. Goes out: a [`DrawnPage`], the picture
//! with the box of every letter, word and line. One hand writes a page: the same forms, slant and pen, with small
//! differences from letter to letter and a baseline that wanders. [`Scene`] says what it is written on and how it lies
//! before the camera; [`varied`] draws all of that, text included, from one seed. It writes no files and reads none.

use image::RgbImage;
use serde::Serialize;

use crate::error::{ErrorExit, ExitKind};
use crate::rng;

mod paper;
mod scene;
mod vary;
mod writer;

pub use scene::{Scene, Surface};
pub use vary::{Varied, varied};
use writer::{Written, WrittenLine};

/// What the seeds are for.
const PURPOSE: u64 = 0x0070_6167_6573; // "pages"
const GHOSTS: u64 = u64::MAX - 3;

/// Largest page in pixels (about 300 MB in memory).
const MOST_PIXELS: u64 = 100_000_000;

/// How a page is written and lit.
#[derive(Debug, Clone, PartialEq)]
pub struct PageOptions {
    /// Chooses hand, jitter and light.
    pub seed: u64,
    /// Height of a letter in pixels, 8 to 2000.
    pub letter_height: f32,
    /// Pen width in pixels; `None` takes one that suits the letters.
    pub pen: Option<f32>,
    /// Width and height of the page in pixels; `None` fits the text, with margins.
    pub size: Option<(u32, u32)>,
    /// Strength of everything that varies within the page, 0 to 2: 1 is natural, 0 a printer.
    pub variation: f32,
    /// Slant (tangent; positive leans to the right), -0.5 to 0.5.
    pub slant: f32,
    /// How much darker the darkest corner is than the brightest, 0 to 0.9.
    pub light: f32,
    /// Noise of the camera: standard deviation in grey levels of 255, 0 to 60.
    pub noise: f32,
    /// What it is written on, and how it lies before the camera.
    pub scene: Scene,
}

impl Default for PageOptions {
    fn default() -> Self {
        Self {
            seed: 0,
            letter_height: 80.0,
            pen: None,
            size: None,
            variation: 1.0,
            slant: 0.04,
            light: 0.15,
            noise: 2.5,
            scene: Scene::default(),
        }
    }
}

/// Why no page was drawn.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PageError {
    /// A character that kiln can't write.
    #[error(
        "line {line}, column {column}: can't write {character:?}; use A-Z, 0-9, spaces and line breaks"
    )]
    Character {
        /// The character.
        character: char,
        /// Its line, from 1.
        line: usize,
        /// Its place in the line, from 1.
        column: usize,
    },
    /// An option out of its range.
    #[error("{option} is {value}; it must be from {least} to {most}")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// What it is.
        value: f32,
        /// Lowest value.
        least: f32,
        /// Highest value.
        most: f32,
    },
    /// The wanted page is too small for the text, or too large to draw.
    #[error("a page of {width}x{height} pixels {problem}")]
    Size {
        /// Width in pixels.
        width: u64,
        /// Height in pixels.
        height: u64,
        /// What is wrong with it.
        problem: String,
    },
}

impl ErrorExit for PageError {
    fn exit_kind(&self) -> ExitKind {
        ExitKind::Usage
    }
}

/// A box of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Bounds {
    /// The smallest box around both.
    pub fn union(self, other: Bounds) -> Bounds {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Bounds {
            x,
            y,
            width: right - x,
            height: bottom - y,
        }
    }
}

/// A letter on the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrawnLetter {
    /// A-Z or 0-9.
    pub character: char,
    /// Its ink's box.
    pub bounds: Bounds,
}

/// A word on the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrawnWord {
    /// Its letters in a row.
    pub text: String,
    /// The box around the letters.
    pub bounds: Bounds,
    /// From left to right.
    pub letters: Vec<DrawnLetter>,
}

/// A line on the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrawnLine {
    /// Its words, with one space between them.
    pub text: String,
    /// The box around the words.
    pub bounds: Bounds,
    /// From left to right.
    pub words: Vec<DrawnWord>,
}

/// A page and what is written on it. Its JSON (the ground truth) leaves the picture out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrawnPage {
    /// The picture.
    #[serde(skip)]
    pub image: RgbImage,
    /// Width of the picture.
    pub width: u32,
    /// Height of the picture.
    pub height: u32,
    /// The written lines from top to bottom; empty lines of the text only take room.
    pub lines: Vec<DrawnLine>,
}

impl DrawnPage {
    /// What is written: the lines' texts with line breaks between them.
    pub fn text(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|line| line.text.as_str()).collect();
        lines.join("\n")
    }
}

/// Writes a page; lower case is written as capitals, and several spaces as one. The same arguments give the same page.
///
/// # Errors
/// [`PageError`]: a character that can't be written, an option out of its range, a page that is too small for the text
/// or too large to draw.
pub fn compose(text: &str, options: &PageOptions) -> Result<DrawnPage, PageError> {
    check(options)?;
    let text = text.to_ascii_uppercase();
    let mut hand = writer::Hand::new(options);
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        lines.push(hand.write_line(line, number)?);
    }
    writer::stack(&mut lines, options.letter_height);
    lines.retain(|line| !line.is_empty());
    let (width, height) = page_size(&mut lines, options)?;
    let view = scene::View::new(width, height, options);
    if u64::from(view.width) * u64::from(view.height) > MOST_PIXELS {
        return Err(too_large(u64::from(view.width), u64::from(view.height)));
    }
    let colours = scene::Colours {
        view: &view,
        cover: &cover(&lines, width, height),
        ghosts: &ghosts(&text, width, height, options)?,
        options,
        first_rule: first_baseline(&lines),
        pitch: writer::layout::PITCH * options.letter_height,
    };
    let image = paper::light(view.width, view.height, options, |x, y| colours.at(x, y));
    if !view.is_plain() {
        for letter in lines.iter_mut().flatten().flatten() {
            letter.project(|point| view.to_picture(point));
        }
    }
    Ok(DrawnPage {
        image,
        width: view.width,
        height: view.height,
        lines: lines
            .iter()
            .filter_map(|line| describe_line(line))
            .collect(),
    })
}

/// The grey cover of the page: paper 1, ink 0.
fn cover(lines: &[WrittenLine], width: u32, height: u32) -> Vec<f32> {
    let mut cover = vec![1.0f32; width as usize * height as usize];
    for letter in lines.iter().flatten().flatten() {
        letter.print(width as usize, &mut cover);
    }
    cover
}

/// The cover of what stood there before: the same letters in another order by another hand, between the lines. Empty where
/// the scene has no ghosts.
fn ghosts(
    text: &str,
    width: u32,
    height: u32,
    options: &PageOptions,
) -> Result<Vec<f32>, PageError> {
    if options.scene.ghosts == 0.0 {
        return Ok(Vec::new());
    }
    let mut hand = writer::Hand::new(&PageOptions {
        seed: rng::mix(&[PURPOSE, options.seed, GHOSTS]),
        ..options.clone()
    });
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let backwards: String = line.chars().rev().collect();
        lines.push(hand.write_line(&backwards, number)?);
    }
    writer::stack(&mut lines, options.letter_height);
    let margin = (writer::layout::MARGIN * options.letter_height) as i64;
    let between = (writer::layout::PITCH / 2.0 * options.letter_height) as i64;
    for letter in lines.iter_mut().flatten().flatten() {
        letter.shift(margin + between, margin + 2 * between);
    }
    Ok(cover(&lines, width, height))
}

/// The row on which the first line stands.
fn first_baseline(lines: &[WrittenLine]) -> f32 {
    let first = lines.iter().flatten().next();
    let lowest = first.into_iter().flatten().map(|letter| letter.ink[3]);
    lowest.max().unwrap_or(0) as f32
}

fn check(options: &PageOptions) -> Result<(), PageError> {
    let pen = options.pen.unwrap_or(1.0);
    // Thicker than a third of the letter, a pen fills the bowls.
    let thickest = options.letter_height / 3.0;
    let scene = &options.scene;
    for (option, value, least, most) in [
        ("letter height", options.letter_height, 8.0, 2000.0),
        ("pen", pen, 0.5, thickest.max(0.5)),
        ("variation", options.variation, 0.0, 2.0),
        ("slant", options.slant, -0.5, 0.5),
        ("light", options.light, 0.0, 0.9),
        ("noise", options.noise, 0.0, 60.0),
        ("ink", scene.ink, 0.15, 1.0),
        ("shadow", scene.shadow, 0.0, 0.8),
        ("desk", scene.desk, 0.0, 1.0),
        ("turn", scene.turn, -10.0, 10.0),
        ("perspective", scene.perspective, 0.0, 0.5),
        ("ghosts", scene.ghosts, 0.0, 0.4),
        ("word tilt", scene.word_tilt, 0.0, 10.0),
    ] {
        if !(value >= least && value <= most) {
            return Err(PageError::Option {
                option,
                value,
                least,
                most,
            });
        }
    }
    Ok(())
}

/// Moves the stacked lines onto a page: with margins, or in the middle of a page of the wanted size.
fn page_size(lines: &mut [WrittenLine], options: &PageOptions) -> Result<(u32, u32), PageError> {
    let inks = lines.iter().flatten().flatten().map(|letter| letter.ink);
    let all = inks.reduce(|a, b| {
        [
            a[0].min(b[0]),
            a[1].min(b[1]),
            a[2].max(b[2]),
            a[3].max(b[3]),
        ]
    });
    let [left, top, right, bottom] = all.unwrap_or([0; 4]);
    let margin = (writer::layout::MARGIN * options.letter_height).ceil() as i64;
    let (width, height) = (right - left, bottom - top);
    let (page_width, page_height) = match options.size {
        Some((width, height)) => (i64::from(width), i64::from(height)),
        None => (width + 2 * margin, height + 2 * margin),
    };
    let error = |problem: String| PageError::Size {
        width: page_width as u64,
        height: page_height as u64,
        problem,
    };
    if page_width < width + 2 || page_height < height + 2 || page_width < 1 || page_height < 1 {
        return Err(error(format!(
            "is too small for this text, which takes {}x{}; use smaller letters or a larger page",
            width + 2,
            height + 2
        )));
    }
    if (page_width as u64).saturating_mul(page_height as u64) > MOST_PIXELS {
        return Err(too_large(page_width as u64, page_height as u64));
    }
    let dx = (page_width - width) / 2 - left;
    let dy = (page_height - height) / 2 - top;
    for letter in lines.iter_mut().flatten().flatten() {
        letter.shift(dx, dy);
    }
    Ok((page_width as u32, page_height as u32))
}

fn too_large(width: u64, height: u64) -> PageError {
    PageError::Size {
        width,
        height,
        problem: format!("is larger than the {MOST_PIXELS} pixels that kiln draws"),
    }
}

fn describe_line(words: &[Vec<Written>]) -> Option<DrawnLine> {
    let words: Vec<DrawnWord> = words
        .iter()
        .filter_map(|word| describe_word(word))
        .collect();
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    Some(DrawnLine {
        text: texts.join(" "),
        bounds: words.iter().map(|word| word.bounds).reduce(Bounds::union)?,
        words,
    })
}

fn describe_word(letters: &[Written]) -> Option<DrawnWord> {
    let letters: Vec<DrawnLetter> = letters
        .iter()
        .map(|letter| DrawnLetter {
            character: letter.character,
            bounds: letter.bounds(),
        })
        .collect();
    Some(DrawnWord {
        text: letters.iter().map(|letter| letter.character).collect(),
        bounds: letters
            .iter()
            .map(|letter| letter.bounds)
            .reduce(Bounds::union)?,
        letters,
    })
}
