//! Synthetic hand-printed capital letters and digits: a data set that needs no files.
//!
//! Grey samples of 36 classes (A to Z, 0 to 9) in the proportions of the NIST36 samples, dark on white. Every sample is a pure function
//! of the config's seed and size, the split and the index; its class is the index modulo 36. Whole pages are drawn by
//! [`crate::handwriting::pages`].

use std::path::Path;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::{CommonConfig, DataError, DataSource, SourceConfig, Split};
use super::unipen::repeated_character;
use crate::error::Problem;
use crate::handwriting::strokes::{self, Polyline, Ragged};
use crate::handwriting::{PUNCTUATION, characters, class_of};
use crate::progress::Monitor;
use crate::rng::{self, Rng, normal};
use crate::shape::ImageShape;

pub use crate::handwriting::CLASSES;
use crate::handwriting::hand::{self, Variation};

/// Proportions of a sample, in pixels of a 32 x 32 image; another size scales them. The means are those of the NIST36
/// samples (ink's longer side 25.5 px, pen 2.75 px log-normal); the spreads are smaller, so that a small perceptron can
/// learn the set in a minute.
pub mod proportions {
    /// The image size that the other values refer to.
    pub const SIZE: f32 = 32.0;
    /// Longer side of the ink's box: mean.
    pub const LONGER: f32 = 25.5;
    /// Longer side: standard deviation.
    pub const LONGER_SPREAD: f32 = 2.0;
    /// Longer side: minimum and maximum. The maximum leaves a margin of 1 px on both sides, and room for the soft edge.
    pub const LONGER_RANGE: (f32, f32) = (18.0, 28.5);
    /// Pen: median width.
    pub const PEN: f32 = 2.75;
    /// Pen: standard deviation of the width's natural logarithm.
    pub const PEN_SPREAD: f32 = 0.2;
    /// Pen: thinnest and thickest.
    pub const PEN_RANGE: (f32, f32) = (1.6, 4.6);
    /// Offset of the box's centre from the image's along each axis: standard deviation.
    pub const OFFSET: f32 = 0.5;
    /// Minimum distance between the ink's box and the image's border.
    pub const MARGIN: f32 = 1.5;
    /// Raggedness of the edge: standard deviation of its position.
    pub const RAGGED: f32 = 0.07;
}

/// Seed component of the samples, so that their random stream is independent of all others.
const PURPOSE: u64 = 0x676c_7970_6873; // "glyphs"

/// Straight pieces between two nodes: at 32 px they are about 2 px long.
const STEPS: usize = 4;

/// Width of the pen on paper in heights of a capital: that of a felt pen on composed pages is 0.095, a marker's 0.13.
const PAPER_PEN: f32 = 0.12;

/// Up to this many bytes, samples are drawn once and cached (the default set takes 18 MB); those of a larger set are
/// redrawn on every read.
const KEPT_BYTES: usize = 512 << 20;

/// Settings of the synthetic glyphs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GlyphsConfig {
    /// The characters that are classes, in this order: A-Z, 0-9, a-z and `.,:;!?'"()-+/#&@%$*=`. Without it, A to Z and 0 to 9.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub characters: Option<String>,
    /// Number of training samples; sample `i` has class `i` modulo the number of classes (36 without `characters`).
    #[schemars(range(min = 36, max = 1_000_000))]
    pub train: usize,
    /// Number of validation samples.
    #[schemars(range(min = 36, max = 1_000_000))]
    pub valid: usize,
    /// Number of test samples.
    #[schemars(range(min = 36, max = 1_000_000))]
    pub test: usize,
    /// Height and width of a sample in pixels.
    #[schemars(range(min = 16, max = 128))]
    pub size: usize,
    /// Random seed of the samples. Independent of the run's `seed`: runs with different seeds see the same data.
    pub seed: u64,
    /// Keys common to all sources: `normalize` and `augment`.
    #[serde(flatten)]
    pub common: CommonConfig,
}

impl Default for GlyphsConfig {
    fn default() -> Self {
        Self {
            characters: None,
            train: 10_800,
            valid: 3_600,
            test: 3_600,
            size: 32,
            seed: 0,
            common: CommonConfig::default(),
        }
    }
}

impl SourceConfig for GlyphsConfig {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn key(&self) -> &'static str {
        "train"
    }

    fn shape(&self) -> ImageShape {
        ImageShape::new(1, self.size, self.size)
    }

    fn classes(&self) -> Option<usize> {
        let characters = self.characters.as_ref();
        Some(characters.map_or(CLASSES, |characters| characters.chars().count()))
    }

    fn problems(&self, path: &str) -> Vec<Problem> {
        let characters = self.characters.as_deref();
        let unknown = characters.and_then(|all| all.chars().find(|&c| class_of(c).is_none()));
        let unknown = unknown.map(|character| {
            Problem::new(
                format!("{path}.characters"),
                format!("kiln can't draw {character:?}; use A-Z, 0-9, a-z and {PUNCTUATION}"),
            )
        });
        let twice = repeated_character(characters, path);
        unknown.into_iter().chain(twice).collect()
    }

    fn split_key(&self, split: Split) -> Option<String> {
        Some(split.name().into())
    }

    fn open(&self, _root: &Path, _monitor: &Monitor) -> Result<Box<dyn DataSource>, DataError> {
        Ok(Box::new(Glyphs::new(self)))
    }
}

