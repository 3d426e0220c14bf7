//! Which classes compete with a sample's true class.

use super::error::EvaluateError;

/// The classes that the true class of a sample competes with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rivals {
    /// All classes of the data.
    #[default]
    All,
    /// Letters among letters, digits among digits: as if the reader knew which of the two a sample is.
    SameKind,
}

/// What the name of a class stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Letter,
    Digit,
    Other,
}

impl Kind {
    fn of(class: &str) -> Self {
        let mut characters = class.chars();
        match (characters.next(), characters.next()) {
            (Some(only), None) if only.is_alphabetic() => Kind::Letter,
            (Some(only), None) if only.is_numeric() => Kind::Digit,
            _ => Kind::Other,
        }
    }
}

/// The kind of each class if only classes of one kind compete; `None` if all do.
pub(super) fn kinds(
    classes: &[String],
    rivals: Rivals,
) -> Result<Option<Vec<Kind>>, EvaluateError> {
    if rivals == Rivals::All {
        return Ok(None);
    }
    let kinds: Vec<Kind> = classes.iter().map(|name| Kind::of(name)).collect();
    if kinds.contains(&Kind::Letter) && kinds.contains(&Kind::Digit) {
        Ok(Some(kinds))
    } else {
        Err(EvaluateError::Mismatch(
            "--known-kind has no effect: it needs a data set with both letter and digit classes; remove it"
                .into(),
        ))
    }
}
