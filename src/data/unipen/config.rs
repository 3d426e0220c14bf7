//! Settings of the pen strokes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::source::{CommonConfig, is_false};
use crate::data::split_rule::SplitRule;
use crate::error::Problem;

/// Settings of the pen strokes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UnipenConfig {
    /// Folder of `strokes.jsonl.gz`; relative to `KILN_DATA`.
    pub folder: String,
    /// The characters that are classes, in this order; segments of others are not used, and counted. Without it, A to Z and 0 to 9,
    /// and any other is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub characters: Option<String>,
    /// How the segments are divided. All segments of a file (and so of a writer) go to the same split.
    pub split: SplitRule,
    /// Divide as each segment's own `split` says instead: `train`, `extra` (training as well), `valid` or `test`.
    #[serde(skip_serializing_if = "is_false")]
    pub recorded_split: bool,
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
            characters: None,
            split: SplitRule::default(),
            recorded_split: false,
            unverified: true,
            size: 32,
            pen_min: 1.6,
            pen_max: 4.6,
            hand: 0.0,
            common: CommonConfig::default(),
        }
    }
}

/// The problem of an empty range of pen widths.
pub fn pen_problem(thinnest: f32, thickest: f32, path: &str) -> Option<Problem> {
    (thinnest > thickest).then(|| {
        Problem::new(
            format!("{path}.pen_min"),
            format!("found {thinnest}; must not exceed {path}.pen_max ({thickest})"),
        )
    })
}

/// The problem of a character that is listed twice.
pub fn repeated_character(characters: Option<&str>, path: &str) -> Option<Problem> {
    let mut seen = Vec::new();
    let twice = characters?.chars().find(|&character| {
        let known = seen.contains(&character);
        seen.push(character);
        known
    });
    Some(Problem::new(
        format!("{path}.characters"),
        format!("found {:?} twice; remove one", twice?),
    ))
}
