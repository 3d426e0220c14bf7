//! Folders of images: layout, classes, what is refused.

use crate::support::{
    counts, error_at, folder_config, open_small, per_class, sample, save_grey, shares,
};
use kiln::data::ClassOrder;
use kiln::data::DataSource;
use kiln::data::Fit;
use kiln::data::ImageFolderConfig;
use kiln::data::NumberConfig;
use kiln::data::Split;
use kiln::data::SplitRule;
use kiln::data::image_folder::ImageFolder;
use kiln::data::split_rule;
use std::fs;

#[test]
fn split_folders_are_used_and_integer_classes_sort_by_number() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for class in ["0", "2", "10"] {
        save_grey(root.join("train").join(class).join("a.png"), 4, 4, |_, _| 0);
        save_grey(root.join("train").join(class).join("b.JPG"), 4, 4, |_, _| 0);
    }
    save_grey(root.join("val/10/c.jpeg"), 4, 4, |_, _| 0);
    save_grey(root.join("val/2/c.jpeg"), 4, 4, |_, _| 0);
    save_grey(root.join("test/2/d.png"), 4, 4, |_, _| 0);
    // Passed over: hidden files and folders, other kinds of files, files beside the class folders.
    save_grey(root.join("train/2/.thumbnail.png"), 4, 4, |_, _| 0);
    save_grey(root.join("train/.cache/e.png"), 4, 4, |_, _| 0);
    fs::write(root.join("train/2/notes.txt"), "hello").unwrap();
    fs::write(root.join("train/README.md"), "hello").unwrap();
    let source = open_small(root).unwrap();
    assert_eq!(source.classes(), ["0", "2", "10"]);
    assert_eq!(counts(&source), [6, 2, 1]);
    let labels = |split| {
        (0..source.len(split))
            .map(|i| source.label(split, i))
            .collect::<Vec<_>>()
    };
    assert_eq!(labels(Split::Train), [0, 0, 1, 1, 2, 2]);
    assert_eq!(labels(Split::Valid), [1, 2]);
    assert_eq!(labels(Split::Test), [1]);
    assert!(source.path(Split::Valid, 1).ends_with("val/10/c.jpeg"));
}

#[test]
fn classes_named_by_numbers_are_sorted_as_image_folder_sorts_them_if_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for class in 0..12 {
        save_grey(root.join(format!("train/{class}/a.png")), 4, 4, |_, _| 0);
    }
    save_grey(root.join("val/10/a.png"), 4, 4, |_, _| 0);
    save_grey(root.join("val/2/a.png"), 4, 4, |_, _| 0);
    let open = |class_order| {
        let config = ImageFolderConfig {
            class_order,
            ..folder_config((4, 4), 1, Fit::Pad)
        };
        ImageFolder::open(&config, root).unwrap()
    };
    // Python's sorted([str(i) for i in range(12)]).
    let text = open(ClassOrder::Text);
    let expected = ["0", "1", "10", "11", "2", "3", "4", "5", "6", "7", "8", "9"];
    assert_eq!(text.classes(), expected);
    assert_eq!([0, 1].map(|i| text.label(Split::Valid, i)), [2, 4]);
    assert!(text.path(Split::Valid, 0).ends_with("val/10/a.png"));
    let numeric = open(ClassOrder::Numeric);
    let expected: Vec<String> = (0..12).map(|class| class.to_string()).collect();
    assert_eq!(numeric.classes(), expected);
    assert_eq!([0, 1].map(|i| numeric.label(Split::Valid, i)), [2, 10]);
    // Configs from before there was a choice keep their order, and runs their config's bytes.
    let json = serde_json::to_string(&folder_config((4, 4), 1, Fit::Pad)).unwrap();
    assert!(!json.contains("class_order"), "{json}");
    let old: ImageFolderConfig = serde_json::from_str(&json).unwrap();
    assert_eq!(old.class_order, ClassOrder::Numeric);
    // Only where the orders differ is there anything to choose.
    assert!(ClassOrder::matters_for(&expected));
    assert!(!ClassOrder::matters_for(&expected[..10]));
    assert!(!ClassOrder::matters_for(&[
        "b".into(),
        "a".into(),
        "10".into()
    ]));
}

