//! Writing the lines of a page in one handwriting style, and stacking them.

use super::error::PageError;
use super::options::{PURPOSE, PageOptions};
use super::page::Bounds;
use crate::handwriting::hand::{self, Variation};
use crate::handwriting::skeletons::Skeleton;
use crate::handwriting::strokes::{self, Affine, Polyline};
use crate::handwriting::{CLASSES, characters, class_of};
use crate::rng::{self, Rng, normal};

/// Lengths of the layout in letter heights, set by eye for careful handwriting.
pub(super) mod layout {
    /// Pen width: thinner than on NIST36's crops, as a felt pen on a sheet is.
    pub const PEN: f32 = 0.095;
    /// Gap between the ink of two letters, and its spread.
    pub const LETTER_GAP: (f32, f32) = (0.24, 0.05);
    /// Gap between two words, and its spread.
    pub const WORD_GAP: (f32, f32) = (0.9, 0.07);
    /// Minimum gap between two letters.
    pub const MIN_LETTER_GAP: f32 = 0.1;
    /// Minimum gap between two words: well above the widest between letters.
    pub const MIN_WORD_GAP: f32 = 0.65;
    /// Distance between baselines.
    pub const PITCH: f32 = 1.9;
    /// Minimum distance between the ink of two lines.
    pub const MIN_LINE_GAP: f32 = 0.35;
    /// White border.
    pub const MARGIN: f32 = 1.2;
    /// Spread of the lines' left edges.
    pub const INDENT: f32 = 0.12;
    /// Spread of the letters' size (natural logarithm).
    pub const SIZE: f32 = 0.03;
    /// Spread of a line's slope (tangent).
    pub const SLOPE: f32 = 0.005;
    /// Step of the baseline's drift from letter to letter, and the fraction of it that persists.
    pub const WANDER: (f32, f32) = (0.015, 0.85);
}

/// Minimum distance in pixels between the boxes of two letters, whatever the size: soft edges must not meet.
const MIN_GAP_PIXELS: f32 = 3.0;

/// Seed component of a writer's forms of lower case and punctuation.
const OTHER_FORMS: u64 = u64::MAX - 5;

/// Spread of a writer's slant (tangent) around the requested one.
const SLANT_SPREAD: f32 = 0.04;

/// A pixel is ink if the pen covers at least this fraction of it, so that a threshold half-way between paper and ink
/// finds exactly the boxes.
const INK: f32 = 0.5;

/// Straight pieces between two nodes of a letter.
const STEPS: usize = 10;

/// A letter's pixels, and where its ink is; places are relative to the page once the lines are stacked.
pub(super) struct Written {
    pub character: char,
    /// Grey values of the canvas, paper 1.
    grey: Vec<f32>,
    canvas_width: usize,
    /// The canvas' corner on the page.
    canvas: [i64; 2],
    /// The ink's first column and row, and the ones after the last, on the page.
    pub ink: [i64; 4],
}

/// Words of letters.
pub(super) type WrittenLine = Vec<Vec<Written>>;

impl Written {
    pub fn shift(&mut self, dx: i64, dy: i64) {
        for (value, step) in self.canvas.iter_mut().zip([dx, dy]) {
            *value += step;
        }
        for (value, step) in self.ink.iter_mut().zip([dx, dy, dx, dy]) {
            *value += step;
        }
    }

    /// Darkens the page; anything outside is clipped.
    pub fn print(&self, width: usize, page: &mut [f32]) {
        for (row, line) in self.grey.chunks_exact(self.canvas_width).enumerate() {
            for (column, &grey) in line.iter().enumerate() {
                let (x, y) = (self.canvas[0] + column as i64, self.canvas[1] + row as i64);
                if x < 0 || y < 0 || x >= width as i64 {
                    continue;
                }
                if let Some(pixel) = page.get_mut(y as usize * width + x as usize) {
                    *pixel = pixel.min(grey);
                }
            }
        }
    }

