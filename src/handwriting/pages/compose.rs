//! Composing a page: lines in one handwriting style, laid out, lit and photographed.

use super::error::PageError;
use super::options::{PURPOSE, PageOptions, validate};
use super::page::{Bounds, DrawnLetter, DrawnLine, DrawnPage, DrawnWord};
use super::writer::{self, Written, WrittenLine};
use super::{paper, scene};
use crate::rng;

/// Seed component of the remains of erased writing.
const GHOSTS: u64 = u64::MAX - 3;

/// Maximum page size in pixels (about 300 MB in memory).
const MAX_PIXELS: u64 = 100_000_000;

/// Writes a page; lower case is written as capitals unless the options say otherwise, and several spaces as one. The same arguments give the same page.
///
/// # Errors
/// [`PageError`]: an unsupported character, an option outside its range, a page that is too small for the text
/// or too large to draw.
pub fn compose(text: &str, options: &PageOptions) -> Result<DrawnPage, PageError> {
    validate(options)?;
    let text = if options.lower_case {
        text.to_string()
    } else {
        text.to_ascii_uppercase()
    };
    let mut hand = writer::Hand::new(options);
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        lines.push(hand.write_line(line, number)?);
    }
    writer::stack(&mut lines, options.letter_height);
    lines.retain(|line| !line.is_empty());
    let (width, height) = page_size(&mut lines, options)?;
    let view = scene::View::new(width, height, options);
    if u64::from(view.width) * u64::from(view.height) > MAX_PIXELS {
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

/// The cover of erased writing: the same letters in another order and handwriting, between the lines. Empty if the scene
/// has no ghosts.
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

/// The row of the first line's baseline.
fn first_baseline(lines: &[WrittenLine]) -> f32 {
    let first = lines.iter().flatten().next();
    let lowest = first.into_iter().flatten().map(|letter| letter.ink[3]);
    lowest.max().unwrap_or(0) as f32
}

/// Moves the stacked lines onto a page: with margins, or centred on a page of the given size.
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
            "is too small for this text, which needs {}x{}; use smaller letters or a larger page",
            width + 2,
            height + 2
        )));
    }
    if (page_width as u64).saturating_mul(page_height as u64) > MAX_PIXELS {
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
        problem: format!("exceeds the maximum of {MAX_PIXELS} pixels"),
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
