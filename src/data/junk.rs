//! Ink that is not a character but that segmentation sometimes mistakes for one: touching characters, characters cut in the wrong place,
//! dashes, scribbles, blots.
//!
//! Made of recorded pen strokes ([`super::unipen`]), redrawn on every read, with the pen widths and proportions of the characters
//! themselves. A piece sometimes looks like another character (half an O is a C): such samples are about a hundred times
//! rarer than that character, so they do not mislead training.

use std::path::Path;

use rand::Rng as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::{CommonConfig, DataError, DataSource, SourceConfig, Split, is_false};
use super::split_rule::{ShareConfig, SplitRule};
use super::unipen::{UNITS, Unipen, UnipenConfig, pen_problem, repeated_character};
use crate::error::Problem;
use crate::handwriting::strokes::{self, Affine, Point, Polyline};
use crate::progress::Monitor;
use crate::rng::{self, Rng, normal, uniform};
use crate::segmentation::JUNK;
use crate::shape::ImageShape;

/// Seed component of this source.
const PURPOSE: u64 = 0x6a75_6e6b; // "junk"

/// Frequencies of the kinds, in percent: two characters, three, a character with a piece of the next, a piece, and the rest marks.
const PAIRS: u32 = 30;
const TRIPLES: u32 = 5;
const LETTER_AND_PIECE: u32 = 15;
const PIECES: u32 = 25;

/// Gap between characters that segmentation merged, in heights: they mostly touch. Minimum and maximum.
const GAP: (f32, f32) = (-0.15, 0.12);
/// Vertical offset of such a character from its neighbour, in heights: standard deviation.
const UNEVEN: f32 = 0.05;
/// Where a character is cut, as part of its width (sometimes its height).
const CUT: (f32, f32) = (0.3, 0.7);
/// How oblique the cut is: standard deviation of the tangent to the upright.
const OBLIQUE: f32 = 0.2;
/// Fraction of the fragments that are cut off above or below instead of at the side.
const LYING_CUT: f32 = 0.2;
/// A piece is at least this long, in heights of the character: shorter ones are marks.
const MIN_PIECE: f32 = 0.35;
/// Maximum attempts to cut a long enough fragment.
const TRIES: usize = 8;

/// Longer side of a mark, in pixels of a 32 x 32 sample: a crop brings it to 25, if it is not very small.
const MARK_LONGER: (f32, f32) = (14.0, 26.0);
/// Width of a mark's pen in the same pixels: a short dash is enlarged with its pen.
const MARK_PEN: (f32, f32) = (2.2, 9.0);
/// How far a dash leans from level, in radians: 35 degrees; steeper ones are a 1 or an I.
const MARK_LEAN: f32 = 0.61;
/// The image size that the pixel values above refer to.
const SAMPLE: f32 = 32.0;
/// Which kind of mark is a scribble.
const SCRIBBLED: u64 = 2;
/// Which kind of mark is a blot, and its pen as part of its longer side.
const BLOT: u64 = 3;
const BLOT_PEN: (f32, f32) = (0.4, 0.9);
/// Points of a scribble: minimum, and exclusive maximum.
const SCRIBBLE: (u32, u32) = (4, 9);

/// Settings of synthetic non-character ink.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("examples" = [{"train": 3000, "valid": 300, "test": 300}]))]
pub struct JunkConfig {
    /// Folder of `strokes.jsonl.gz`, whose characters are joined and cut into fragments; relative to `KILN_DATA`.
    pub folder: String,
    /// The characters that are joined and cut; without it, A to Z and 0 to 9, and any other in the file is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub characters: Option<String>,
    /// Dashes, dots and blots are not junk where punctuation is read: only scribbles are drawn in their place.
    #[serde(skip_serializing_if = "is_false")]
    pub punctuation: bool,
    /// Number of training samples.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub train: usize,
    /// Number of validation samples.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub valid: usize,
    /// Number of test samples.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub test: usize,
    /// Height and width of a sample in pixels.
    #[schemars(range(min = 16, max = 128))]
    pub size: usize,
    /// Minimum pen width in pixels.
    #[schemars(range(min = 0.5, max = 16.0))]
    pub pen_min: f32,
    /// Maximum pen width in pixels; blots are thicker.
    #[schemars(range(min = 0.5, max = 16.0))]
    pub pen_max: f32,
    /// Keys common to all sources: `normalize` and `augment`.
    #[serde(flatten)]
    pub common: CommonConfig,
}

impl Default for JunkConfig {
    fn default() -> Self {
        Self {
            folder: "unipen".into(),
            characters: None,
            punctuation: false,
            // About 6 % of a mix with the strokes themselves and NIST36, the fraction that a study of the page reader found useful.
            train: 3_000,
            valid: 0,
            test: 0,
            size: 32,
            pen_min: 1.6,
            pen_max: 4.6,
            common: CommonConfig::default(),
        }
    }
}

