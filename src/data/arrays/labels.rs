//! The labels of an array, and the classes that they stand for.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::formats::array::{Array, Values};
use crate::error::counted;

/// Largest label, and largest number of classes in a one-hot array.
const MAX_LABEL: f64 = 1_000_000.0;

/// The label of one sample as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// A number.
    Number(i64),
    /// A name.
    Name(String),
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Label::Number(number) => write!(f, "{number}"),
            Label::Name(name) => f.write_str(name),
        }
    }
}

/// The labels of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels {
    /// One per sample.
    pub labels: Vec<Label>,
    /// Number of columns of a one-hot array.
    pub one_hot: Option<usize>,
}

/// Reads labels: one per sample in one row or column, as numbers or names; or one-hot, a row or a column per sample.
///
/// # Errors
/// A number that is not a whole one, or a row that is not one-hot; one problem without the name of the file or the array.
pub fn read(array: &Array) -> Result<Labels, String> {
    let long: Vec<usize> = (0..array.dimensions.len())
        .filter(|&axis| array.dimensions[axis] != 1)
        .collect();
    match long.as_slice() {
        [] | [_] => Ok(Labels {
            labels: each(&array.values)?,
            one_hot: None,
        }),
        &[first, second] => {
            // By rows as in NumPy and in the course's files, else by columns.
            let by_rows = one_hot(array, first, second);
            by_rows.or_else(|problem| one_hot(array, second, first).map_err(|_| problem))
        }
        _ => Err(format!(
            "is {}; expected one label per image, or one-hot rows",
            array.size()
        )),
    }
}

fn each(values: &Values) -> Result<Vec<Label>, String> {
    if let Values::Texts(texts) = values {
        if let Some(index) = texts.iter().position(|text| text.trim().is_empty()) {
            return Err(format!(
                "label {}: found an empty text; name its class, or leave out the image",
                index + 1
            ));
        }
        return Ok(texts.iter().cloned().map(Label::Name).collect());
    }
    let numbers = (0..values.len()).map(|index| {
        let number = values.number(index).unwrap_or_default();
        if number.fract() == 0.0 && number.abs() <= MAX_LABEL {
            Ok(Label::Number(number as i64))
        } else {
            Err(format!(
                "label {}: found {number}; expected a whole number",
                index + 1
            ))
        }
    });
    numbers.collect()
}

fn one_hot(array: &Array, samples: usize, classes: usize) -> Result<Labels, String> {
    let strides = array.strides();
    let columns = array.dimensions[classes];
    if columns as f64 > MAX_LABEL {
        return Err(format!("is {}; expected one label per image", array.size()));
    }
    let label = |sample: usize| {
        let mut found = None;
        for class in 0..columns {
            let place = sample * strides[samples] + class * strides[classes];
            let value = array.values.number(place);
            let at = |problem: String| {
                format!(
                    "{}, label {}: {problem}; expected one-hot rows",
                    array.size(),
                    sample + 1
                )
            };
            match value {
                Some(0.0) => {}
                Some(1.0) if found.is_none() => found = Some(class),
                Some(1.0) => return Err(at("more than one class is set".into())),
                Some(value) => return Err(at(format!("found {value}"))),
                None => return Err(at("found a string".into())),
            }
        }
        let class = found.ok_or_else(|| {
            format!(
                "{}, label {}: no class is set; expected one-hot rows",
                array.size(),
                sample + 1
            )
        })?;
        Ok(Label::Number(class as i64))
    };
    let labels: Result<Vec<Label>, String> = (0..array.dimensions[samples]).map(label).collect();
    Ok(Labels {
        labels: labels?,
        one_hot: Some(columns),
    })
}

/// The classes of a set: the labels that stand for them, and their names.
#[derive(Debug, Clone, PartialEq)]
pub struct Classes {
    indices: BTreeMap<Label, usize>,
    /// Their names, in the order of their indices.
    pub names: Vec<String>,
}

impl Classes {
    /// Classes in order, each with its label and its name.
    pub fn listed(pairs: Vec<(Label, String)>) -> Self {
        let (labels, names): (Vec<Label>, Vec<String>) = pairs.into_iter().unzip();
        let indices = labels.into_iter().enumerate();
        Self {
            indices: indices.map(|(index, label)| (label, index)).collect(),
            names,
        }
    }

    /// The classes of all labels of a set. `names` are those of the config: of the labels from 0, or from 1 if there is one as
    /// large as there are names; without names, labels are called by their own. A one-hot array has a class for each column.
    ///
    /// # Errors
    /// Labels that the names don't fit.
    pub fn of<'a>(
        labels: impl Iterator<Item = &'a Label>,
        one_hot: Option<usize>,
        names: &[String],
    ) -> Result<Self, String> {
        let mut distinct: BTreeSet<Label> = labels.cloned().collect();
        distinct.extend((0..one_hot.unwrap_or(0) as i64).map(Label::Number));
        if names.is_empty() {
            let named = |label: Label| (label.clone(), label.to_string());
            return Ok(Self::listed(distinct.into_iter().map(named).collect()));
        }
        let mut numbers = Vec::new();
        for label in &distinct {
            match label {
                Label::Number(number) => numbers.push(*number),
                Label::Name(name) if names.contains(name) => {}
                Label::Name(name) => {
                    return Err(format!("label {name:?} is not in data.classes"));
                }
            }
        }
        let count = names.len() as i64;
        let base = i64::from(numbers.last() == Some(&count));
        let label = |(index, name): (usize, &String)| match numbers.first() {
            Some(_) => Label::Number(base + index as i64),
            None => Label::Name(name.clone()),
        };
        if let (Some(least), Some(most)) = (numbers.first(), numbers.last())
            && (*least < base || *most >= base + count)
        {
            return Err(format!(
                "labels run from {least} to {most}, but data.classes has {}",
                counted(names.len(), "name", "names")
            ));
        }
        let pairs = names.iter().enumerate();
        Ok(Self::listed(
            pairs
                .map(|(index, name)| (label((index, name)), name.clone()))
                .collect(),
        ))
    }

    /// The index of a label's class.
    pub fn index(&self, label: &Label) -> Option<usize> {
        self.indices.get(label).copied()
    }

    /// The least label, if labels are numbers.
    pub fn base(&self) -> Option<i64> {
        match self.indices.keys().next()? {
            Label::Number(number) => Some(*number),
            Label::Name(_) => None,
        }
    }
}
