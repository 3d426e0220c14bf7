//! The space that a cache takes.

use crate::support::{TRAIN, config, decoded, entries, open, photographs, save, size, values};
use kiln::data::{DataSource, ImageFolderConfig};
use std::fs;
use std::path::Path;

/// Samples of 300 x 300 in colour: 270,000 bytes, so that three fit into a megabyte.
fn large() -> ImageFolderConfig {
    ImageFolderConfig {
        height: 300,
        width: 300,
        random_crop: None,
        cache_mb: 1,
        ..config()
    }
}

const MEGABYTE: u64 = 1 << 20;

#[test]
fn the_limit_is_kept_and_told_and_the_rest_is_decoded_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(root);
    let expected = values(&open(
        &ImageFolderConfig {
            cache: None,
            ..large()
        },
        root,
    ));
    for round in 0..3 {
        let source = open(&large(), root);
        assert!(values(&source) == expected, "{round}");
        let told = source.warnings();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("reached its limit of 1 MB"), "{told:?}");
        assert!(told[0].contains("raise data.cache_mb"), "{told:?}");
        assert_eq!(entries(&root.join("cache")).len(), 3);
        assert!(size(&root.join("cache")) <= MEGABYTE);
    }
}

#[test]
fn images_for_settings_that_are_not_used_any_more_make_room_the_longest_unused_first() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(root);
    let sides = |side| ImageFolderConfig {
        height: side,
        width: side,
        ..large()
    };
    // 120,000 and 122,412 bytes each: eight of one of them fit.
    let [old, newer] = [200, 202].map(sides);
    drop(values(&open(
        &ImageFolderConfig {
            centre: 1.0,
            ..old.clone()
        },
        root,
    )));
    drop(values(&open(&newer, root)));
    let source = open(&newer, root);
    values(&source);
    assert_eq!(source.warnings(), [""; 0]);
    assert_eq!(entries(&root.join("cache")).len(), TRAIN + 2);
    assert!(size(&root.join("cache")) <= MEGABYTE);
}

#[test]
fn images_in_use_are_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(root);
    let sides = |side| ImageFolderConfig {
        height: side,
        width: side,
        ..large()
    };
    let used = open(&sides(200), root);
    let expected = values(&used);
    let before = entries(&root.join("cache"));
    let other = open(&sides(202), root);
    values(&other);
    assert!(other.warnings().concat().contains("reached its limit"));
    assert!(before.iter().all(|path| path.exists()));
    assert!(values(&used) == expected);
    assert!(size(&root.join("cache")) <= MEGABYTE);
}

#[test]
fn images_of_files_that_are_gone_make_room() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(root);
    values(&open(&large(), root));
    assert_eq!(entries(&root.join("cache")).len(), 3);
    for number in 0..TRAIN {
        fs::remove_file(root.join(format!("train/{}/{number}.png", number % 2))).unwrap();
    }
    for class in 0..2 {
        save(class, &root.join(format!("train/{class}/new{class}.png")));
    }
    let source = open(&large(), root);
    values(&source);
    // Four images, of which three fit.
    assert_eq!(entries(&root.join("cache")).len(), 3);
    let names: Vec<String> = entries(&root.join("cache"))
        .iter()
        .map(|path| name(path))
        .collect();
    assert!(names.iter().any(|name| name.contains("new")), "{names:?}");
}

/// The name of the file that an entry was made of, which follows its header of 44 bytes.
fn name(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()[44..64]).into_owned()
}

#[test]
fn what_a_killed_process_left_is_counted_and_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(root);
    values(&open(&config(), root));
    let cache = root.join("cache");
    let shard = entries(&cache)[0].parent().unwrap().to_path_buf();
    fs::write(shard.join(".kiln-abc.tmp"), "half").unwrap();
    fs::write(cache.join("usage"), "999999999999\n").unwrap();
    assert_eq!(values(&open(&config(), root)), decoded(root));
    assert_eq!(
        fs::read_to_string(cache.join("usage")).unwrap().trim(),
        size(&cache).to_string()
    );
    assert!(!shard.join(".kiln-abc.tmp").exists());
}

#[test]
fn memory_stays_within_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(root);
    // 270,000 bytes each.
    for (memory_mb, kept) in [(0, 0), (1, 3), (64, TRAIN + 2)] {
        let source = open(
            &ImageFolderConfig {
                memory_mb,
                ..large()
            },
            root,
        );
        for _ in 0..2 {
            values(&source);
            assert_eq!(source.kept_bytes(), kept * 270_000);
        }
    }
}
