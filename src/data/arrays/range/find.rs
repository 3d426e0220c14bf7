//! Finds the range of some values.

use super::kinds::{BYTE, Found, MIN_PART, Range, short};
use super::wanted::{Wanted, disagreement};
use crate::data::formats::array::Values;

/// How far beyond its ends fractions may go, as a part of what lies inside: bicubic and Lanczos resizing overshoot by up to 0.45 of
/// the contrast. Whole numbers are not made so.
const OVERSHOOT: f64 = 0.5;

/// Largest part of the values that may lie beyond the range by more than [`SLIGHT`] of it. Measured: 0.02 of NIST's letters as the course has
/// them, up to 0.10 of grey letters and 0.15 of black and white ones that PyTorch and Pillow resize (bicubic, Lanczos). Of standardized
/// values beyond -1 to 1 it is 0.27 if they are normally distributed, and 0.36 if uniformly.
const MAX_BEYOND: f64 = 0.2;

/// Overshoots up to this part of the range are not counted against [`MAX_BEYOND`]: resizing leaves traces of them in half of all values.
const SLIGHT: f64 = 0.05;

/// One in so many whole numbers at least must lie beyond a range where a wider one is meant; fewer are mistakes.
const MIN_WHOLE: usize = 1000;

/// The same of fractions: in images of 0 to 255, few of them are below 1.
const MIN_FRACTIONS: usize = 100;

/// The range of some values: the wanted one, or the narrowest that holds them. `place` says in words where the value with an index is.
///
/// # Errors
/// Values that are not finite, strings, values beyond the range, or too many of them slightly beyond it; with the place of one of them.
/// Values of another range than those of the training images.
pub fn find(
    values: &Values,
    wanted: &Wanted,
    place: &dyn Fn(usize) -> String,
) -> Result<Found, String> {
    let search = Search {
        values,
        about: About::of(values, place)?,
        place,
    };
    match wanted {
        Wanted::Config(Range::Auto) => search.narrowest(),
        Wanted::Config(range) => search.given(*range),
        Wanted::AsTraining(training, name) => {
            let own = search.narrowest().ok();
            match own.and_then(|own| disagreement(&own, training, name)) {
                Some(problem) => Err(problem),
                None => search.given(training.range),
            }
        }
    }
}

/// Bounds within which overshoots are slight.
pub fn slightly_beyond(range: Range) -> [f64; 2] {
    let [black, white] = range.ends();
    let slight = SLIGHT * (white - black);
    [black - slight, white + slight]
}

/// Whether so many of `all` values are not [`slightly_beyond`] the range that resizing can't have made them.
pub fn are_too_many(beyond: usize, all: usize) -> bool {
    beyond as f64 > MAX_BEYOND * all as f64
}

/// What a range is judged by.
struct About {
    /// The least and the greatest value; 0 and 0 of none.
    ends: [f64; 2],
    has_fractions: bool,
}

/// How values fit a range.
enum Fit {
    /// They are inside, but for as many slightly beyond as resizing makes.
    Holds,
    /// More of them are beyond than resizing makes.
    Clipped,
    /// A few of them are far beyond; the index of the first.
    Strays(usize),
    /// Many are far beyond.
    No,
}

struct Search<'a> {
    values: &'a Values,
    about: About,
    place: &'a dyn Fn(usize) -> String,
}

