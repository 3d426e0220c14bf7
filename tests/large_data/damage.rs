//! Damaged caches, and caches that can't be written.

use crate::support::{TRAIN, config, decoded, entries, open, photographs, values};
use kiln::data::image_folder::ImageFolder;
use kiln::data::{DataSource, ImageFolderConfig};
use std::fs;
use std::path::Path;

fn full_cache(root: &Path) -> Vec<std::path::PathBuf> {
    photographs(root);
    values(&open(&config(), root));
    entries(&root.join("cache"))
}

#[test]
fn a_damaged_image_is_decoded_again_replaced_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let paths = full_cache(root);
    let expected = decoded(root);
    let damage: [fn(&mut Vec<u8>); 6] = [
        // What a machine that died may leave.
        |bytes| bytes.clear(),
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes.fill(0),
        // What a disk may do: in the last pixel, in the width.
        |bytes| *bytes.last_mut().unwrap() ^= 4,
        |bytes| bytes[24] ^= 1,
        // A size that would fill the memory.
        |bytes| bytes[24..36].fill(0xff),
    ];
    for (path, damage) in paths.iter().zip(damage) {
        let mut bytes = fs::read(path).unwrap();
        damage(&mut bytes);
        fs::write(path, bytes).unwrap();
    }
    let source = open(&config(), root);
    assert_eq!(values(&source), expected);
    let told = source.warnings();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("6 damaged images were decoded again and replaced"),
        "{told:?}"
    );
    assert_eq!(source.warnings(), [""; 0]);
    let source = open(&config(), root);
    assert_eq!(values(&source), expected);
    assert_eq!(source.warnings(), [""; 0]);
}

#[test]
fn an_image_under_the_name_of_another_is_not_taken_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let paths = full_cache(root);
    let expected = decoded(root);
    fs::copy(&paths[0], &paths[1]).unwrap();
    assert_eq!(values(&open(&config(), root)), expected);
}

#[test]
fn a_cache_that_can_not_be_written_any_more_is_told_and_reading_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(root);
    drop(open(&config(), root));
    // Files where the shards would be: every entry fails, as on a full disk.
    let forms = fs::read_dir(root.join("cache"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    for set in forms.filter(|path| path.is_dir()) {
        let forms = fs::read_dir(set)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        for form in forms.filter(|path| path.is_dir()) {
            for shard in 0..=255 {
                fs::write(form.join(format!("{shard:02x}")), "").unwrap();
            }
        }
    }
    let source = open(&config(), root);
    assert_eq!(values(&source), decoded(root));
    let told = source.warnings();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("can't be written: "), "{told:?}");
    assert!(told[0].contains("training goes on"), "{told:?}");
    assert_eq!(entries(&root.join("cache")).len(), 0);
}

#[test]
fn a_cache_that_can_not_be_made_is_named_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    photographs(root);
    fs::write(root.join("file"), "").unwrap();
    let config = ImageFolderConfig {
        cache: Some("file/cache".into()),
        ..config()
    };
    let error = ImageFolder::open(&config, root).unwrap_err().to_string();
    assert!(error.contains("file/cache"), "{error}");
    assert!(error.contains("data.cache"), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn removing_the_cache_while_it_is_used_loses_nothing_but_time() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    assert_eq!(full_cache(root).len(), TRAIN + 2);
    let source = open(&config(), root);
    fs::remove_dir_all(root.join("cache")).unwrap();
    assert_eq!(values(&source), decoded(root));
}

#[test]
#[cfg_attr(not(kiln_may_mount), ignore = "needs the right to mount a file system")]
fn a_full_disk_under_the_cache_is_told_and_training_goes_on() {
    let bench = crate::runs::bench();
    // Room for one sample of 270,000 bytes.
    let _disk = crate::common::Mounted::new(&bench, 400);
    let options = "--set data.height=300 --set data.width=300 --set data.random_crop=null --set data.memory_mb=0";
    let line = format!(
        "train config.json --run-dir full {options} --set data.cache={}",
        bench.path("disk/cache").display()
    );
    let output = bench.kiln(&line).assert().success().get_output().clone();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let told: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("warning: cache"))
        .collect();
    assert_eq!(told.len(), 1, "{text}");
    assert!(told[0].contains("No space left on device"), "{text}");
    assert_eq!(entries(&bench.path("disk/cache")).len(), 1);
    bench.output(&format!("train config.json --run-dir plain {options}"));
    assert!(bench.read("full/model.safetensors") == bench.read("plain/model.safetensors"));
}
