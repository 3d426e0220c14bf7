//! The real pages under KILN_DATA.

use std::path::Path;

use kiln::photo;
use kiln::segmentation::segment;

use crate::common;
use crate::drawn::{counts, found};

/// The text of every page of a folder: file name, and lines of words.
fn truth(folder: &Path) -> Vec<(String, Vec<Vec<usize>>)> {
    let text = std::fs::read_to_string(folder.join("ground-truth.json")).unwrap();
    let pages: std::collections::BTreeMap<String, Vec<String>> =
        serde_json::from_str(&text).unwrap();
    let line = |line: &String| line.split(' ').map(str::len).collect();
    pages
        .into_iter()
        .map(|(name, lines)| (name, lines.iter().map(line).collect()))
        .collect()
}

/// A page's name, and the letters in each word of each line: expected and found.
type Counted = (String, Vec<Vec<usize>>, Vec<Vec<usize>>);

fn real_pages(folder: &str) -> Vec<Counted> {
    let folder = common::real_data().join(folder);
    let pages = truth(&folder).into_iter().map(|(name, expected)| {
        let photo = photo::open(&folder.join(&name)).unwrap().into_rgb8();
        let found = counts(&found(&segment(&photo)));
        (name, expected, found)
    });
    pages.collect()
}

#[test]
#[cfg_attr(
    not(kiln_data = "hw4-images"),
    ignore = "needs hw4-images in KILN_DATA"
)]
fn every_letter_and_word_of_the_course_pages_is_found() {
    for (name, expected, found) in real_pages("hw4-images") {
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
#[cfg_attr(not(kiln_data = "photos"), ignore = "needs photos in KILN_DATA")]
fn a_sheet_on_a_dark_desk_is_cut_into_all_its_letters() {
    for (name, expected, found) in real_pages("photos") {
        if name == "simon.jpg" {
            assert_eq!(found, expected, "{name}");
        }
        assert_eq!(found.len(), expected.len(), "{name}");
    }
}
