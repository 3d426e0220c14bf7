//! What the columns of a file of labels are called.

use crate::data::formats::choice::{Choice, choose, quoted};

/// Names of the column of files, in lower case; the first one found counts.
pub(super) const FILE: [&str; 22] = [
    "file",
    "filename",
    "file_name",
    "path",
    "filepath",
    "file_path",
    "image",
    "image_path",
    "imagepath",
    "img_path",
    "image_file",
    "image_name",
    "imagename",
    "img",
    "img_name",
    "image_id",
    "imageid",
    "picture",
    "photo",
    "fname",
    "name",
    "id",
];
/// Names of the column of labels; the first is taken before the others.
pub(super) const LABEL: [&str; 13] = [
    "label",
    "labels",
    "class",
    "classes",
    "class_name",
    "classname",
    "label_name",
    "category",
    "target",
    "species",
    "breed",
    "tag",
    "y",
];
/// Names of a column of numbers of labels, which is taken if there is none of labels.
const LABEL_NUMBER: [&str; 3] = ["label_id", "class_id", "classid"];
/// Names of the column of splits.
pub(super) const SPLIT: [&str; 6] = ["split", "set", "subset", "partition", "fold", "usage"];

/// The column of labels by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Labels {
    /// Its name.
    pub name: String,
    /// Other columns that are called as if they held labels.
    pub others: Vec<String>,
}

impl Labels {
    /// Finds the column of labels among names; `None` if none is called so.
    ///
    /// # Errors
    /// Several are, and none, or more than one, is called `label`.
    pub fn find(names: &[String]) -> Result<Option<Self>, String> {
        let called = |known: &'static [&str]| {
            let names = names.iter().map(String::as_str);
            names.filter(move |name| known.contains(&name.trim().to_lowercase().as_str()))
        };
        let numbers: Vec<&str> = called(&LABEL_NUMBER).collect();
        let (choice, others) = match choose(called(&LABEL), LABEL[0]) {
            Choice::None => (choose(numbers, LABEL[0]), Vec::new()),
            found => (found, numbers),
        };
        match choice {
            Choice::None => Ok(None),
            Choice::One(name, more) => {
                require_single(names, name)?;
                let others = [more, others].concat();
                Ok(Some(Self {
                    name: name.to_owned(),
                    others: others.into_iter().map(String::from).collect(),
                }))
            }
            Choice::Several(names) => Err(format!(
                "labels may be in the columns {names}; call the one that holds them \"label\""
            )),
        }
    }

    /// A line about the columns that were not taken, if there are any.
    pub fn note(&self) -> Option<String> {
        (!self.others.is_empty()).then(|| {
            let (name, others) = (&self.name, quoted(&self.others));
            format!("labels are in {name:?}; not used: {others}")
        })
    }
}

/// Refuses a name that another column has as well, in any case.
pub(super) fn require_single(names: &[String], name: &str) -> Result<(), String> {
    let name = name.trim();
    let alike = |other: &&String| other.trim().eq_ignore_ascii_case(name);
    let alike: Vec<&String> = names.iter().filter(alike).collect();
    match alike.len() {
        0 | 1 => Ok(()),
        count => Err(format!(
            "{count} columns have the same name ({}); rename all but one of them",
            quoted(&alike)
        )),
    }
}

/// The place of the first of `known` names among `names`.
pub(super) fn find(names: &[String], known: &[&str]) -> Option<usize> {
    let lower: Vec<String> = names
        .iter()
        .map(|name| name.trim().to_lowercase())
        .collect();
    known
        .iter()
        .find_map(|known| lower.iter().position(|name| name == known))
}
