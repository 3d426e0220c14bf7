//! Folders are listed once, and again when they have changed.

use crate::support::{config, open, photographs, save};
use kiln::data::image_folder::ImageFolder;
use kiln::data::{DataSource, Split};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Makes a folder and those in it as old as that many seconds.
fn age_folders(folder: &Path, seconds: u64) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            age_folders(&path, seconds);
        }
    }
    let time = SystemTime::now() - Duration::from_secs(seconds);
    File::open(folder).unwrap().set_modified(time).unwrap();
}

fn paths(source: &ImageFolder) -> Vec<PathBuf> {
    let of =
        |split| (0..source.len(split)).map(move |index| source.path(split, index).to_path_buf());
    Split::ALL.into_iter().flat_map(of).collect()
}

#[test]
fn an_unchanged_folder_is_not_listed_again_and_a_changed_one_is() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(&root.join("photographs"));
    age_folders(&root.join("photographs"), 3600);
    let config = kiln::data::ImageFolderConfig {
        folder: "photographs".into(),
        ..config()
    };
    let first = paths(&open(&config, root));
    // A file that no time of change tells of: proof that the folder was not listed.
    let class = root.join("photographs/train/0");
    let before = fs::metadata(&class).unwrap().modified().unwrap();
    save(60, &class.join("60.png"));
    File::open(&class).unwrap().set_modified(before).unwrap();
    assert_eq!(paths(&open(&config, root)), first);
    let without = kiln::data::ImageFolderConfig {
        cache: None,
        ..config.clone()
    };
    let all = paths(&open(&without, root));
    assert_eq!(all.len(), first.len() + 1);
    // Its real time of change.
    age_folders(&class, 1800);
    assert_eq!(paths(&open(&config, root)), all);
    // A file, a class and a split more, one file less.
    save(61, &class.join("61.png"));
    save(62, &root.join("photographs/train/2/62.png"));
    save(63, &root.join("photographs/test/2/63.png"));
    fs::remove_file(class.join("60.png")).unwrap();
    assert_eq!(paths(&open(&config, root)), paths(&open(&without, root)));
    assert_eq!(paths(&open(&config, root)).len(), all.len() + 2);
}

#[test]
fn a_folder_that_has_just_changed_is_listed_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(&root.join("photographs"));
    let config = kiln::data::ImageFolderConfig {
        folder: "photographs".into(),
        ..config()
    };
    let first = paths(&open(&config, root));
    let class = root.join("photographs/train/0");
    let before = fs::metadata(&class).unwrap().modified().unwrap();
    save(60, &class.join("60.png"));
    File::open(&class).unwrap().set_modified(before).unwrap();
    assert_eq!(paths(&open(&config, root)).len(), first.len() + 1);
}

#[test]
fn damaged_listings_are_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(&root.join("photographs"));
    age_folders(&root.join("photographs"), 3600);
    let config = kiln::data::ImageFolderConfig {
        folder: "photographs".into(),
        ..config()
    };
    let expected = paths(&open(&config, root));
    let sets = fs::read_dir(root.join("cache"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let file = sets
        .map(|set| set.join("listings"))
        .find(|path| path.is_file())
        .unwrap();
    let whole = fs::read(&file).unwrap();
    for at in [0, 20, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&file, bytes).unwrap();
        assert_eq!(paths(&open(&config, root)), expected);
        assert_eq!(fs::read(&file).unwrap(), whole);
        fs::write(&file, &whole[..at]).unwrap();
        assert_eq!(paths(&open(&config, root)), expected);
    }
    assert_ne!(fs::metadata(&file).unwrap().permissions().mode() & 0o444, 0);
}
