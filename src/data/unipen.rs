//! Isolated characters from UNIPEN: recorded pen strokes, redrawn with a different pen on every read.
//!
//! `strokes.jsonl.gz` has one segment per line: `{"c": character, "q": "OK" or "?", "src": file, "s": strokes}`, where a stroke is a list
//! of `[x, y]` (y down, the longer side of the segment's box is 1000). Samples are grey, in the proportions of NIST36, in 36 classes. A
//! line that is not in this format is an error that names it; a segment that is not a character (see [`flaw`]) is skipped and counted.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::formats::lines::{Limits, Lines};
use super::glyphs::proportions as p;
use super::source::folder_at;
use super::split_rule::{self, SplitRule};
use super::{CommonConfig, DataError, DataSource, SourceConfig, Split};
use crate::error::Problem;
use crate::handwriting::hand::{self, Variation};
use crate::handwriting::strokes::{self, Affine, Polyline, Ragged};
use crate::handwriting::{CLASSES, alphanumeric_classes};
use crate::progress::Monitor;
use crate::rng::{self, Rng, normal};
use crate::shape::ImageShape;

/// The file in the data set's folder.
const FILE: &str = "strokes.jsonl.gz";

/// Maximum size of the file and its lines, unpacked: UNIPEN's file is 15 MB, and its longest line is 5,815 bytes.
const LIMITS: Limits = Limits {
    line: 1 << 18,
    file: 256 << 20,
};

/// Seed component of this source.
const PURPOSE: u64 = 0x756e_6970_656e; // "unipen"

/// Longer side of a segment in the file's units.
pub(super) const UNITS: f32 = 1000.0;

/// Width-to-height ratios outside this range are left unchanged (bars, J, 1).
const SQUARED_RANGE: (f32, f32) = (0.35, 3.0);

/// Exponent that pulls the ratio a little towards 1, because the letters of NIST36 are squarer than those of UNIPEN; the
/// value is the one that the UNIPEN stand-in for NIST36 was drawn with.
const SQUARED: f32 = 0.85;

/// How much wider letters are drawn: natural logarithm of the factor, and its standard deviation when `draw` is not 0. These and
/// the three below are the stand-in's as well.
const WIDER: f32 = 0.08;
const ASPECT_SPREAD: f32 = 0.12;

/// Longer side of the ink when `draw` is not 0, in pixels of a 32 x 32 image: standard deviation, and range.
const LONGER_SPREAD: f32 = 3.6;
const LONGER_RANGE: (f32, f32) = (16.0, 31.0);

/// Offset from the centre along each axis when `draw` is not 0: standard deviation in the same pixels.
const OFFSET_SPREAD: f32 = 0.9;

/// Minimum distance between the ink's box and the image's border.
const MARGIN: f32 = 0.25;

/// Standard deviations of the pen's width, of its natural logarithm, between the thinnest pen and the thickest.
const PEN_SPREADS: f32 = 5.0;

/// Settings of the pen strokes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UnipenConfig {
    /// Folder of `strokes.jsonl.gz`; relative to `KILN_DATA`.
    pub folder: String,
    /// How the segments are divided. All segments of a file (and so of a writer) go to the same split.
    pub split: SplitRule,
    /// Also use segments whose label the contributor did not verify.
    pub unverified: bool,
    /// Height and width of a sample in pixels.
    #[schemars(range(min = 16, max = 128))]
    pub size: usize,
    /// Minimum pen width in pixels. Widths are sampled around the geometric mean of the minimum and maximum, so few are close to either limit.
    #[schemars(range(min = 0.5, max = 16.0))]
    pub pen_min: f32,
    /// Maximum pen width in pixels.
    #[schemars(range(min = 0.5, max = 16.0))]
    pub pen_max: f32,
    /// Strength of handwriting-style augmentation (shift, bend, shear, rotate strokes), relative to the drawn glyphs; 0
    /// disables it.
    #[schemars(range(min = 0.0, max = 4.0))]
    pub hand: f32,
    /// Keys common to all sources: `normalize` and `augment`.
    #[serde(flatten)]
    pub common: CommonConfig,
}

impl Default for UnipenConfig {
    fn default() -> Self {
        Self {
            folder: "unipen".into(),
            split: SplitRule::default(),
            unverified: true,
            size: 32,
            pen_min: 1.6,
            pen_max: 4.6,
            hand: 0.0,
            common: CommonConfig::default(),
        }
    }
}

impl SourceConfig for UnipenConfig {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn folders(&self) -> Vec<&str> {
        vec![&self.folder]
    }

    fn shape(&self) -> ImageShape {
        ImageShape::new(1, self.size, self.size)
    }

    fn classes(&self) -> Option<usize> {
        Some(CLASSES)
    }

    fn split(&self) -> Option<&SplitRule> {
        Some(&self.split)
    }

