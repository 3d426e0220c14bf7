//! Counts, statistics and sample sheets.

use crate::support::{folder_config, open_small, save_grey, shares};
use kiln::data::DataSource;
use kiln::data::Fit;
use kiln::data::Split;
use kiln::data::image_folder::ImageFolder;
use kiln::data::info;
use kiln::progress::Monitor;
use std::path::Path;

/// Training: two white images of `a`, one black one and one half black of `b`; test: one of `b`.
fn little_source(root: &Path) -> ImageFolder {
    save_grey(root.join("train/a/0.png"), 4, 4, |_, _| 255);
    save_grey(root.join("train/a/1.png"), 4, 4, |_, _| 255);
    save_grey(root.join("train/b/0.png"), 4, 4, |_, _| 0);
    save_grey(root.join("train/b/1.png"), 4, 4, |x, _| {
        if x < 2 { 0 } else { 255 }
    });
    save_grey(root.join("test/b/0.png"), 4, 4, |_, _| 0);
    open_small(root).unwrap()
}

#[test]
fn the_summary_agrees_with_a_calculation_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let info = info::summarize(&little_source(folder.path()), &Monitor::default()).unwrap();
    assert_eq!(info.classes, ["a", "b"]);
    let per_class: Vec<_> = info.splits.iter().map(|s| s.per_class.as_slice()).collect();
    assert_eq!(per_class, [[2, 2], [0, 0], [0, 1]]);
    // 40 of 64 values are 1: mean 0.625, variance 0.625 * 0.375.
    assert_eq!(info.mean, [0.625]);
    assert!((info.standard_deviation[0] - 0.234_375f64.sqrt()).abs() < 1e-12);
    let table = info::format(&info);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[0],
        "2 classes, samples of 1 x 4 x 4 (channels x height x width)"
    );
    assert_eq!(
        lines[1],
        "train values: mean 0.6250, standard deviation 0.4841"
    );
    assert_eq!(lines[3], "class      train    valid     test");
    // Three of `b` fill the bar; two of `a` are two thirds of it, rounded up.
    assert_eq!(
        lines[4],
        format!("a              2        0        0  {}", "#".repeat(27))
    );
    assert_eq!(
        lines[5],
        format!("b              2        0        1  {}", "#".repeat(40))
    );
    assert_eq!(lines[6], "samples        4        0        1");
}

#[test]
fn a_sheet_shows_each_class_in_its_row_as_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let source = little_source(folder.path());
    let sheet = info::grid(&source, Split::Train, 2, &|index, values| {
        if index == 0 {
            values.fill(0.2);
            return Ok(());
        }
        source.read(Split::Train, index, 0, values)
    })
    .unwrap();
    let pixel = |value: u8| sheet.pixels().filter(|p| p.0 == [value; 3]).count();
    // Tiles of 32x32: sample 0 as it was filled in, 1 white, 2 black, 3 half and half.
    assert_eq!(pixel(51), 1024);
    assert_eq!(pixel(255), 1024 + 512);
    assert_eq!(pixel(0), 1024 + 512);
    let error = info::grid(&source, Split::Valid, 2, &|_, _| Ok(()))
        .err()
        .unwrap();
    assert!(error.to_string().contains("the valid split has no samples"));
}

#[test]
fn a_summary_without_training_samples_is_of_the_first_split_that_has_some() {
    let folder = tempfile::tempdir().unwrap();
    save_grey(folder.path().join("a/0.png"), 4, 4, |_, _| 255);
    let mut config = folder_config((4, 4), 1, Fit::Pad);
    config.split = shares(0.0, 1.0);
    let source = ImageFolder::open(&config, folder.path()).unwrap();
    let info = info::summarize(&source, &Monitor::default()).unwrap();
    assert_eq!((info.statistics_of, info.mean), (Split::Test, vec![1.0]));
}