/// The synthetic data set.
pub struct Glyphs {
    config: GlyphsConfig,
    classes: Vec<String>,
    /// The number among the forms ([`class_of`]) of each class.
    forms: Vec<usize>,
    /// The samples of every split in 1/255, one after another; empty if they are redrawn on every read.
    kept: [Vec<u8>; 3],
}

impl Glyphs {
    /// Draws the set, on all cores.
    pub fn new(config: &GlyphsConfig) -> Self {
        let drawn: Vec<char> = match &config.characters {
            Some(drawn) => drawn.chars().collect(),
            None => characters().take(CLASSES).collect(),
        };
        let mut glyphs = Self {
            config: config.clone(),
            classes: drawn.iter().map(char::to_string).collect(),
            forms: drawn.into_iter().filter_map(class_of).collect(),
            kept: [Vec::new(), Vec::new(), Vec::new()],
        };
        let values = config.size * config.size;
        let bytes = (config.train + config.valid + config.test).saturating_mul(values);
        if values > 0 && bytes <= KEPT_BYTES {
            glyphs.kept = Split::ALL.map(|split| glyphs.draw_all(split));
        }
        glyphs
    }

    fn draw_all(&self, split: Split) -> Vec<u8> {
        let values = self.shape().values();
        let mut all = vec![0u8; self.len(split) * values];
        all.par_chunks_exact_mut(values).enumerate().for_each_init(
            || vec![0.0f32; values],
            |grey, (index, bytes)| {
                self.draw(split, index, grey);
                for (byte, value) in bytes.iter_mut().zip(grey.iter()) {
                    *byte = to_byte(*value);
                }
            },
        );
        all
    }

    fn draw(&self, split: Split, index: usize, out: &mut [f32]) {
        let mut rng = rng::seeded(&[PURPOSE, self.config.seed, split as u64, index as u64]);
        let class = self.forms.get(self.label(split, index)).copied();
        let written = class
            .and_then(|class| hand::choose(class, &mut rng))
            .map(|form| hand::write(form, &Variation::MANY, STEPS, &mut rng));
        let written = written.unwrap_or_default();
        // Capitals and digits alone stay as they were before there were small marks.
        let paper_pen = self.config.characters.is_some().then_some(PAPER_PEN);
        place(written, self.config.size, paper_pen, &mut rng, out);
    }
}

/// Draws written strokes into a square image of `size` pixels, in random [`proportions`]. With `paper_pen` (in heights of a capital),
/// small marks are as thick as a crop of them would be.
fn place(
    mut strokes: Vec<Polyline>,
    size: usize,
    paper_pen: Option<f32>,
    rng: &mut Rng,
    out: &mut [f32],
) {
    use proportions as p;
    let unit = size as f32 / p::SIZE;
    let pen = p::PEN * (p::PEN_SPREAD * normal(rng)).exp();
    let pen = pen.clamp(p::PEN_RANGE.0, p::PEN_RANGE.1) * unit;
    let longer = p::LONGER + p::LONGER_SPREAD * normal(rng);
    let longer = longer.clamp(p::LONGER_RANGE.0, p::LONGER_RANGE.1) * unit;
    // The shorter side may have more room, but it stays as near to the middle as the longer one.
    let room = (size as f32 - longer - 2.0 * p::MARGIN * unit).max(0.0) / 2.0;
    let mut offset = || (p::OFFSET * unit * normal(rng)).clamp(-room, room);
    let middle = size as f32 / 2.0;
    let centre = [middle + offset(), middle + offset()];
    let thick = match (paper_pen, strokes::extent(&strokes)) {
        (Some(width), Some((low, high))) => {
            let side = (high[0] - low[0]).max(high[1] - low[1]);
            strokes::crop_pen(side, longer, width)
        }
        _ => 0.0,
    };
    let radius = pen.max(thick) / 2.0;
    strokes::fit(&mut strokes, longer, radius, centre);
    let ragged = Ragged {
        strength: p::RAGGED * unit,
        rng,
    };
    strokes::draw(&strokes, radius, size, size, Some(ragged), out);
}

fn to_byte(value: f32) -> u8 {
    (value * 255.0).round() as u8
}

fn from_byte(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}

impl DataSource for Glyphs {
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

    fn len(&self, split: Split) -> usize {
        match split {
            Split::Train => self.config.train,
            Split::Valid => self.config.valid,
            Split::Test => self.config.test,
        }
    }

    fn label(&self, _split: Split, index: usize) -> usize {
        index % self.classes.len().max(1)
    }

    fn read(
        &self,
        split: Split,
        index: usize,
        _draw: u64,
        out: &mut [f32],
    ) -> Result<(), DataError> {
        let values = self.shape().values();
        if index >= self.len(split) || out.len() != values {
            return Err(DataError::Empty(format!(
                "glyphs: no sample {index} of {values} values in the {} split",
                split.name()
            )));
        }
        let kept = self.kept.get(split as usize);
        match kept.and_then(|kept| kept.get(index * values..(index + 1) * values)) {
            Some(bytes) => {
                for (value, byte) in out.iter_mut().zip(bytes) {
                    *value = from_byte(*byte);
                }
            }
            None => {
                self.draw(split, index, out);
                for value in out {
                    *value = from_byte(to_byte(*value));
                }
            }
        }
        Ok(())
    }
}
