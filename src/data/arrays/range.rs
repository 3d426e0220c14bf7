//! Which values are black and white: 0 and 1, 0 and 255, or others.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::formats::array::Values;

/// How far beyond its ends fractions may go, as a part of what lies inside: bicubic and Lanczos resizing overshoot by up to 0.45 of
/// the contrast. Whole numbers are not made so.
const OVERSHOOT: f64 = 0.5;

/// One in so many values at least must lie beyond 255 where 16 bits are meant; fewer are mistakes.
const MIN_WORDS: usize = 1000;

/// The largest value of the range 0 to 255 is at least this part of it where there are negative fractions: standardized images, which have
/// some of both signs, are none.
const MIN_PART: f64 = 1.0 / 8.0;

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

    /// The range as `data.range` names it.
    fn key(self) -> &'static str {
        match self {
            Range::Auto => "auto",
            Range::Unit => "0..1",
            Range::Signed => "-1..1",
            Range::Byte => "0..255",
            Range::Word => "0..65535",
        }
    }

    /// Whether values can be of this range.
    fn holds(self, about: &About) -> bool {
        let [black, white] = self.ends();
        let [least, most] = about.ends;
        let inside = (most.min(white) - least.max(black)).max(0.0);
        let beyond = if about.has_fractions {
            OVERSHOOT * inside
        } else {
            0.0
        };
        least >= black - beyond && most <= white + beyond
    }

    /// Whether a range that holds the values is what they mean.
    fn is_likely(self, about: &About, values: &Values) -> bool {
        let [least, most] = about.ends;
        match self {
            // Whole numbers from -1 to 1 are images only where something else could have been stored.
            Range::Signed => matches!(values, Values::Floats(_)),
            Range::Byte | Range::Word if least < 0.0 && most < MIN_PART * BYTE => false,
            Range::Word => most > 2.0 * BYTE && !are_strays(values),
            _ => true,
        }
    }
}

/// The largest byte.
const BYTE: f64 = 255.0;

/// Whether the values beyond a byte are a few among many.
fn are_strays(values: &Values) -> bool {
    let beyond = (0..values.len()).filter(|&index| values.number(index) > Some(BYTE));
    beyond.count() * MIN_WORDS < values.len()
}

/// What a range is judged by.
struct About {
    /// The least and the greatest value; 0 and 0 of none.
    ends: [f64; 2],
    has_fractions: bool,
}

/// The range of some values, and how many of them lie beyond it, as resizing leaves fractions; those become black or white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The range.
    pub range: Range,
    /// Values beyond it.
    pub beyond: usize,
}

/// The range of some values: the one of the config or of the training images, or the narrowest that holds them. `place` says in words where
/// the value with an index is.
///
/// # Errors
/// Values that are not finite, strings, or values beyond the range; with the place of one of them.
pub fn find(
    values: &Values,
    wanted: Range,
    place: &dyn Fn(usize) -> String,
) -> Result<Found, String> {
    let about = About::of(values, place)?;
    let range = match wanted {
        Range::Auto => {
            let order = [Range::Unit, Range::Signed, Range::Byte, Range::Word];
            let found = order
                .into_iter()
                .find(|range| range.is_likely(&about, values) && range.holds(&about));
            found.ok_or_else(|| unlike_any(values, &about, place))?
        }
        wanted if wanted.holds(&about) => wanted,
        wanted => return Err(beyond(values, &about, wanted, place)),
    };
    let [black, white] = range.ends();
    let is_beyond = |value: f64| value < black || value > white;
    let beyond = if about.ends.into_iter().any(is_beyond) {
        let values = (0..values.len()).filter_map(|index| values.number(index));
        values.filter(|&value| is_beyond(value)).count()
    } else {
        0
    };
    Ok(Found { range, beyond })
}

/// A number as short as its type allows.
fn short(value: f64) -> String {
    let narrow = value as f32;
    if f64::from(narrow) == value {
        narrow.to_string()
    } else {
        value.to_string()
    }
}

/// The first place of a value.
fn place_of(values: &Values, wanted: f64, place: &dyn Fn(usize) -> String) -> String {
    let mut indices = 0..values.len();
    let index = indices.find(|&index| values.number(index) == Some(wanted));
    place(index.unwrap_or_default())
}

/// Why values are not of the range that they must have.
fn beyond(
    values: &Values,
    about: &About,
    wanted: Range,
    place: &dyn Fn(usize) -> String,
) -> String {
    let ([least, most], [black, _]) = (about.ends, wanted.ends());
    let found = if least < black { least } else { most };
    format!(
        "{}: found {}; expected {} (data.range, or as in the training images); correct the value, or set data.range to what is black \
         and white",
        place_of(values, found, place),
        short(found),
        wanted.in_words()
    )
}