    /// Moves the ink's box to where its pixels appear in the image.
    pub fn project(&mut self, seen: impl Fn((f32, f32)) -> (f32, f32)) {
        let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
        let inked = (0..self.grey.len()).filter(|&at| is_ink(self.grey[at]));
        for at in inked {
            let column = self.canvas[0] + (at % self.canvas_width) as i64;
            let row = self.canvas[1] + (at / self.canvas_width) as i64;
            let (x, y) = seen((column as f32 + 0.5, row as f32 + 0.5));
            low = [low[0].min(x), low[1].min(y)];
            high = [high[0].max(x), high[1].max(y)];
        }
        if low[0] <= high[0] {
            // From the outermost pixels' centres to their edges.
            let first = low.map(|value| (value - 0.5).round() as i64);
            let end = high.map(|value| (value + 0.5).round() as i64);
            self.ink = [first[0], first[1], end[0], end[1]];
        }
    }

    pub fn bounds(&self) -> Bounds {
        let [left, top, right, bottom] = self.ink;
        Bounds {
            x: left.max(0) as u32,
            y: top.max(0) as u32,
            width: (right - left).max(0) as u32,
            height: (bottom - top).max(0) as u32,
        }
    }
}

/// One person with one pen.
pub(super) struct Hand {
    height: f32,
    radius: f32,
    strength: f32,
    variation: Variation,
    /// Spread of the words' tilt in radians.
    word_tilt: f32,
    /// The form that this writer uses for each class.
    forms: Vec<Option<&'static Skeleton>>,
    seed: u64,
}

impl Hand {
    pub fn new(options: &PageOptions) -> Self {
        let mut rng = rng::seeded(&[PURPOSE, options.seed]);
        let strength = options.variation;
        let mut variation = Variation::ONE.scaled(strength);
        variation.slant = options.slant + SLANT_SPREAD * strength * normal(&mut rng);
        let pen = options.pen.unwrap_or(layout::PEN * options.letter_height);
        Self {
            height: options.letter_height,
            radius: pen / 2.0,
            strength,
            variation,
            word_tilt: options.scene.word_tilt.to_radians(),
            forms: forms(&mut rng, options.seed),
            seed: options.seed,
        }
    }

    /// Writes one line; its baseline is at y = 0 and it begins near x = 0.
    pub fn write_line(&mut self, text: &str, number: usize) -> Result<WrittenLine, PageError> {
        let mut rng = rng::seeded(&[PURPOSE, self.seed, 1 + number as u64]);
        let vary = |(mean, spread): (f32, f32), rng: &mut Rng| {
            (mean + spread * self.strength * normal(rng)) * self.height
        };
        let least = MIN_GAP_PIXELS.max(layout::MIN_LETTER_GAP * self.height);
        let mut cursor = vary((0.0, layout::INDENT), &mut rng);
        let slope = layout::SLOPE * self.strength * normal(&mut rng);
        let mut wander = 0.0;
        // Of the word that is being written: its tilt in radians, and where it begins.
        let mut tilt = (0.0f32, cursor);
        let mut words: WrittenLine = Vec::new();
        let mut new_word = true;
        for (column, character) in text.chars().enumerate() {
            if character == ' ' {
                new_word = true;
                continue;
            }
            let form = class_of(character).and_then(|class| *self.forms.get(class)?);
            let form = form.ok_or(PageError::Character {
                character,
                line: number + 1,
                column: column + 1,
            })?;
            if new_word {
                if !words.is_empty() {
                    let gap = vary(layout::WORD_GAP, &mut rng);
                    cursor += gap.max(layout::MIN_WORD_GAP * self.height);
                }
                words.push(Vec::new());
                if self.word_tilt > 0.0 {
                    tilt = (self.word_tilt * normal(&mut rng), cursor);
                }
            } else {
                cursor += vary(layout::LETTER_GAP, &mut rng).max(least);
            }
            new_word = false;
            wander = layout::WANDER.1 * wander + vary((0.0, layout::WANDER.0), &mut rng);
            let baseline = slope * cursor + wander + tilt.0.tan() * (cursor - tilt.1);
            let letter = self.write_letter(character, form, [cursor, baseline], tilt.0, &mut rng);
            cursor = letter.ink[2] as f32;
            if let Some(word) = words.last_mut() {
                word.push(letter);
            }
        }
        Ok(words)
    }

