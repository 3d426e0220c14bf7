//! Which values are black and white: 0 and 1, 0 and 255, or others.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::formats::array::Values;

/// How far beyond its ends the values of a range may go, as a fraction of it: bicubic resizing overshoots by an eighth.
const OVERSHOOT: f64 = 0.5;

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
    /// The two values; those of [`Range::Auto`] are 0 and 1.
    pub fn ends(self) -> [f64; 2] {
        match self {
            Range::Auto | Range::Unit => [0.0, 1.0],
            Range::Signed => [-1.0, 1.0],
            Range::Byte => [0.0, 255.0],
            Range::Word => [0.0, 65_535.0],
        }
    }

    /// In words: `0 to 255`.
    pub fn in_words(self) -> String {
        let [black, white] = self.ends();
        format!("{black} to {white}")
    }

    /// Whether values from `least` to `most` can be of this range.
    fn holds(self, [least, most]: [f64; 2], may_overshoot: bool) -> bool {
        let [black, white] = self.ends();
        let beyond = if may_overshoot {
            OVERSHOOT * (white - black)
        } else {
            0.0
        };
        least >= black - beyond && most <= white + beyond
    }
}

/// The range of some values: the one of the config, or the narrowest that holds them.
///
/// # Errors
/// Values that are not finite, texts, or values beyond the range.
pub fn find(values: &Values, wanted: Range) -> Result<Range, String> {
    let extremes = extremes(values)?;
    let [least, most] = extremes;
    let may_overshoot = matches!(values, Values::Floats(_));
    if wanted != Range::Auto {
        return if wanted.holds(extremes, may_overshoot) {
            Ok(wanted)
        } else {
            Err(format!(
                "has values from {least} to {most}; expected {} (data.range)",
                wanted.in_words()
            ))
        };
    }
    let order = [Range::Unit, Range::Signed, Range::Byte, Range::Word];
    let found = order.into_iter().find(|range| {
        // Whole numbers from -1 to 1 are not images.
        let is_likely = may_overshoot || *range != Range::Signed;
        is_likely && range.holds(extremes, may_overshoot)
    });
    found.ok_or_else(|| {
        format!(
            "has values from {least} to {most}; expected 0 to 1, -1 to 1, 0 to 255 or 0 to 65535"
        )
    })
}

/// The least and the greatest value; 0 and 0 of none.
fn extremes(values: &Values) -> Result<[f64; 2], String> {
    Ok(match values {
        Values::Bytes(values) => ends(values.iter().map(|&value| f64::from(value))),
        Values::Integers(values) => ends(values.iter().map(|&value| f64::from(value))),
        Values::Floats(values) => {
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return Err(format!("has a value that is not finite: {value}"));
            }
            ends(values.iter().map(|&value| f64::from(value)))
        }
        Values::Texts(_) => return Err("holds strings, not numbers".into()),
    })
}

fn ends(values: impl Iterator<Item = f64>) -> [f64; 2] {
    values
        .map(|value| [value, value])
        .reduce(|[least, most], [value, _]| [least.min(value), most.max(value)])
        .unwrap_or_default()
}