/// Why values are of no range that is found.
fn unlike_any(values: &Values, about: &About, place: &dyn Fn(usize) -> String) -> String {
    let [least, most] = about.ends;
    let found = if least < 0.0 { least } else { most };
    let place = place_of(values, found, place);
    let [found, least, most] = [found, least, most].map(short);
    if about.ends[0] >= 0.0 && Range::Word.holds(about) {
        return format!(
            "{place}: found {found}, while most values lie between 0 and 255; correct the value, or set data.range to {:?} if it is right",
            Range::Word.key()
        );
    }
    format!(
        "{place}: found {found}; the values run from {least} to {most}, and expected are 0 to 1, -1 to 1, 0 to 255 or 0 to 65535 \
         (data.range); correct the value, or bring all values into one of these ranges"
    )
}

impl About {
    fn of(values: &Values, place: &dyn Fn(usize) -> String) -> Result<Self, String> {
        let ends = match values {
            Values::Bytes(values) => ends(values.iter().map(|&value| f64::from(value))),
            Values::Integers(values) => ends(values.iter().map(|&value| f64::from(value))),
            Values::Floats(values) => {
                if let Some(index) = values.iter().position(|value| !value.is_finite()) {
                    return Err(format!(
                        "{}: found {}; expected a finite number",
                        place(index),
                        values[index]
                    ));
                }
                ends(values.iter().map(|&value| f64::from(value)))
            }
            Values::Texts(_) => return Err("holds strings, not numbers".into()),
        };
        let has_fractions = match values {
            Values::Floats(values) => values.iter().any(|value| value.fract() != 0.0),
            _ => false,
        };
        Ok(Self {
            ends,
            has_fractions,
        })
    }
}

fn ends(values: impl Iterator<Item = f64>) -> [f64; 2] {
    values
        .map(|value| [value, value])
        .reduce(|[least, most], [value, _]| [least.min(value), most.max(value)])
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(values: Values, wanted: Range) -> Result<(Range, usize), String> {
        let found = find(&values, wanted, &|index| format!("value {index}"))?;
        Ok((found.range, found.beyond))
    }

    /// `value` among 1999 others that run evenly from `least` to `most`.
    fn with(least: f32, most: f32, value: f32) -> Values {
        let mut values: Vec<f32> = (0..2000)
            .map(|index| least + (most - least) * index as f32 / 1999.0)
            .collect();
        values[7] = value;
        Values::Floats(values)
    }

    fn whole(values: Values) -> Values {
        match values {
            Values::Floats(values) => Values::Floats(values.into_iter().map(f32::round).collect()),
            other => other,
        }
    }

    #[test]
    fn whole_numbers_beyond_the_range_are_refused_with_their_place() {
        for value in [-5.0, 300.0] {
            for range in [Range::Auto, Range::Byte] {
                let problem = found(whole(with(0.0, 255.0, value)), range).unwrap_err();
                let expected = format!("value 7: found {value}");
                assert!(problem.starts_with(&expected), "{problem}");
                assert!(problem.contains("data.range"), "{problem}");
            }
        }
        // One value far beyond is a mistake, too.
        let problem = found(whole(with(0.0, 255.0, 999.0)), Range::Auto).unwrap_err();
        assert!(problem.contains("found 999, while most"), "{problem}");
        // 16 bits are meant where they are used.
        let words = whole(with(0.0, 65_535.0, 0.0));
        assert_eq!(found(words, Range::Auto), Ok((Range::Word, 0)));
        let asked = whole(with(0.0, 255.0, 300.0));
        assert_eq!(found(asked, Range::Word), Ok((Range::Word, 0)));
    }

    #[test]
    fn fractions_may_overshoot_as_resizing_makes_them_and_are_counted() {
        for (values, range) in [
            (with(0.0, 1.0, -0.2), Range::Unit),
            (with(0.0, 1.0, 1.4), Range::Unit),
            (with(-1.0, 1.0, 1.3), Range::Signed),
            (with(0.0, 255.0, 280.5), Range::Byte),
        ] {
            assert_eq!(found(values.clone(), Range::Auto), Ok((range, 1)));
            assert_eq!(found(values, range), Ok((range, 1)));
        }
        assert!(found(with(0.0, 1.0, 1.7), Range::Unit).is_err());
        assert_eq!(
            found(with(0.0, 1.0, 0.5), Range::Auto),
            Ok((Range::Unit, 0))
        );
    }

    /// MNIST by PyTorch's `Normalize((0.1307,), (0.3081,))` runs from -0.4242 to 2.8215, ImageNet's usual one from -2.118 to 2.64.
    #[test]
    fn standardized_images_are_refused() {
        for (least, most) in [(-0.4242, 2.8215), (-2.118, 2.64)] {
            let problem = found(with(least, most, 0.1), Range::Auto).unwrap_err();
            assert!(problem.contains("the values run from -"), "{problem}");
        }
    }
}