impl SourceConfig for JunkConfig {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn key(&self) -> &'static str {
        "train"
    }

    fn folders(&self) -> Vec<&str> {
        vec![&self.folder]
    }

    fn shape(&self) -> ImageShape {
        ImageShape::new(1, self.size, self.size)
    }

    fn classes(&self) -> Option<usize> {
        Some(1)
    }

    fn problems(&self, path: &str) -> Vec<Problem> {
        let pen = pen_problem(self.pen_min, self.pen_max, path);
        let characters = repeated_character(self.characters.as_deref(), path);
        pen.into_iter().chain(characters).collect()
    }

    fn split_key(&self, split: Split) -> Option<String> {
        Some(split.name().into())
    }

    fn open(&self, root: &Path, _monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
        Ok(Box::new(Junk::open(self, root)?))
    }
}

/// Synthetic non-character ink.
pub struct Junk {
    config: JunkConfig,
    classes: Vec<String>,
    characters: Unipen,
}

impl Junk {
    /// Reads `<root>/<config.folder>/strokes.jsonl.gz`; errors as in [`Unipen::open`].
    pub fn open(config: &JunkConfig, root: &Path) -> Result<Self, DataError> {
        let characters = UnipenConfig {
            folder: config.folder.clone(),
            characters: config.characters.clone(),
            split: SplitRule::Share(ShareConfig {
                valid: 0.0,
                test: 0.0,
                stratify: false,
            }),
            size: config.size,
            pen_min: config.pen_min,
            pen_max: config.pen_max,
            ..UnipenConfig::default()
        };
        Ok(Self {
            config: config.clone(),
            classes: vec![JUNK.into()],
            characters: Unipen::open(&characters, root)?,
        })
    }

    /// A character, 1 high (a lying one 1 wide) with its left upper corner at the origin.
    fn character(&self, rng: &mut Rng) -> Vec<Polyline> {
        let count = self.characters.len(Split::Train).max(1);
        let index = (rng.next_u64() >> 32) as usize % count;
        let strokes = self.characters.strokes(Split::Train, index);
        let mut strokes = strokes.unwrap_or_default().to_vec();
        let unit = 1.0 / UNITS;
        Affine::new(0.0, 0.0, unit, unit).apply_all(&mut strokes);
        if let Some((low, high)) = strokes::extent(&strokes) {
            let size = 1.0
                / (high[1] - low[1])
                    .max((high[0] - low[0]) / 2.0)
                    .max(f32::EPSILON);
            moved([-low[0] * size, -low[1] * size], size).apply_all(&mut strokes);
        }
        strokes
    }

    /// One side of a character that was cut in two.
    fn piece(&self, rng: &mut Rng) -> Vec<Polyline> {
        let mut piece = Vec::new();
        for _ in 0..TRIES {
            let character = self.character(rng);
            let Some((low, high)) = strokes::extent(&character) else {
                continue;
            };
            let lying = usize::from(uniform(rng) < LYING_CUT);
            let at = low[lying] + between(CUT, rng) * (high[lying] - low[lying]);
            let (slope, side) = (
                OBLIQUE * normal(rng),
                if uniform(rng) < 0.5 { 1.0 } else { -1.0 },
            );
            let middle = (low[1 - lying] + high[1 - lying]) / 2.0;
            let depth =
                |point: Point| side * (point[lying] - at - slope * (point[1 - lying] - middle));
            piece = cut(&character, depth);
            let long = strokes::extent(&piece)
                .is_some_and(|(low, high)| (high[0] - low[0]).max(high[1] - low[1]) >= MIN_PIECE);
            if long {
                break;
            }
        }
        piece
    }

    /// Draws one sample.
    fn draw(&self, rng: &mut Rng, out: &mut [f32]) {
        let kind = (rng.next_u64() >> 32) as u32 % 100;
        let mut ink = match kind {
            _ if kind < PAIRS => row([self.character(rng), self.character(rng)], rng),
            _ if kind < PAIRS + TRIPLES => row([(); 3].map(|()| self.character(rng)), rng),
            _ if kind < PAIRS + TRIPLES + LETTER_AND_PIECE => {
                if uniform(rng) < 0.5 {
                    row([self.character(rng), self.piece(rng)], rng)
                } else {
                    row([self.piece(rng), self.character(rng)], rng)
                }
            }
            _ if kind < PAIRS + TRIPLES + LETTER_AND_PIECE + PIECES => self.piece(rng),
            _ => return mark(&self.config, rng, out),
        };
        Affine::new(0.0, 0.0, UNITS, UNITS).apply_all(&mut ink);
        self.characters.render(&ink, rng, out);
    }
}