    fn problems(&self, path: &str) -> Vec<Problem> {
        let stratify = matches!(&self.split, SplitRule::Share(share) if share.stratify);
        let stratify = stratify.then(|| {
            Problem::new(
                format!("{path}.split.stratify"),
                "stratify is not supported: all segments of a writer go to the same split; remove this key",
            )
        });
        let pen = pen_problem(self.pen_min, self.pen_max, path);
        stratify.into_iter().chain(pen).collect()
    }

    fn open(&self, root: &Path, _monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
        Ok(Box::new(Unipen::open(self, root)?))
    }
}

/// The problem of an empty range of pen widths.
pub(super) fn pen_problem(thinnest: f32, thickest: f32, path: &str) -> Option<Problem> {
    (thinnest > thickest).then(|| {
        Problem::new(
            format!("{path}.pen_min"),
            format!("found {thinnest}; must not exceed {path}.pen_max ({thickest})"),
        )
    })
}

/// One line of the file.
#[derive(Deserialize)]
struct Line {
    c: String,
    q: String,
    src: String,
    s: Vec<Vec<[f32; 2]>>,
}

/// One character.
struct Segment {
    label: u8,
    strokes: Vec<Polyline>,
}

/// The recorded strokes.
pub struct Unipen {
    config: UnipenConfig,
    classes: Vec<String>,
    splits: [Vec<Segment>; 3],
    left_out: usize,
}

impl Unipen {
    /// Reads `<root>/<config.folder>/strokes.jsonl.gz`.
    ///
    /// # Errors
    /// A missing or unreadable file; a line that is not in the format (with its number); no usable training segment.
    pub fn open(config: &UnipenConfig, root: &Path) -> Result<Self, DataError> {
        let path = folder_at(root, &config.folder)?.join(FILE);
        let file = File::open(&path).map_err(|error| DataError::io(&path, error))?;
        let mut unipen = Self {
            config: config.clone(),
            classes: alphanumeric_classes(),
            splits: [Vec::new(), Vec::new(), Vec::new()],
            left_out: 0,
        };
        let mut lines = Lines::new(MultiGzDecoder::new(BufReader::new(file)), &LIMITS);
        while let Some(line) = lines
            .next_line()
            .map_err(|problem| DataError::format(&path, problem))?
        {
            let added = unipen.add(line.text);
            added.map_err(|problem| {
                DataError::format(&path, format!("line {}: {problem}", line.number))
            })?;
        }
        if unipen.len(Split::Train) == 0 {
            return Err(DataError::Empty(format!(
                "{}: no segments remain for training; change data.split or data.unverified",
                path.display()
            )));
        }
        Ok(unipen)
    }

    /// Number of segments that were skipped because they are not characters.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        let line: Line = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let label = self.classes.iter().position(|class| *class == line.c);
        let label = label.ok_or_else(|| format!("\"c\" is {:?}; expected A-Z or 0-9", line.c))?;
        let verified = match line.q.as_str() {
            "OK" => true,
            "?" => false,
            other => return Err(format!("\"q\" is {other:?}; expected \"OK\" or \"?\"")),
        };
        if line.s.is_empty() || line.s.iter().any(Vec::is_empty) {
            return Err("\"s\" has a stroke without points, or no stroke".into());
        }
        if line.s.iter().flatten().flatten().any(|v| !v.is_finite()) {
            return Err("\"s\" has a coordinate that is not a finite number".into());
        }
        if !verified && !self.config.unverified {
            return Ok(());
        }
        if flaw(&line.c, &line.s).is_some() {
            self.left_out += 1;
            return Ok(());
        }
        let split = split_rule::assign(&self.config.split, &line.src);
        if let Some(segments) = self.splits.get_mut(split as usize) {
            segments.push(Segment {
                label: label as u8,
                strokes: line.s,
            });
        }
        Ok(())
    }

    /// The strokes of a segment, in the file's units.
    pub(super) fn strokes(&self, split: Split, index: usize) -> Option<&[Polyline]> {
        Some(&self.segment(split, index)?.strokes)
    }

    fn segment(&self, split: Split, index: usize) -> Option<&Segment> {
        self.splits.get(split as usize)?.get(index)
    }

    /// Draws strokes with the plain pen, or (`vary`) a random one.
    pub(super) fn render(&self, strokes: &[Polyline], edge: &mut Rng, vary: bool, out: &mut [f32]) {
        let size = self.config.size;
        let unit = size as f32 / p::SIZE;
        let mut draw = |strength: f32| if vary { strength * normal(edge) } else { 0.0 };
        let longer = p::LONGER + draw(LONGER_SPREAD);
        let longer = longer.clamp(LONGER_RANGE.0, LONGER_RANGE.1) * unit;
        let room = (size as f32 - longer - 2.0 * MARGIN * unit).max(0.0) / 2.0;
        let middle = size as f32 / 2.0;
        let mut offset = || middle + (unit * draw(OFFSET_SPREAD)).clamp(-room, room);
        let centre = [offset(), offset()];
        let stretch = (WIDER + draw(ASPECT_SPREAD)).exp();
        let (thinnest, thickest) = (self.config.pen_min, self.config.pen_max);
        let spread = (thickest / thinnest).ln() / PEN_SPREADS;
        let pen = (thinnest * thickest).sqrt() * draw(spread).exp();
        let pen = pen.clamp(thinnest, thickest);

        let mut strokes = strokes.to_vec();
        if vary && self.config.hand > 0.0 {
            let unit = 1.0 / UNITS;
            Affine::new(0.0, 0.0, unit, unit).apply_all(&mut strokes);
            let variation = Variation::MANY.scaled(self.config.hand);
            hand::rewrite(&mut strokes, &variation, edge);
            Affine::new(0.0, 0.0, UNITS, UNITS).apply_all(&mut strokes);
        }
        square(&mut strokes, stretch);
        strokes::fit(&mut strokes, longer, pen / 2.0, centre);
        let ragged = Ragged {
            strength: p::RAGGED * unit,
            rng: edge,
        };
        strokes::draw(&strokes, pen / 2.0, size, size, Some(ragged), out);
    }
}

