//! Which range the values of a split must have: that of the config, or that of the training images.

use super::kinds::{Found, MIN_PART, Range, short};

/// Which range the values of a split must have.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// That of the config; [`Range::Auto`] finds it.
    Config(Range),
    /// The one that was found in the training images; with their name.
    AsTraining(Found, String),
}

impl Wanted {
    /// What the next split must have, after `found` in the images called `name`: unless the config names a range, the training images, which
    /// come first, decide for all.
    pub fn after(self, found: Found, name: impl Into<String>) -> Self {
        match self {
            Self::Config(Range::Auto) => Self::AsTraining(found, name.into()),
            decided => decided,
        }
    }
}

/// Why the values of a split can't be of the range of training, where they are in the range `own` by themselves: they lie beyond it, or all
/// of them are nearly black in it, or its black is missing.
pub(super) fn disagreement(own: &Found, training: &Found, name: &str) -> Option<String> {
    let ([least, most], [black, white]) = (own.ends, training.range.ends());
    let [first, last] = training.ends;
    let is_beyond = least < black || most > white;
    let is_wide = matches!(training.range, Range::Byte | Range::Word);
    let is_dim = is_wide && most > 0.0 && most < MIN_PART * last;
    let has_no_black = training.range == Range::Signed && least >= 0.0 && most > least;
    if own.range == training.range || !(is_beyond || is_dim || has_no_black) {
        return None;
    }
    let wider = |range: &Range| [own.range, training.range].contains(range);
    let wider = Range::ALL.into_iter().rfind(wider)?;
    let [least, most, first, last] = [least, most, first, last].map(short);
    Some(format!(
        "the values run from {least} to {most}, but those of {name} from {first} to {last}; scale one of them, or set data.range to {:?} \
         if both are right",
        wider.key()
    ))
}