    /// Writes one letter whose ink begins at `left` and rests on `baseline`, rotated by `tilt` radians.
    fn write_letter(
        &self,
        character: char,
        form: &Skeleton,
        [left, baseline]: [f32; 2],
        tilt: f32,
        rng: &mut Rng,
    ) -> Written {
        let mut strokes = hand::write(form, &self.variation, STEPS, rng);
        if tilt != 0.0 {
            tilted(&mut strokes, tilt);
        }
        let size = self.height * (layout::SIZE * self.strength * normal(rng)).exp();
        // The skeleton's box ends at y = 1: the pen's lower edge rests on the baseline.
        let core = (size - 2.0 * self.radius).max(1.0);
        let (low, high) = strokes::extent(&strokes).unwrap_or_default();
        let pad = self.radius + 2.0;
        let top = baseline - self.radius + (low[1] - 1.0) * core;
        let canvas = [left.ceil() as i64, (top - pad).floor() as i64];
        Affine {
            xx: core,
            xy: 0.0,
            x0: pad - core * low[0],
            yx: 0.0,
            yy: core,
            y0: baseline - self.radius - core - canvas[1] as f32,
        }
        .apply_all(&mut strokes);
        let width = ((high[0] - low[0]) * core + 2.0 * pad).ceil() as usize + 1;
        let height = ((high[1] - low[1]) * core + 2.0 * pad).ceil() as usize + 2;
        let mut grey = vec![1.0; width * height];
        strokes::draw(&strokes, self.radius, width, height, None, &mut grey);
        let [x0, y0, x1, y1] = ink_box(&grey, width);
        let mut letter = Written {
            character,
            grey,
            canvas_width: width,
            canvas,
            ink: [
                canvas[0] + x0,
                canvas[1] + y0,
                canvas[0] + x1,
                canvas[1] + y1,
            ],
        };
        letter.shift(-x0, 0);
        letter
    }
}

/// Turns a letter about the left end of its baseline, which is at (0, 1).
fn tilted(strokes: &mut [Polyline], tilt: f32) {
    let turn = Affine::new(tilt, 0.0, 1.0, 1.0);
    let [x, y] = turn.apply([0.0, 1.0]);
    let about = Affine {
        x0: -x,
        y0: 1.0 - y,
        ..turn
    };
    about.apply_all(strokes);
}

/// A writer's form of each class. Lower case and punctuation have a stream of their own: capitals stay as they are without them.
fn forms(rng: &mut Rng, seed: u64) -> Vec<Option<&'static Skeleton>> {
    let mut others = rng::seeded(&[PURPOSE, seed, OTHER_FORMS]);
    let classes = characters().enumerate();
    classes
        .map(|(class, _)| {
            let rng = if class < CLASSES {
                &mut *rng
            } else {
                &mut others
            };
            hand::choose(class, rng)
        })
        .collect()
}

fn is_ink(grey: f32) -> bool {
    1.0 - grey >= INK
}

/// First column and row with ink, and the ones after the last; all zero without ink.
fn ink_box(grey: &[f32], width: usize) -> [i64; 4] {
    let pixels = grey.iter().enumerate();
    pixels
        .filter(|&(_, &value)| is_ink(value))
        .map(|(index, _)| ((index % width) as i64, (index / width) as i64))
        .map(|(x, y)| [x, y, x + 1, y + 1])
        .reduce(|a, b| {
            [
                a[0].min(b[0]),
                a[1].min(b[1]),
                a[2].max(b[2]),
                a[3].max(b[3]),
            ]
        })
        .unwrap_or([0; 4])
}

/// Moves the lines below each other, at the usual distance or as far apart as their ink needs.
pub(super) fn stack(lines: &mut [WrittenLine], letter_height: f32) {
    let gap = (layout::MIN_LINE_GAP * letter_height).max(MIN_GAP_PIXELS) as i64;
    let pitch = layout::PITCH * letter_height;
    let mut baseline = 0i64;
    let mut lowest = i64::MIN;
    for line in lines {
        let letters = line.iter().flatten();
        let (top, bottom) = letters.fold((i64::MAX, i64::MIN), |(top, bottom), letter| {
            (top.min(letter.ink[1]), bottom.max(letter.ink[3]))
        });
        if top < bottom {
            baseline = baseline.max(lowest.saturating_add(gap).saturating_sub(top));
            for letter in line.iter_mut().flatten() {
                letter.shift(0, baseline);
            }
            lowest = bottom + baseline;
        }
        baseline += pitch as i64;
    }
}
