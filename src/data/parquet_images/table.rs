//! The two columns of a Parquet file that make a set of images, and the names of its classes.

use serde_json::Value as Json;

use crate::data::formats::parquet::{Footer, Physical};

/// Usual names of the two columns.
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
/// No such columns, or none of the usual names; the message lists those that there are.
pub(super) fn find(footer: &Footer, image: &str, label: &str) -> Result<Table, String> {
    let images = if image.is_empty() {
        &IMAGES[..]
    } else {
        &[image]
    };
    let labels = if label.is_empty() {
        &LABELS[..]
    } else {
        &[label]
    };
    let is_bytes = |place: &usize| footer.columns[*place].physical == Some(Physical::Bytes);
    let image_column = images.iter().find_map(|name| {
        let inside = footer.column(&format!("{name}.{BYTES}"));
        let column = inside.or_else(|| footer.column(name));
        Some((column.filter(is_bytes)?, *name))
    });
    let label_column = labels
        .iter()
        .find_map(|name| Some((footer.column(name)?, *name)));
    let names: Vec<&str> = footer.columns.iter().map(|c| c.path.as_str()).collect();
    let missing = |what: &str, key: &str| {
        format!(
            "no column of {what} found (data.{key}); it has {}",
            names.join(", ")
        )
    };
    let (image, image_name) = image_column.ok_or_else(|| missing("encoded images", "image"))?;
    let (label, label_name) = label_column.ok_or_else(|| missing("labels", "label"))?;
    Ok(Table {
        image,
        label,
        classes: class_names(footer, label_name),
        about: format!("columns {image_name} and {label_name}"),
    })
}

/// The names of a `ClassLabel` of the datasets library.
fn class_names(footer: &Footer, label: &str) -> Option<Vec<String>> {
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
