//! Images in the cache: the same values, read again only when they must be.

use crate::support::{TRAIN, age, config, decoded, entries, open, photographs, save, values};
use kiln::data::{DataSource, Fit, ImageFolderConfig, Split};
use kiln::progress::Monitor;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Replaces a file by another of the same length and time of change, as no program does.
fn replace_unseen(path: &Path, content: impl Fn(usize) -> Vec<u8>) {
    let about = fs::metadata(path).unwrap();
    fs::write(path, content(about.len() as usize)).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(about.modified().unwrap()).unwrap();
}

#[test]
fn values_are_the_same_from_the_disk_from_memory_and_decoded_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(root);
    let expected = decoded(root);
    for (memory_mb, stored) in [(0, 0), (0, TRAIN + 2), (64, TRAIN + 2), (0, TRAIN + 2)] {
        let config = ImageFolderConfig {
            memory_mb,
            ..config()
        };
        assert_eq!(entries(&root.join("cache")).len(), stored);
        let source = open(&config, root);
        assert_eq!(values(&source), expected);
        assert_eq!(values(&source), expected);
        assert_eq!(source.warnings(), [""; 0]);
    }
    // What is kept are the photographs reduced for crops (36 x 27), and the finished samples (24 x 24) of validation.
    let bytes: u64 = entries(&root.join("cache"))
        .iter()
        .map(|path| fs::metadata(path).unwrap().size())
        .sum();
    let pixels = 3 * (36 * 27 * TRAIN as u64 + 24 * 24 * 2);
    assert!((pixels..pixels + 8 * 80).contains(&bytes), "{bytes}");
}

#[test]
fn a_cached_image_is_not_decoded_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(root);
    let expected = decoded(root);
    open(&config(), root).check(&Monitor::default()).unwrap();
    for split in ["train/0/0.png", "valid/1/b.png"] {
        replace_unseen(&root.join(split), |length| vec![b'x'; length]);
    }
    let source = open(&config(), root);
    source.check(&Monitor::default()).unwrap();
    assert_eq!(values(&source), expected);
}

#[test]
fn a_changed_image_is_decoded_again_and_replaces_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(root);
    let before = values(&open(&config(), root));
    // Of the same size in pixels, and as old as another program may say.
    save(50, &root.join("train/0/2.png"));
    age(&root.join("train/0/2.png"), 7200);
    let expected = decoded(root);
    assert_ne!(before, expected);
    for _ in 0..2 {
        assert_eq!(values(&open(&config(), root)), expected);
        assert_eq!(entries(&root.join("cache")).len(), TRAIN + 2);
    }
    // An image that has just been written may be written again within the resolution of the clock.
    save(51, &root.join("train/0/2.png"));
    age(&root.join("train/0/2.png"), 0);
    let expected = decoded(root);
    assert_eq!(values(&open(&config(), root)), expected);
    replace_unseen(&root.join("train/0/2.png"), |_| {
        fs::read(root.join("train/0/0.png")).unwrap()
    });
    assert_eq!(values(&open(&config(), root)), decoded(root));
}

#[test]
fn other_settings_have_images_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(root);
    let others = [
        ImageFolderConfig {
            height: 20,
            width: 20,
            ..config()
        },
        ImageFolderConfig {
            channels: 1,
            ..config()
        },
        ImageFolderConfig {
            centre: 0.5,
            ..config()
        },
        ImageFolderConfig {
            random_crop: None,
            ..config()
        },
        ImageFolderConfig {
            random_crop: None,
            centre: 1.0,
            fit: Fit::Pad,
            ..config()
        },
        ImageFolderConfig {
            random_crop: None,
            centre: 1.0,
            fit: Fit::Stretch,
            ..config()
        },
    ];
    for round in 0..2 {
        for other in &others {
            let plain = ImageFolderConfig {
                cache: None,
                ..other.clone()
            };
            let found = values(&open(other, root));
            assert!(found == values(&open(&plain, root)), "{round} {other:?}");
        }
    }
}

#[test]
fn images_are_checked_once_and_a_changed_one_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(root);
    // Nothing fits: what is known about the images is kept all the same.
    let config = ImageFolderConfig {
        cache_mb: 0,
        ..config()
    };
    let check = || open(&config, root).check(&Monitor::default());
    fs::write(root.join("train/0/4.png"), "no image").unwrap();
    let error = check().unwrap_err().to_string();
    assert!(error.contains("train/0/4.png"), "{error}");
    save(4, &root.join("train/0/4.png"));
    check().unwrap();
    replace_unseen(&root.join("train/0/0.png"), |length| vec![b'x'; length]);
    check().unwrap();
    age(&root.join("train/0/0.png"), 1800);
    let error = check().unwrap_err().to_string();
    assert!(error.contains("train/0/0.png"), "{error}");
    // A record that was damaged proves nothing.
    save(0, &root.join("train/0/0.png"));
    check().unwrap();
    replace_unseen(&root.join("train/0/0.png"), |length| vec![b'x'; length]);
    check().unwrap();
    let sets = fs::read_dir(root.join("cache"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let record = sets
        .map(|set| set.join("checked"))
        .find(|path| path.is_file())
        .unwrap();
    let mut bytes = fs::read(&record).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&record, bytes).unwrap();
    assert!(check().is_err());
}

#[test]
fn what_the_cache_holds_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(root);
    let note = |config: &ImageFolderConfig| {
        let notes = open(config, root).notes();
        notes
            .into_iter()
            .filter(|note| note.starts_with("cache "))
            .collect::<String>()
    };
    let text = note(&config());
    assert!(
        text.contains("cache: 0 of these images, 0 MB of at most 20480 MB in use"),
        "{text}"
    );
    open(&config(), root).check(&Monitor::default()).unwrap();
    let text = note(&config());
    assert!(text.contains(": 8 of these images, 0 MB of"), "{text}");
    assert!(root.join("cache/CACHEDIR.TAG").is_file());
    assert_eq!(
        note(&ImageFolderConfig {
            cache: None,
            ..config()
        }),
        ""
    );
    assert_eq!(open(&config(), root).len(Split::Train), TRAIN);
}
