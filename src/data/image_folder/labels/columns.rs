//! What the columns of a file of labels are called.

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
/// Names of the column of labels.
pub(super) const LABEL: [&str; 16] = [
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
    "label_id",
    "class_id",
    "classid",
];
/// Names of the column of splits.
pub(super) const SPLIT: [&str; 6] = ["split", "set", "subset", "partition", "fold", "usage"];

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
