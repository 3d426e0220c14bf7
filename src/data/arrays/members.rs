//! Which arrays of a file are the images and the labels of a split: as the config names them, or by their usual names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::Split;
use crate::data::formats::choice::{Choice, choose};

/// Where the images and the labels of a split are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct MemberConfig {
    /// The file, relative to `KILN_DATA`; if empty, that of the training images.
    pub file: String,
    /// Name of the array of images; if empty, it is found by the usual names.
    pub images: String,
    /// Name of the array of labels; if empty, it is found by the usual names.
    pub labels: String,
}

/// What a split is called in names of arrays.
const WORDS: [&[&str]; 3] = [
    &["train", "training", "tr"],
    &["valid", "val", "validation"],
    &["test", "t10k"],
];
/// Names of images and labels; `*` stands for the split: of Keras, MedMNIST, the course's files and EMNIST.
const IMAGES: [&str; 8] = [
    "x_*", "*_x", "x*", "*_images", "images_*", "*_data", "*.images", "*.data",
];
const LABELS: [&str; 8] = [
    "y_*", "*_y", "y*", "*_labels", "labels_*", "*_label", "*.labels", "*.label",
];
/// Names in a file that has one split.
const PLAIN_IMAGES: [&str; 6] = ["images", "x", "data", "imgs", "image", "arr_0"];
const PLAIN_LABELS: [&str; 6] = ["labels", "y", "label", "targets", "target", "arr_1"];

/// The arrays of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Images and labels.
    Both(String, String),
    /// Images without labels.
    Images(String),
    /// Neither.
    Nothing,
}

/// Finds the arrays of a split among the names in its file. With `is_alone`, the file has this split only.
///
/// # Errors
/// The config names an array that the file lacks, or several arrays have usual names.
pub fn find(
    config: &MemberConfig,
    split: Split,
    names: &[String],
    is_alone: bool,
) -> Result<Found, String> {
    let search = Search {
        split,
        names,
        is_alone,
    };
    let images = search.member("images", &config.images, &IMAGES, &PLAIN_IMAGES);
    let labels = search.member("labels", &config.labels, &LABELS, &PLAIN_LABELS);
    Ok(match (images?, labels?) {
        (Some(images), Some(labels)) => Found::Both(images, labels),
        (Some(images), None) => Found::Images(images),
        (None, _) => Found::Nothing,
    })
}

/// Where arrays of a split are looked for.
struct Search<'a> {
    split: Split,
    names: &'a [String],
    is_alone: bool,
}

impl Search<'_> {
    /// The array that the config names by its key `key`; else the one with a usual name, that of the split before those of a file with one split.
    fn member(
        &self,
        key: &str,
        wanted: &str,
        patterns: &[&str],
        plain: &[&str],
    ) -> Result<Option<String>, String> {
        let names = self.names;
        if !wanted.is_empty() {
            return match names.iter().filter(|name| *name == wanted).count() {
                0 => Err(format!("has no array {wanted}; it has {}", listed(names))),
                1 => Ok(Some(wanted.into())),
                count => Err(format!(
                    "has {count} arrays called {wanted}, and only one can be read; rewrite the file without the duplicate"
                )),
            };
        }
        let words = WORDS[self.split.index()].iter();
        let of_split = words.flat_map(|word| patterns.iter().map(move |p| p.replace('*', word)));
        let mut found = with_names(names, of_split);
        if found.is_empty() && self.is_alone {
            found = with_names(names, plain.iter().map(ToString::to_string));
        }
        match choose(found, "") {
            Choice::None => Ok(None),
            Choice::One(name, _) => Ok(Some(name.to_string())),
            Choice::Several(names) => Err(format!(
                "the {key} of {split} may be any of {names}; set data.{split}.{key} to one of them",
                split = self.split.name()
            )),
        }
    }
}

/// The arrays that are called like one of the candidates.
fn with_names(names: &[String], candidates: impl Iterator<Item = String>) -> Vec<&str> {
    let candidates: Vec<String> = candidates.collect();
    let is_one = |name: &str| {
        let name = name.to_lowercase();
        candidates.iter().any(|candidate| {
            // A structure around all of them, such as EMNIST's `dataset`.
            let is_inside = candidate.contains('.') && name.ends_with(&format!(".{candidate}"));
            name == *candidate || is_inside
        })
    };
    let names = names.iter().map(String::as_str);
    names.filter(|name| is_one(name)).collect()
}

/// Names in a list, the first ones if there are many.
pub fn listed(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = names.len().saturating_sub(SHOWN);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", shown.join(", "))
}