/// `size` times a point, then moved.
fn moved(by: Point, size: f32) -> Affine {
    Affine {
        x0: by[0],
        y0: by[1],
        ..Affine::new(0.0, 0.0, size, size)
    }
}

/// Places ink side by side from left to right.
fn row<const N: usize>(parts: [Vec<Polyline>; N], rng: &mut Rng) -> Vec<Polyline> {
    let mut row: Vec<Polyline> = Vec::new();
    for mut part in parts {
        if let (Some((_, end)), Some((start, _))) = (strokes::extent(&row), strokes::extent(&part))
        {
            let by = end[0] - start[0] + between(GAP, rng);
            moved([by, UNEVEN * normal(rng)], 1.0).apply_all(&mut part);
        }
        row.append(&mut part);
    }
    row
}

/// The parts of the strokes where `depth` is not negative.
fn cut(strokes: &[Polyline], depth: impl Fn(Point) -> f32) -> Vec<Polyline> {
    let mut kept: Vec<Polyline> = Vec::new();
    for stroke in strokes {
        let mut part: Polyline = Vec::new();
        let mut before: Option<Point> = None;
        for &point in stroke {
            let inside = depth(point) >= 0.0;
            if let Some(last) = before
                && (depth(last) >= 0.0) != inside
            {
                part.push(crossing(last, point, &depth));
                if !inside {
                    kept.push(std::mem::take(&mut part));
                }
            }
            if inside {
                part.push(point);
            }
            before = Some(point);
        }
        kept.push(part);
    }
    kept.retain(|part| !part.is_empty());
    kept
}

/// Where the straight line between two points on different sides has depth 0.
fn crossing(from: Point, to: Point, depth: impl Fn(Point) -> f32) -> Point {
    let (start, end) = (depth(from), depth(to));
    let share = start / (start - end);
    [0, 1].map(|axis| from[axis] + share * (to[axis] - from[axis]))
}

/// A dash, two dashes, a scribble, a blot or two dots; with punctuation a scribble.
fn mark(config: &JunkConfig, rng: &mut Rng, out: &mut [f32]) {
    let size = config.size;
    let unit = size as f32 / SAMPLE;
    let lean = MARK_LEAN * (2.0 * uniform(rng) - 1.0);
    let dash = |y: f32, length: f32| {
        let (sine, cosine) = lean.sin_cos();
        vec![
            [-length * cosine, y - length * sine],
            [length * cosine, y + length * sine],
        ]
    };
    let longer = unit * between(MARK_LONGER, rng);
    let kind = (rng.next_u64() >> 32) % 5;
    let kind = if config.punctuation { SCRIBBLED } else { kind };
    let mut ink = match kind {
        0 => vec![dash(0.0, 1.0)],
        1 => vec![dash(-0.35, 1.0), dash(0.35, 0.6 + 0.8 * uniform(rng))],
        SCRIBBLED | BLOT => vec![scribble(rng)],
        _ => vec![vec![[0.0, -1.0]], vec![[0.3 * normal(rng), 1.0]]],
    };
    let pen = match kind {
        BLOT => longer * between(BLOT_PEN, rng),
        _ => unit * MARK_PEN.0 * (MARK_PEN.1 / MARK_PEN.0).powf(uniform(rng)),
    };
    strokes::fit(&mut ink, longer, pen / 2.0, [size as f32 / 2.0; 2]);
    strokes::draw(&ink, pen / 2.0, size, size, None, out);
}

/// A random path.
fn scribble(rng: &mut Rng) -> Polyline {
    let count = SCRIBBLE.0 + (rng.next_u64() >> 32) as u32 % (SCRIBBLE.1 - SCRIBBLE.0);
    (0..count).map(|_| [normal(rng), normal(rng)]).collect()
}

fn between((least, most): (f32, f32), rng: &mut Rng) -> f32 {
    least + (most - least) * uniform(rng)
}

impl DataSource for Junk {
    fn shape(&self) -> ImageShape {
        self.characters.shape()
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn redraws(&self) -> bool {
        true
    }

    fn len(&self, split: Split) -> usize {
        match split {
            Split::Train => self.config.train,
            Split::Valid => self.config.valid,
            Split::Test => self.config.test,
        }
    }

    fn label(&self, _split: Split, _index: usize) -> usize {
        0
    }

    fn read(
        &self,
        split: Split,
        index: usize,
        draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        if index >= self.len(split) || out.len() != self.shape().values() {
            return Err(DataError::Empty(format!(
                "junk: no sample {index} of {} values in the {} split",
                out.len(),
                split.name()
            )));
        }
        let mut rng = rng::seeded(&[PURPOSE, split as u64, index as u64, draw]);
        self.draw(&mut rng, out);
        Ok(())
    }
}
