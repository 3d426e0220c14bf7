//! Archives in place of folders: unpacked once, and never outside of their place.

use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use kiln::archive::{self, LocateError, STAMP};
use kiln::data::{self, DataConfig, DataError, Split};
use kiln::progress::{CancelToken, Monitor};

use crate::common::Bench;

fn png() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let image = image::GrayImage::from_pixel(8, 8, image::Luma([90]));
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Images of two classes in three splits, below a folder.
fn names(above: &str) -> Vec<String> {
    let mut names = Vec::new();
    for split in ["train", "valid", "test"] {
        for class in ["cat", "dog"] {
            names.extend((0..3).map(|index| format!("{above}{split}/{class}/{index}.png")));
        }
    }
    names
}

fn zip_of(names: &[String], content: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for name in names {
        zip.start_file(name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn tar_of(names: &[String], content: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for name in names {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, content).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn config(folder: &str) -> DataConfig {
    let config =
        format!(r#"{{"kind": "image_folder", "folder": "{folder}", "height": 8, "width": 8}}"#);
    serde_json::from_str(&config).unwrap()
}

fn counts(root: &Path, folder: &str) -> Result<[usize; 3], DataError> {
    let source = data::open_in(&config(folder), root, &Monitor::default())?;
    assert_eq!(source.classes(), ["cat", "dog"]);
    Ok(Split::ALL.map(|split| source.len(split)))
}

#[test]
fn every_kind_of_archive_is_read_as_the_folder_that_it_holds() {
    let root = tempfile::tempdir().unwrap();
    let mut junk = names("");
    junk.extend(
        [
            "__MACOSX/train/cat/._0.png",
            "train/.DS_Store",
            "train/cat/._1.png",
        ]
        .map(String::from),
    );
    for (name, bytes) in [
        ("flat.zip", zip_of(&names(""), &png())),
        ("Pets.ZIP", zip_of(&names("pets/data/"), &png())),
        ("a.tar", tar_of(&names("./"), &png())),
        ("a.tar.gz", gzip(&tar_of(&names("pets/"), &png()))),
        ("a.tgz", gzip(&tar_of(&names("pets/"), &png()))),
        // What it is, its content decides.
        ("misnamed.zip", gzip(&tar_of(&names(""), &png()))),
        ("mac.zip", zip_of(&junk, &png())),
        (
            "windows.zip",
            zip_of(
                &names("pets/")
                    .iter()
                    .map(|name| name.replace('/', "\\"))
                    .collect::<Vec<_>>(),
                &png(),
            ),
        ),
    ] {
        fs::write(root.path().join(name), bytes).unwrap();
        let counts = counts(root.path(), name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(counts, [6, 6, 6], "{name}");
        assert!(
            root.path()
                .join(format!("{name}.unpacked"))
                .join(STAMP)
                .is_file()
        );
    }
    assert!(!root.path().join("mac.zip.unpacked/__MACOSX").exists());
    // Neither locks nor temporary folders are left.
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2 * 8);
}

#[test]
fn a_split_that_stands_alone_in_an_archive_is_still_a_split() {
    let root = tempfile::tempdir().unwrap();
    for (split, counts) in [("train", [6, 0, 0]), ("eval", [0, 0, 6])] {
        let only = names("")
            .into_iter()
            .filter(|name| name.starts_with("train/"));
        let only: Vec<String> = only.map(|name| name.replacen("train", split, 1)).collect();
        let name = format!("{split}.zip");
        fs::write(root.path().join(&name), zip_of(&only, &png())).unwrap();
        let found = self::counts(root.path(), &name).unwrap();
        // Validation is split off where there is none.
        let together = [found[0] + found[1], 0, found[2]];
        assert_eq!(together, counts, "{split}");
    }
}

#[test]
fn what_kiln_puts_into_the_folder_of_an_archive_is_not_counted_among_the_files() {
    let root = tempfile::tempdir().unwrap();
    let classes = names("").into_iter();
    let classes = classes.filter_map(|name| name.strip_prefix("train/").map(String::from));
    let mut names: Vec<String> = classes.collect();
    names.push(".mine".into());
    fs::write(root.path().join("a.zip"), zip_of(&names, &png())).unwrap();
    let source = data::open_in(&config("a.zip"), root.path(), &Monitor::default()).unwrap();
    let passed_over = source.passed_over();
    assert_eq!(passed_over.len(), 1, "{passed_over:?}");
    assert!(passed_over[0].path.ends_with(".mine"), "{passed_over:?}");
}

#[test]
fn an_archive_in_place_of_a_file_is_refused() {
    let root = tempfile::tempdir().unwrap();
    fs::write(
        root.path().join("a.zip"),
        zip_of(&["train.csv".into()], b"1,0"),
    )
    .unwrap();
    let csv = r#"{"kind": "csv", "train": "a.zip", "height": 1, "width": 1}"#;
    let mix = format!(r#"{{"kind": "mix", "sources": [{csv}]}}"#);
    for config in [csv, &mix] {
        let config: DataConfig = serde_json::from_str(config).unwrap();
        let Err(error) = data::open_in(&config, root.path(), &Monitor::default()) else {
            panic!("opened");
        };
        let expected =
            "an archive, where a single file is expected; unpack it, and name the file in it";
        assert!(error.to_string().ends_with(expected), "{error}");
        assert!(!root.path().join("a.zip.unpacked").exists());
    }
}

#[test]
fn an_archive_is_unpacked_once_and_again_when_it_has_changed() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("pets.zip");
    fs::write(&path, zip_of(&names(""), &png())).unwrap();
    assert_eq!(counts(root.path(), "pets.zip").unwrap(), [6, 6, 6]);
    let unpacked = root.path().join("pets.zip.unpacked");
    let mark = unpacked.join("train/cat/mine.txt");
    fs::write(&mark, "not touched").unwrap();
    counts(root.path(), "pets.zip").unwrap();
    assert!(mark.is_file(), "it was unpacked again");
    // Two images more.
    let mut more = names("");
    more.extend(["train/cat/7.png", "train/dog/7.png"].map(String::from));
    fs::write(&path, zip_of(&more, &png())).unwrap();
    assert_eq!(counts(root.path(), "pets.zip").unwrap(), [8, 6, 6]);
    assert!(!mark.exists());
    // The same length, another time.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(9);
    fs::write(&mark, "old").unwrap();
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(later)
        .unwrap();
    counts(root.path(), "pets.zip").unwrap();
    assert!(!mark.exists());
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
}

/// The one line that refuses an archive; nothing is left of it.
fn refusal(name: &str, bytes: &[u8]) -> String {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join(name), bytes).unwrap();
    let error = counts(root.path(), name).unwrap_err().to_string();
    assert!(error.contains(name) && !error.contains('\n'), "{error}");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "{error}");
    error
}

#[test]
fn archives_that_lead_out_of_their_folder_are_refused() {
    let evil = |name: &str| zip_of(&[name.to_string()], b"x");
    for name in [
        "../evil.png",
        "/tmp/evil.png",
        "a/../../evil.png",
        "..\\evil.png",
        "C:\\evil.png",
    ] {
        let error = refusal("a.zip", &evil(name));
        assert!(
            error.contains("points outside the target folder"),
            "{error}"
        );
    }
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    tar.append_link(&mut header, "train/cat/0.png", "/etc/passwd")
        .unwrap();
    let error = refusal("a.tar", &tar.into_inner().unwrap());
    assert!(error.contains("neither a file nor a folder"), "{error}");
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.add_symlink("train/cat/0.png", "/etc/passwd", options)
        .unwrap();
    let error = refusal("a.zip", &zip.finish().unwrap().into_inner());
    assert!(error.contains("is a link"), "{error}");
}

#[test]
fn bombs_damaged_archives_and_other_formats_are_refused() {
    // 200 MB of zeros in 200 kB.
    let zeros = vec![0; 100 << 20];
    for (name, bytes) in [
        (
            "bomb.zip",
            zip_of(&["a.png".into(), "b.png".into()], &zeros),
        ),
        (
            "bomb.tgz",
            gzip(&tar_of(&["a.png".into(), "b.png".into()], &zeros)),
        ),
    ] {
        let error = refusal(name, &bytes);
        assert!(error.contains("unpacks to more than"), "{error}");
    }
    let whole = zip_of(&names(""), &png());
    for (name, bytes, says) in [
        (
            "a.zip",
            whole[..whole.len() / 2].to_vec(),
            "not a zip archive",
        ),
        (
            "a.tgz",
            gzip(b"strokes, not files"),
            "not a gzipped tar archive",
        ),
        ("a.zip", b"<html>".to_vec(), "none of them"),
        ("a.tar.xz", b"\xfd7zXZ\0".to_vec(), "kiln unpacks .zip"),
        ("a.7z", b"7z\xbc\xaf".to_vec(), "kiln unpacks .zip"),
        ("a.zip", Vec::new(), "the file is empty"),
    ] {
        let error = refusal(name, &bytes);
        assert!(error.contains(says), "{error}");
    }
}

/// A zip archive whose second name becomes the first, as programs leave it that append to one: `zip` itself refuses to write that.
fn with_twice(names: &[String], first: &str, second: &str) -> Vec<u8> {
    assert_eq!(first.len(), second.len());
    let mut bytes = zip_of(names, &png());
    for start in 0..bytes.len() - second.len() {
        if bytes[start..].starts_with(second.as_bytes()) {
            bytes[start..][..first.len()].copy_from_slice(first.as_bytes());
        }
    }
    bytes
}

#[test]
fn a_file_that_an_archive_holds_twice_is_refused_in_every_format() {
    let zip = with_twice(&names(""), "train/cat/0.png", "train/cat/1.png");
    let mut twice = names("");
    twice.push("train/cat/0.png".into());
    for (name, bytes) in [("a.zip", zip), ("a.tar", tar_of(&twice, &png()))] {
        let error = refusal(name, &bytes);
        assert!(error.contains("contains train/cat/0.png twice"), "{error}");
    }
    // What is not used may be there twice.
    let mut unused = names("");
    unused.extend(["__MACOSX/cat/._0.png", "__MACOSX/cat/._1.png"].map(String::from));
    let zip = with_twice(&unused, "__MACOSX/cat/._0.png", "__MACOSX/cat/._1.png");
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a.zip"), zip).unwrap();
    assert_eq!(counts(root.path(), "a.zip").unwrap(), [6, 6, 6]);
    // Arrays of NumPy.
    let bytes = with_twice(
        &["x_train.npy".into(), "y_train.npy".into()],
        "x_train.npy",
        "y_train.npy",
    );
    fs::write(root.path().join("a.npz"), bytes).unwrap();
    let config = r#"{"kind": "npz", "train": {"file": "a.npz"}}"#;
    let config: DataConfig = serde_json::from_str(config).unwrap();
    let error = data::open_in(&config, root.path(), &Monitor::default()).err();
    let error = error.expect("an error").to_string();
    let expected = "a.npz: holds \"x_train.npy\" more than once, and only one can be read; rewrite the file without the duplicate";
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn what_cannot_be_unpacked_is_called_by_its_own_name() {
    let mut both = names("");
    both.push("train/cat/0.png/x.png".into());
    let long = format!("train/cat/{}.png", "x".repeat(300));
    for (names, says) in [
        (
            both,
            "\"train/cat/0.png/x.png\" is inside another entry that is a file, not a folder",
        ),
        (vec![long], "a.zip.unpacked/train/cat/xxx"),
    ] {
        let error = refusal("a.zip", &zip_of(&names, &png()));
        assert!(error.contains(says), "{error}");
        assert!(!error.contains(".kiln-"), "{error}");
    }
}

#[test]
fn a_folder_that_kiln_did_not_make_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a.zip"), zip_of(&names(""), &png())).unwrap();
    fs::create_dir(root.path().join("a.zip.unpacked")).unwrap();
    fs::write(root.path().join("a.zip.unpacked/mine.txt"), "mine").unwrap();
    let error = counts(root.path(), "a.zip").unwrap_err().to_string();
    assert!(
        error.contains("a.zip.unpacked") && error.contains("move it away"),
        "{error}"
    );
    assert!(root.path().join("a.zip.unpacked/mine.txt").is_file());
}

#[test]
fn a_cancelled_unpacking_leaves_nothing_and_several_at_once_make_one_folder() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a.zip");
    fs::write(&path, zip_of(&names(""), &png())).unwrap();
    let cancel = CancelToken::default();
    cancel.cancel();
    let stopped = archive::located(&path, &|_| false, &Monitor::default().with_cancel(cancel));
    assert!(matches!(stopped, Err(LocateError::Cancelled(_))));
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    let folders: Vec<PathBuf> = std::thread::scope(|scope| {
        let start =
            || scope.spawn(|| archive::located(&path, &|_| false, &Monitor::default()).unwrap());
        let all: Vec<_> = (0..4).map(|_| start()).collect();
        all.into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(folders.iter().all(|folder| *folder == folders[0]));
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
}

#[test]
fn a_run_may_name_an_archive_and_is_resumed_and_evaluated_with_it() {
    let bench = Bench::new();
    bench.write("sets/pets.zip", zip_of(&names("pets/"), &png()));
    bench.write(
        "a.json",
        r#"{"data": {"kind": "image_folder", "folder": "sets/pets.zip", "height": 8, "width": 8},
            "model": {"kind": "mlp", "hidden": [4]}, "training": {"epochs": 1, "batch_size": 4}}"#,
    );
    let run = |arguments: &str| {
        let mut command = bench.kiln(arguments);
        command.env_remove("KILN_DATA").assert().success();
    };
    run("train a.json --run-dir run");
    run("eval run");
    assert!(
        bench
            .path("sets/pets.zip.unpacked/pets/train/cat/0.png")
            .is_file()
    );
    let saved: serde_json::Value = serde_json::from_slice(&bench.read("run/config.json")).unwrap();
    assert_eq!(saved["data"]["folder"], "sets/pets.zip");
}
