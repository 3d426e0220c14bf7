//! Files that are on this machine already: `--from DIR`.

use std::path::Path;

use kiln::fetch::{DataSet, Sum};
use kiln::progress::CancelToken;

use crate::archives::{flowers17_files, mat_of, nist36_zip, sha256};
use crate::common::Bench;
use crate::support::{fetched, open_nist36, refused, set};

#[test]
fn a_set_is_made_of_files_in_a_folder_and_nothing_is_downloaded() {
    let bench = Bench::new();
    bench.write("Downloads/data.zip", nist36_zip());
    let from = bench.path("Downloads");
    let (_, stderr) = fetched(&bench, &format!("nist36 --from {}", from.display()));
    assert!(
        stderr.contains("using ") && !stderr.contains("downloading"),
        "{stderr}"
    );
    assert_eq!(open_nist36(&bench), [36, 36, 36]);
    assert_eq!(bench.read("Downloads/data.zip"), nist36_zip());
    // Another set's files are not there.
    let says = [
        "Downloads: does not contain cifar-10-binary.tar.gz",
        "https://",
    ];
    let other = Bench::new();
    refused(&other, &format!("cifar10 --from {}", from.display()), &says);
}

/// The published folder: images in `jpg/`, and the splits.
fn published(folder: &Path, splits: &[u8]) {
    std::fs::create_dir_all(folder.join("jpg")).unwrap();
    // Of each class the first three images are in the splits; the last image tells the set.
    let numbers = (0..17).flat_map(|class| (1..=3).map(move |number| class * 80 + number));
    for number in numbers.chain([1360]) {
        let path = folder.join(format!("jpg/image_{number:04}.jpg"));
        let image = image::RgbImage::from_pixel(8, 8, image::Rgb([200, 100, 50]));
        image.save(path).unwrap();
    }
    std::fs::write(folder.join("datasplits.mat"), splits).unwrap();
}

/// The set from a folder, with the checksum of these splits.
fn from(folder: &Path, splits: &[u8]) -> DataSet {
    let mut set = set("flowers17").from_folder(folder);
    assert_eq!(set.files.len(), 1);
    set.files[0].sum = Some(Sum::Sha256(sha256(splits)));
    set
}

#[test]
fn flowers17_as_it_is_published_becomes_class_folders() {
    let (_, splits) = flowers17_files();
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("17flowers");
    published(&there, &splits);
    // The folder of the archive, or that of the images in it.
    for (root, given) in [("a", there.clone()), ("b", there.join("jpg"))] {
        let root = folder.path().join(root);
        let fetch = |set: &DataSet| {
            let cancel = CancelToken::default();
            kiln::fetch::fetch(set, &root, &Default::default(), &cancel, &mut |_| {})
        };
        fetch(&from(&given, &splits)).unwrap();
        for path in [
            "train/0/image_0001.jpg",
            "val/10/image_0802.jpg",
            "test/16/image_1283.jpg",
        ] {
            assert!(root.join("flowers17").join(path).is_file(), "{path}");
        }
        // The originals stay.
        assert!(there.join("jpg/image_0001.jpg").is_file());
    }
    // A split of an image that is not there.
    let splits = mat_of(&[
        ("trn1", 1, 1, vec![5.0]),
        ("val1", 1, 1, vec![1.0]),
        ("tst1", 1, 1, vec![2.0]),
    ]);
    std::fs::write(there.join("datasplits.mat"), &splits).unwrap();
    let root = folder.path().join("c");
    let cancel = CancelToken::default();
    let set = from(&there, &splits);
    let error = kiln::fetch::fetch(&set, &root, &Default::default(), &cancel, &mut |_| {});
    let error = error.unwrap_err().to_string();
    assert!(error.contains("image_0005.jpg"), "{error}");
    assert!(!root.join("flowers17").exists());
}

#[test]
fn a_config_that_names_flowers17_as_it_is_published_is_told_the_command() {
    let (_, splits) = flowers17_files();
    let bench = Bench::new();
    published(&bench.path("my flowers"), &splits);
    bench.write(
        "a.json",
        r#"{"data": {"kind": "image_folder", "folder": "my flowers", "channels": 3}, "model": {"kind": "mlp"}}"#,
    );
    let output = bench
        .kiln("data info a.json")
        .env_remove("KILN_DATA")
        .assert()
        .code(1);
    let text = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    let errors: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("error:"))
        .collect();
    assert_eq!(errors.len(), 1, "{text}");
    assert!(
        errors[0].contains("kiln data fetch flowers17 --from './my flowers'"),
        "{text}"
    );
}
