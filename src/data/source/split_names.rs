//! What people call the splits.

use super::split::Split;

/// Names of each split. The first ones (one or two) count most: where they exist, folders by the other names are not splits.
const NAMES: [(Split, usize, &[&str]); 3] = [
    (Split::Train, 1, &["train", "training"]),
    (
        Split::Valid,
        2,
        &["valid", "val", "validation", "validate", "dev"],
    ),
    (Split::Test, 1, &["test", "testing", "eval", "evaluation"]),
];

/// What may follow a split's name: `training_set`, `test-images`.
const SUFFIXES: [&str; 5] = ["set", "data", "images", "split", "folder"];

/// The split that people call by this name, in any case; and whether it is one of the first names.
pub fn split_named(name: &str) -> Option<(Split, bool)> {
    let lower = name.trim().to_lowercase();
    let bare = SUFFIXES
        .iter()
        .find_map(|suffix| lower.strip_suffix(suffix));
    let bare = bare.map(|bare| bare.trim_end_matches(['_', '-', ' ']));
    let is_first = |first: usize, names: &[&str]| names[..first].contains(&lower.as_str());
    let exact = NAMES
        .iter()
        .find(|(.., names)| names.contains(&lower.as_str()));
    if let Some((split, first, names)) = exact {
        return Some((*split, is_first(*first, names)));
    }
    let long = NAMES
        .iter()
        .find(|(.., names)| bare.is_some_and(|bare| names.contains(&bare)));
    long.map(|(split, ..)| (*split, false))
}
