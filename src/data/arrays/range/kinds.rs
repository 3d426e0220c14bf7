//! The ranges of values: 0 and 1, 0 and 255, or others stand for black and white.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The largest byte.
pub(super) const BYTE: f64 = 255.0;

/// Where the largest of all values is less than this part of white, images are nearly black.
pub(super) const MIN_PART: f64 = 1.0 / 8.0;

/// The values that stand for 0 and 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Range {
    /// Found by the values of the training images.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// 0 and 1.
    #[serde(rename = "0..1")]
    Unit,
    /// -1 and 1.
    #[serde(rename = "-1..1")]
    Signed,
    /// 0 and 255.
    #[serde(rename = "0..255")]
    Byte,
    /// 0 and 65,535.
    #[serde(rename = "0..65535")]
    Word,
}

impl Range {
    /// All but [`Range::Auto`], the narrowest first.
    pub(super) const ALL: [Self; 4] = [Self::Unit, Self::Signed, Self::Byte, Self::Word];

    /// The two values; those of [`Range::Auto`] are 0 and 1.
    pub fn ends(self) -> [f64; 2] {
        match self {
            Range::Auto | Range::Unit => [0.0, 1.0],
            Range::Signed => [-1.0, 1.0],
            Range::Byte => [0.0, BYTE],
            Range::Word => [0.0, 65_535.0],
        }
    }

    /// In words: `0 to 255`.
    pub fn in_words(self) -> String {
        let [black, white] = self.ends();
        format!("{black} to {white}")
    }

    /// The range as `data.range` names it.
    pub(super) fn key(self) -> &'static str {
        match self {
            Range::Auto => "auto",
            Range::Unit => "0..1",
            Range::Signed => "-1..1",
            Range::Byte => "0..255",
            Range::Word => "0..65535",
        }
    }
}

/// The range of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// The range.
    pub range: Range,
    /// The least and the greatest value.
    pub ends: [f64; 2],
    /// Values beyond the range, as resizing makes them; they become black or white.
    pub beyond: usize,
}

impl Found {
    /// The largest value, where it is nearly black: probably it stands for white.
    pub fn dim(&self) -> Option<String> {
        let [_, most] = self.ends;
        let [_, white] = self.range.ends();
        let is_dim = most > 0.0 && most < MIN_PART * white;
        let is_wide = matches!(self.range, Range::Byte | Range::Word);
        (is_wide && is_dim).then(|| short(most))
    }
}

/// A number as short as its type allows.
pub(super) fn short(value: f64) -> String {
    let narrow = value as f32;
    if f64::from(narrow) == value {
        narrow.to_string()
    } else {
        value.to_string()
    }
}