/// Pulls the proportions a little towards the square, and multiplies the width by `stretch`.
fn square(strokes: &mut [Polyline], stretch: f32) {
    let Some((low, high)) = strokes::extent(strokes) else {
        return;
    };
    let ratio = (high[0] - low[0]).max(1.0) / (high[1] - low[1]).max(1.0);
    if ratio > SQUARED_RANGE.0 && ratio < SQUARED_RANGE.1 {
        let wider = stretch * ratio.powf(SQUARED - 1.0);
        Affine::new(0.0, 0.0, wider, 1.0).apply_all(strokes);
    }
}

/// Why a segment is not a character, judged by what any writing of it must have; `None` if it is one.
///
/// The limits were set by inspecting the segments they exclude from the 30,045 (about 1 %): taps of the pen, crossings
/// out, and segments that were cut wrongly, so that a bar or a piece of the character is left.
pub fn flaw(character: &str, strokes: &[Polyline]) -> Option<&'static str> {
    let (low, high) = strokes::extent(strokes)?;
    let (width, height) = (high[0] - low[0], high[1] - low[1]);
    let path: f32 = strokes.iter().map(path_length).sum();
    let bar_allowed = matches!(character, "I" | "1");
    // One simple stroke makes these; every other character goes back or round, and is longer than its box.
    let simple = bar_allowed || matches!(character, "L" | "V" | "C" | "J" | "7");
    let narrow = width.min(height) < 0.1 * width.max(height);
    if path < 0.4 * UNITS {
        Some("a dot")
    } else if bar_allowed && width > 2.0 * height {
        Some("a lying bar")
    } else if !bar_allowed && (narrow || is_straight(strokes, path)) {
        Some("a bar")
    } else if !simple && path < 1.1 * UNITS {
        Some("a piece")
    } else if path > 9.0 * UNITS || strokes.len() > 9 {
        Some("a scribble")
    } else {
        None
    }
}

/// Whether one stroke goes straight from its beginning to its end (allowing 10 % for a shaky hand).
fn is_straight(strokes: &[Polyline], path: f32) -> bool {
    match strokes {
        [stroke] => match (stroke.first(), stroke.last()) {
            (Some(a), Some(b)) => path < 1.1 * (b[0] - a[0]).hypot(b[1] - a[1]),
            _ => false,
        },
        _ => false,
    }
}

fn path_length(stroke: &Polyline) -> f32 {
    let pairs = stroke.iter().zip(stroke.iter().skip(1));
    pairs.map(|(a, b)| (b[0] - a[0]).hypot(b[1] - a[1])).sum()
}

impl DataSource for Unipen {
    fn shape(&self) -> ImageShape {
        ImageShape {
            channels: 1,
            height: self.config.size,
            width: self.config.size,
        }
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn redraws(&self) -> bool {
        true
    }

    fn len(&self, split: Split) -> usize {
        self.splits.get(split as usize).map_or(0, Vec::len)
    }

    fn label(&self, split: Split, index: usize) -> usize {
        self.segment(split, index)
            .map_or(0, |segment| usize::from(segment.label))
    }

    fn read(
        &self,
        split: Split,
        index: usize,
        draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let segment = self.segment(split, index);
        let segment = segment.filter(|_| out.len() == self.shape().values());
        let segment = segment.ok_or_else(|| {
            DataError::Empty(format!(
                "unipen: no sample {index} of {} values in the {} split",
                out.len(),
                split.name()
            ))
        })?;
        let mut rng = rng::seeded(&[PURPOSE, split as u64, index as u64, draw]);
        self.render(&segment.strokes, &mut rng, draw != 0, out);
        Ok(())
    }
}