impl Search<'_> {
    /// The narrowest range that holds the values and that they can mean.
    fn narrowest(&self) -> Result<Found, String> {
        let mut clipped = None;
        for range in Range::ALL
            .into_iter()
            .filter(|range| self.is_likely(*range))
        {
            match self.fit(range) {
                Fit::Holds => return Ok(self.found(range)),
                Fit::Strays(index) => return Err(self.strays(range, index)),
                Fit::Clipped => clipped = clipped.or(Some(range)),
                Fit::No => {}
            }
        }
        Err(match clipped {
            Some(range) => self.too_many(range),
            None => self.unlike_any(),
        })
    }

    /// The range that the config or the training images say.
    fn given(&self, range: Range) -> Result<Found, String> {
        match self.fit(range) {
            Fit::Holds => Ok(self.found(range)),
            Fit::Clipped => Err(self.too_many(range)),
            Fit::Strays(_) | Fit::No => Err(self.beyond(range)),
        }
    }

    fn found(&self, range: Range) -> Found {
        let [black, white] = range.ends();
        Found {
            range,
            ends: self.about.ends,
            beyond: self.outside([black, white]),
        }
    }

    /// Whether a range that holds the values can be what they mean.
    fn is_likely(&self, range: Range) -> bool {
        let [least, most] = self.about.ends;
        // Standardized images have values of both signs, and few fractions are as small as those of 0 to 1.
        let must_be_used = least < 0.0 || self.about.has_fractions;
        match range {
            // Whole numbers from -1 to 1 are images only where something else could have been stored.
            Range::Signed => matches!(self.values, Values::Floats(_)),
            Range::Byte | Range::Word if must_be_used && most < MIN_PART * BYTE => false,
            Range::Word => most > 2.0 * BYTE,
            _ => true,
        }
    }

    fn fit(&self, range: Range) -> Fit {
        let far = self.tolerated(range);
        let clearly = self.outside(slightly_beyond(range));
        let is_clipped = are_too_many(clearly, self.values.len());
        match (self.outside(far), is_clipped) {
            (0, false) => Fit::Holds,
            (0, true) => Fit::Clipped,
            (strays, false) if self.are_few(strays) => {
                let [low, high] = far;
                let is_stray = |&index: &usize| {
                    let value = self.values.number(index);
                    value.is_some_and(|value| value < low || value > high)
                };
                Fit::Strays((0..self.values.len()).find(is_stray).unwrap_or_default())
            }
            _ => Fit::No,
        }
    }

    /// Bounds within which resizing leaves the values of a range.
    fn tolerated(&self, range: Range) -> [f64; 2] {
        let [black, white] = range.ends();
        let [least, most] = self.about.ends;
        let inside = (most.min(white) - least.max(black)).max(0.0);
        let beyond = if self.about.has_fractions {
            OVERSHOOT * inside
        } else {
            0.0
        };
        [black - beyond, white + beyond]
    }

    /// Whether so many values are mistakes rather than a sign of another range.
    fn are_few(&self, count: usize) -> bool {
        let least = if self.about.has_fractions {
            MIN_FRACTIONS
        } else {
            MIN_WHOLE
        };
        count.saturating_mul(least) < self.values.len()
    }

    /// How many values are less than the first or greater than the second.
    fn outside(&self, [low, high]: [f64; 2]) -> usize {
        fn count<T: Copy + Into<f64>>(values: &[T], [low, high]: [f64; 2]) -> usize {
            let is_outside = |&&value: &&T| {
                let value: f64 = value.into();
                value < low || value > high
            };
            values.iter().filter(is_outside).count()
        }
        let [least, most] = self.about.ends;
        if least >= low && most <= high {
            return 0;
        }
        match self.values {
            Values::Bytes(values) => count(values, [low, high]),
            Values::Integers(values) => count(values, [low, high]),
            Values::Floats(values) => count(values, [low, high]),
            Values::Texts(_) => 0,
        }
    }

    /// The first place of a value.
    fn place_of(&self, wanted: f64) -> String {
        let mut indices = 0..self.values.len();
        let index = indices.find(|&index| self.values.number(index) == Some(wanted));
        (self.place)(index.unwrap_or_default())
    }

    /// Why values are not of the range that they must have.
    fn beyond(&self, wanted: Range) -> String {
        let ([least, most], [black, _]) = (self.about.ends, wanted.ends());
        let found = if least < black { least } else { most };
        format!(
            "{}: found {}; expected {} (data.range, or as in the training images); correct the value, or set data.range to the values of \
             black and white",
            self.place_of(found),
            short(found),
            wanted.in_words()
        )
    }

    /// Why a value is not of the range of the others.
    fn strays(&self, range: Range, index: usize) -> String {
        let value = self.values.number(index).unwrap_or_default();
        let other = Range::ALL.into_iter().find(|other| self.holds(*other));
        stray(&(self.place)(index), value, range, other)
    }

    /// Whether no value is beyond a range.
    fn holds(&self, range: Range) -> bool {
        self.outside(range.ends()) == 0
    }

    /// The error for values that fit no range.
    fn unlike_any(&self) -> String {
        let [least, most] = self.about.ends;
        let found = if least < 0.0 { least } else { most };
        let place = self.place_of(found);
        if !self.about.has_fractions && self.holds(Range::Word) {
            return stray(&place, found, Range::Byte, Some(Range::Word));
        }
        let undo = if least < 0.0 && self.about.has_fractions {
            ", undo the standardization of the images"
        } else {
            ""
        };
        let [found, least, most] = [found, least, most].map(short);
        format!(
            "{place}: found {found}; the values run from {least} to {most}; expected {EXPECTED} (data.range); correct the value{undo}, or \
             rescale all values to one of these ranges"
        )
    }

    /// The error for more values out of range than resizing can cause.
    fn too_many(&self, range: Range) -> String {
        let percent = 100.0 * self.outside(range.ends()) as f64 / self.values.len().max(1) as f64;
        let [least, most] = self.about.ends.map(short);
        format!(
            "{percent:.0} % of the values are outside {} (they run from {least} to {most}), {SCALE_BACK}, or rescale all values to one of the \
             ranges of data.range: {EXPECTED}",
            range.in_words()
        )
    }
}

/// Why a value is not of the range of most, and `other`, which holds all.
fn stray(place: &str, value: f64, range: Range, other: Option<Range>) -> String {
    let [black, white] = range.ends();
    let other = match other {
        Some(other) => format!(", or set data.range to {:?} if it is right", other.key()),
        None => "; it is outside every range that data.range allows".into(),
    };
    format!(
        "{place}: found {}, while most values lie between {black} and {white}; correct the value{other}",
        short(value)
    )
}

/// What to do with standardized images.
pub const SCALE_BACK: &str =
    "as in standardized images; undo the standardization (value * std + mean)";

/// The ranges in words.
const EXPECTED: &str = "0 to 1, -1 to 1, 0 to 255 or 0 to 65535";

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
        let place = |index| format!("value {index}");
        let found = find(&values, &Wanted::Config(wanted), &place)?;
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
