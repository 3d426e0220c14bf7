//! The classes of the parts of a set, and which part is wrong if they don't agree.

use std::collections::BTreeSet;

use super::keys::ArrayKeys;
use super::labels::{Classes, Label};
use super::part::Part;
use crate::data::{DataError, Split, untrained};

/// The classes of all labels of a set, with the names of `keys`.
///
/// # Errors
/// They name the file that is wrong: one-hot labels of another width than training's, a label that the names don't fit, and, where neither
/// names nor one-hot labels say which classes there are, a class that training lacks.
pub(super) fn find(keys: &ArrayKeys, parts: &[Part]) -> Result<Classes, DataError> {
    let one_hot = one_width(parts)?;
    if keys.classes.is_empty() && one_hot.is_none() {
        require_trained(parts)?;
    }
    let classes = |parts: &[Part]| {
        let distinct = distinct(parts);
        Classes::of(distinct.iter().flatten(), one_hot, &keys.classes)
    };
    classes(parts).map_err(|problem| {
        // The first part with which it is wrong, after those with which it is not.
        let is_wrong = |count: &usize| classes(&parts[..*count]).is_err();
        let Some(count) = (1..=parts.len()).find(is_wrong) else {
            return DataError::Empty(problem);
        };
        let (before, part) = (&parts[..count - 1], &parts[count - 1]);
        let known = (!before.is_empty()).then(|| classes(before).ok()).flatten();
        let unknown = known.and_then(|known| unnamed(&known, part));
        DataError::format(&part.file, unknown.unwrap_or(problem))
    })
}

/// What is wrong with the first label of a part that is not among known classes.
fn unnamed(known: &Classes, part: &Part) -> Option<String> {
    let base = known.base();
    // In a file with names, numbers are names as well.
    let as_known = |label: &Label| match base {
        Some(_) => label.to_string().parse().ok().map(Label::Number),
        None => Some(Label::Name(label.to_string())),
    };
    let is_unknown = |label: &&Label| as_known(label).and_then(|l| known.index(&l)).is_none();
    let label = part.labels.labels.iter().find(is_unknown)?;
    Some(match (base, label) {
        (Some(base), Label::Number(number)) => format!(
            "label {number} is not among those that data.classes names, {base} to {}",
            base + known.names.len() as i64 - 1
        ),
        _ => format!("label {:?} is not in data.classes", label.to_string()),
    })
}

/// The width of all one-hot labels; `None` if there are none.
fn one_width(parts: &[Part]) -> Result<Option<usize>, DataError> {
    let mut widths = parts
        .iter()
        .filter_map(|part| Some((part, part.labels.one_hot?)));
    let Some((first, width)) = widths.next() else {
        return Ok(None);
    };
    match widths.find(|(_, other)| *other != width) {
        None => Ok(Some(width)),
        Some((part, other)) => {
            let place = if part.file == first.file {
                String::new()
            } else {
                format!(" in {}", first.file.display())
            };
            let (split, first) = (part.split.name(), first.split.name());
            let problem = format!(
                "the one-hot labels of {split} have {other} classes, but those of {first}{place} have {width}; encode both with the same \
                 classes"
            );
            Err(DataError::format(&part.file, problem))
        }
    }
}

/// The labels of each part, each once. They are names if some of them are: a table may have `7` and `A`, and another only `7`.
fn distinct(parts: &[Part]) -> Vec<BTreeSet<Label>> {
    let labels = |part: &Part| part.labels.labels.iter().cloned().collect();
    let mut distinct: Vec<BTreeSet<Label>> = parts.iter().map(labels).collect();
    let is_name = |label: &Label| matches!(label, Label::Name(_));
    if distinct.iter().flatten().any(is_name) {
        let as_names = |labels: BTreeSet<Label>| {
            let labels = labels.into_iter();
            labels.map(|label| Label::Name(label.to_string())).collect()
        };
        distinct = distinct.into_iter().map(as_names).collect();
    }
    distinct
}

/// Refuses a class of validation or test that training does not have.
fn require_trained(parts: &[Part]) -> Result<(), DataError> {
    let labels = distinct(parts);
    let with_labels = || parts.iter().zip(&labels);
    let training = with_labels().filter(|(part, _)| part.split == Split::Train);
    let known: BTreeSet<&Label> = training.flat_map(|(_, labels)| labels).collect();
    for (part, labels) in with_labels() {
        if let Some(class) = labels.iter().find(|label| !known.contains(label)) {
            let known: Vec<String> = known.iter().map(ToString::to_string).collect();
            let problem = untrained::problem(&class.to_string(), part.split, &known);
            return Err(DataError::format(&part.file, problem));
        }
    }
    Ok(())
}
