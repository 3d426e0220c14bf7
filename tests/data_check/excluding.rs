//! Samples that `data.exclude` leaves out.

use std::fs;

use crate::common::Bench;
use image::{Rgb, RgbImage};

/// Two classes of plain images, 8 a class, in three splits.
fn folder(bench: &Bench) {
    for (split, count) in [("train", 8), ("val", 2), ("test", 2)] {
        for (class, red) in [("a", 40), ("b", 200)] {
            for index in 0..count {
                let path = bench.path(&format!("images/{split}/{class}/{index}.png"));
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                let image = RgbImage::from_fn(8, 8, |x, y| {
                    Rgb([red, (x * 9 + index) as u8, (y * 7) as u8])
                });
                image.save(path).unwrap();
            }
        }
    }
}

fn config(bench: &Bench, exclude: &str) {
    let data = format!(
        r#"{{"kind": "image_folder", "folder": "images", "channels": 3, "height": 8, "width": 8{exclude}}}"#
    );
    bench.write(
        "config.json",
        format!(r#"{{"data": {data}, "model": {{"kind": "mlp", "hidden": [4]}}, "training": {{"epochs": 1}}}}"#),
    );
}

fn in_bench(bench: &Bench, arguments: &str) -> assert_cmd::Command {
    let mut command = bench.kiln(arguments);
    command.env("KILN_DATA", bench.folder.path());
    command
}

#[test]
fn files_are_excluded_by_their_path_and_counted_and_names_that_match_nothing_are_told() {
    let bench = Bench::new();
    folder(&bench);
    config(&bench, r#", "exclude": "list.txt""#);
    let absolute = bench.path("images/train/b/3.png");
    bench.write(
        "list.txt",
        format!(
            "# a comment\ntrain/a/0.png\ta copy\nval/b/1.png\n{}\ntrain/a/99.png\n\n",
            absolute.display()
        ),
    );
    let output = in_bench(&bench, "data info config.json --json")
        .output()
        .unwrap();
    assert!(output.status.success());
    let info: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let samples: Vec<u64> = (0..3)
        .map(|split| info["splits"][split]["samples"].as_u64().unwrap())
        .collect();
    assert_eq!(samples, [14, 3, 4]);
    let notes = info["notes"].to_string();
    assert!(
        notes.contains("excluded: 3 samples (2 train, 1 valid)"),
        "{notes}"
    );
    assert!(
        notes.contains("1 name in") && notes.contains("train/a/99.png"),
        "{notes}"
    );

    let output = in_bench(&bench, "train config.json").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("excluded: 3 samples"), "{text}");
}

#[test]
fn an_excluded_file_need_not_be_readable() {
    let bench = Bench::new();
    folder(&bench);
    fs::write(bench.path("images/train/a/0.png"), b"no image").unwrap();
    config(&bench, "");
    in_bench(&bench, "train config.json").assert().failure();
    bench.write("list.txt", "train/a/0.png\n");
    in_bench(&bench, "train config.json --set data.exclude=list.txt")
        .assert()
        .success();
}

#[test]
fn arrays_are_excluded_by_split_and_index_and_the_others_keep_their_names() {
    let bench = Bench::new();
    bench.write(
        "config.json",
        r#"{"data": {"kind": "glyphs", "train": 72, "valid": 36, "test": 36, "exclude": "list.txt"}, "model": {"kind": "mlp"}}"#,
    );
    bench.write("list.txt", "train/0\ntrain/71\ntest/5\ntest/36\n");
    let info = bench.json("data info config.json --json");
    let samples: Vec<u64> = (0..3)
        .map(|split| info["splits"][split]["samples"].as_u64().unwrap())
        .collect();
    assert_eq!(samples, [70, 36, 35]);
    let notes = info["notes"].to_string();
    assert!(notes.contains("test/36"), "{notes}");
}

#[test]
fn a_class_of_which_nothing_is_left_is_told_and_an_empty_split_names_the_key() {
    let bench = Bench::new();
    folder(&bench);
    config(&bench, r#", "exclude": "list.txt""#);
    let names = |splits: &[(&str, usize)], class: &str| {
        let files = splits.iter().flat_map(|&(split, count)| {
            (0..count).map(move |index| format!("{split}/{class}/{index}.png\n"))
        });
        files.collect::<String>()
    };
    bench.write(
        "list.txt",
        names(&[("train", 8), ("val", 2), ("test", 2)], "b"),
    );
    let told = |arguments: &str| {
        let output = in_bench(&bench, arguments).output().unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout)
    };
    let expected = "no images in any split: b";
    for arguments in ["data info config.json", "train config.json"] {
        let told = told(arguments);
        assert!(told.contains(expected), "{told}");
    }
    bench.write(
        "list.txt",
        names(&[("val", 2)], "a") + &names(&[("val", 2)], "b"),
    );
    let told = told("train config.json");
    let expected =
        "the data has no validation samples; change data.split or data.exclude or add files";
    assert!(told.contains(expected), "{told}");
}

#[test]
fn sources_of_a_mix_have_lists_of_their_own() {
    let bench = Bench::new();
    let glyphs = r#""kind": "glyphs", "train": 72, "valid": 36, "test": 36"#;
    bench.write(
        "config.json",
        format!(
            r#"{{"data": {{"kind": "mix", "sources": [{{{glyphs}, "exclude": "list.txt"}}, {{{glyphs}}}], "exclude": "mixed.txt"}}, "model": {{"kind": "mlp"}}}}"#
        ),
    );
    bench.write("list.txt", "train/0\n");
    bench.write("mixed.txt", "0:train/1\n1:train/0\n1:train/5\n");
    let info = bench.json("data info config.json --json");
    assert_eq!(info["splits"][0]["samples"], 2 * 72 - 4);
}

#[test]
fn a_missing_list_is_wrong_usage_in_one_line_that_names_it() {
    let bench = Bench::new();
    folder(&bench);
    config(&bench, r#", "exclude": "nowhere.txt""#);
    let output = in_bench(&bench, "data info config.json").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("nowhere.txt: data.exclude: not found"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1, "{text}");
}