#[test]
fn class_folders_without_splits_are_divided_by_the_rule() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for class in ["rose", "10"] {
        for number in 0..10 {
            save_grey(
                root.join(class).join(format!("image_{number:04}.png")),
                4,
                4,
                |_, _| 0,
            );
        }
    }
    let mut config = folder_config((4, 4), 1, Fit::Stretch);
    config.split = SplitRule::Number(NumberConfig {
        divisor: 5,
        valid: Some(1),
        test: 0,
    });
    let source = ImageFolder::open(&config, root).unwrap();
    assert_eq!(source.classes(), ["10", "rose"]);
    assert_eq!(counts(&source), [12, 4, 4]);
    assert_eq!(per_class(&source, Split::Valid), [2, 2]);
    assert!(source.path(Split::Test, 3).ends_with("rose/image_0005.png"));
    config.split = shares(0.3, 0.3);
    let source = ImageFolder::open(&config, root).unwrap();
    for split in Split::ALL {
        for index in 0..source.len(split) {
            let path = source.path(split, index);
            let class = &source.classes()[source.label(split, index)];
            let name = format!("{class}/{}", path.file_stem().unwrap().display());
            assert_eq!(split_rule::assign(&config.split, &name), split);
        }
    }
}

#[test]
fn a_folder_that_can_not_be_used_is_named_with_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    // The default folder is ".", and the error prints it as it is joined.
    let shown = root.join(".");
    assert!(error_at(open_small(root), &shown).contains("expected <class>/*.png"));
    fs::create_dir_all(root.join("rose")).unwrap();
    fs::write(root.join("rose/a.txt"), "a rose").unwrap();
    let text = error_at(open_small(root), &shown);
    assert!(
        text.contains("no images (passed over: 1 file (.txt)); expected <class>/*.png"),
        "{text}"
    );
    let config = ImageFolderConfig {
        folder: "nowhere".into(),
        ..ImageFolderConfig::default()
    };
    let text = error_at(ImageFolder::open(&config, root), &root.join("nowhere"));
    assert!(text.contains("not found"), "{text}");
    save_grey(root.join("train/rose/a.png"), 4, 4, |_, _| 0);
    save_grey(root.join("test/tulip/a.png"), 4, 4, |_, _| 0);
    let text = error_at(open_small(root), &shown.join("test/tulip"));
    assert!(text.contains("class does not exist in train/"), "{text}");
    fs::remove_dir_all(root.join("test")).unwrap();
    fs::create_dir_all(root.join("val")).unwrap();
    fs::create_dir_all(root.join("valid")).unwrap();
    assert!(error_at(open_small(root), &shown.join("val")).contains("keep only one"));
    let text = error_at(
        ImageFolder::open(&folder_config((4, 4), 2, Fit::Pad), root),
        &shown,
    );
    assert!(text.contains("data.channels must be 1 or 3"), "{text}");
}

#[test]
fn a_file_that_is_no_image_is_named_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    save_grey(root.join("rose/a.png"), 4, 4, |_, _| 0);
    fs::write(root.join("rose/b.png"), "not an image").unwrap();
    let source = open_small(root).unwrap();
    let mut out = [0.0; 16];
    source.read(Split::Train, 0, 0, &mut out).unwrap();
    let text = error_at(
        source.read(Split::Train, 1, 0, &mut out),
        &root.join("./rose/b.png"),
    );
    assert!(text.contains("replace or remove this file"), "{text}");
}

#[test]
fn a_second_reading_does_not_need_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rose/a.png");
    save_grey(path.clone(), 9, 7, |x, y| (x * 20 + y) as u8);
    let source = open_small(folder.path()).unwrap();
    let first = sample(&source, Split::Train, 0);
    fs::remove_file(path).unwrap();
    assert_eq!(sample(&source, Split::Train, 0), first);
}
