//! Which arrays of a file are the images and the labels of a split: as the config names them, or by their usual names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::Split;

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
/// The config names an array that the file lacks, or labels without images.
pub fn find(
    config: &MemberConfig,
    split: Split,
    names: &[String],
    is_alone: bool,
) -> Result<Found, String> {
    let images = member(
        &config.images,
        split,
        names,
        is_alone,
        &IMAGES,
        &PLAIN_IMAGES,
    );
    let labels = member(
        &config.labels,
        split,
        names,
        is_alone,
        &LABELS,
        &PLAIN_LABELS,
    );
    Ok(match (images?, labels?) {
        (Some(images), Some(labels)) => Found::Both(images, labels),
        (Some(images), None) => Found::Images(images),
        (None, _) => Found::Nothing,
    })
}

fn member(
    wanted: &str,
    split: Split,
    names: &[String],
    is_alone: bool,
    patterns: &[&str],
    plain: &[&str],
) -> Result<Option<String>, String> {
    if !wanted.is_empty() {
        let found = names.iter().find(|name| *name == wanted);
        return found
            .cloned()
            .map(Some)
            .ok_or_else(|| format!("has no array {wanted}; it has {}", listed(names)));
    }
    let words = WORDS[split.index()].iter();
    let of_split = words.flat_map(|word| patterns.iter().map(move |p| p.replace('*', word)));
    let of_file = plain.iter().map(ToString::to_string);
    let candidates = of_split.chain(of_file.filter(|_| is_alone));
    let by_name = |candidate: String| {
        let is_it = |name: &&String| {
            let name = name.to_lowercase();
            // A structure around all of them, such as EMNIST's `dataset`.
            name == candidate || candidate.contains('.') && name.ends_with(&format!(".{candidate}"))
        };
        names.iter().find(is_it).cloned()
    };
    Ok(candidates.into_iter().find_map(by_name))
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
