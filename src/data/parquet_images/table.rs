//! The two columns of a Parquet file that make a set of images, and the names of its classes.

use serde_json::Value as Json;

use crate::data::formats::choice::{Choice, choose, quoted};
use crate::data::formats::parquet::{Column, Footer, Physical};

/// Usual names of the two columns; the first is taken before the others.
const IMAGES: [&str; 5] = ["image", "img", "images", "picture", "pixel_values"];
const LABELS: [&str; 8] = [
    "label",
    "labels",
    "fine_label",
    "class",
    "target",
    "character",
    "digit",
    "y",
];
/// Names of labels that are taken only if the config asks for them: CIFAR-100's 20 classes of classes.
const OTHER_LABELS: [&str; 1] = ["coarse_label"];
/// The column in which the datasets library keeps the bytes of an image, and the text in the footer that describes its columns.
const BYTES: &str = "bytes";
const DESCRIPTION: &str = "huggingface";

/// The columns, as indices into those of the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub image: usize,
    pub label: usize,
    /// The names that the writer gave to the labels from 0.
    pub classes: Option<Vec<String>>,
    /// The names of the columns.
    pub about: String,
}

/// Finds the columns; `image` and `label` are those of the config, empty if it names none.
///
/// # Errors
/// No such columns, or none of the usual names, or several; the message lists those that there are. One column for both, labels that are
/// neither integers nor texts.
pub(super) fn find(footer: &Footer, image: &str, label: &str) -> Result<Table, String> {
    let images = usual(&IMAGES, image);
    let is_bytes = |place: &usize| footer.columns[*place].physical == Some(Physical::Bytes);
    let image_at = |name: &str| {
        let inside = footer.column(&format!("{name}.{BYTES}"));
        inside.or_else(|| footer.column(name)).filter(is_bytes)
    };
    let images = images.into_iter().filter(|name| image_at(name).is_some());
    let (image, other_images) = one(footer, images, &IMAGES, "encoded images", "image")?;
    let same = |place: Option<usize>| place.is_some() && place == image_at(image);
    if label == image || same(footer.column(label)) {
        return Err(format!(
            "data.label is the column of images, {image}; set it to the column of labels"
        ));
    }
    let labels = usual(&LABELS, label);
    let labels = labels
        .into_iter()
        .filter(|name| footer.column(name).is_some());
    let (label, mut others) = one(footer, labels, &LABELS, "labels", "label")?;
    others.extend(
        OTHER_LABELS
            .iter()
            .filter(|name| footer.column(name).is_some()),
    );
    others.retain(|other| *other != label);
    others.splice(0..0, other_images);
    let unused = if others.is_empty() {
        String::new()
    } else {
        format!(", not {}", quoted(&others))
    };
    let (Some(image_place), Some(label_place)) = (image_at(image), footer.column(label)) else {
        return Err("has columns that can't be found again".into());
    };
    for place in [image_place, label_place] {
        require_single(footer, place)?;
    }
    require_readable(&footer.columns[label_place])?;
    Ok(Table {
        image: image_place,
        label: label_place,
        classes: class_names(footer, label)?,
        about: format!("columns {image} and {label}{unused}"),
    })
}

/// The names that a column may have: that of the config, or the usual ones.
fn usual<'a>(known: &[&'a str], wanted: &'a str) -> Vec<&'a str> {
    if wanted.is_empty() {
        known.to_vec()
    } else {
        vec![wanted]
    }
}

/// The one of some columns that is taken, and the others.
fn one<'a>(
    footer: &Footer,
    found: impl Iterator<Item = &'a str>,
    known: &[&str],
    what: &str,
    key: &str,
) -> Result<(&'a str, Vec<&'a str>), String> {
    match choose(found, known[0]) {
        Choice::One(name, others) => Ok((name, others)),
        Choice::None => {
            let names: Vec<&str> = footer.columns.iter().map(|c| c.path.as_str()).collect();
            let names = names.join(", ");
            Err(format!(
                "no column of {what} found (data.{key}); it has {names}"
            ))
        }
        Choice::Several(names) => Err(format!(
            "{what} may be in the columns {names}; set data.{key} to one of them"
        )),
    }
}

/// Refuses a column whose name another one has as well.
fn require_single(footer: &Footer, place: usize) -> Result<(), String> {
    let name = &footer.columns[place].path;
    match footer.columns.iter().filter(|c| c.path == *name).count() {
        0 | 1 => Ok(()),
        count => Err(format!(
            "{count} columns are called {name}; rewrite the file with only one of them"
        )),
    }
}

/// Refuses labels of a type that is not read.
fn require_readable(label: &Column) -> Result<(), String> {
    if label.physical.is_some() && !label.is_repeated {
        return Ok(());
    }
    let (name, holds) = (&label.path, label.holds());
    Err(format!(
        "{name}: holds {holds}; write labels as whole numbers or texts, in pandas df[{name:?}] = df[{name:?}].astype(\"int64\")"
    ))
}

/// The names of a `ClassLabel` of the datasets library.
///
/// # Errors
/// One of them is empty.
fn class_names(footer: &Footer, label: &str) -> Result<Option<Vec<String>>, String> {
    let names = described(footer, label);
    let is_empty = |name: &String| name.trim().is_empty();
    let empty = names
        .as_ref()
        .and_then(|names| names.iter().position(is_empty));
    match empty {
        None => Ok(names),
        Some(index) => Err(format!(
            "{label}: the name of class {index} is empty; name it in the ClassLabel"
        )),
    }
}

fn described(footer: &Footer, label: &str) -> Option<Vec<String>> {
    let (_, text) = footer.texts.iter().find(|(name, _)| name == DESCRIPTION)?;
    let description: Json = serde_json::from_str(text).ok()?;
    let names = description
        .get("info")?
        .get("features")?
        .get(label)?
        .get("names")?;
    let texts = |values: Vec<&Json>| -> Option<Vec<String>> {
        let texts = values.into_iter().map(|value| value.as_str());
        texts.map(|text| text.map(ToString::to_string)).collect()
    };
    match names {
        Json::Array(names) => texts(names.iter().collect()),
        // Older ones: {"0": "cat", "1": "dog"}.
        Json::Object(names) => {
            let of = |index: usize| names.get(&index.to_string());
            texts((0..names.len()).map(of).collect::<Option<_>>()?)
        }
        _ => None,
    }
}
