//! Where the labels of a table are when nothing says so, and labels that are wrong in one of several files.

use kiln::data::{DataConfig, Split, open_in};
use kiln::progress::Monitor;

use crate::common::Bench;
use crate::small_tables::open;

/// The classes of the samples of training and test.
fn classes(tables: &[(&str, &str)], keys: &str) -> [Vec<String>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let source = open(folder.path(), tables, keys).unwrap_or_else(|error| panic!("{error}"));
    [Split::Train, Split::Test].map(|split| {
        let labels = (0..source.len(split)).map(|index| source.label(split, index));
        labels
            .map(|label| source.classes()[label].clone())
            .collect()
    })
}

/// The line that refuses tables.
fn refused(tables: &[(&str, &str)], keys: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let error = open(folder.path(), tables, keys).err().expect("an error");
    let text = error.to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    text.replace(&format!("{}/", folder.path().display()), "")
}

/// A table of twelve rows; `cells` makes those of one.
fn table(cells: impl Fn(usize) -> [String; 5]) -> String {
    (0..12).map(|row| cells(row).join(",") + "\n").collect()
}

/// Pixels of a grey image with a black corner, as tables of digits have them.
fn grey(row: usize, place: usize) -> String {
    ((37 * row + 59 * place) % 251).to_string()
}

#[test]
fn labels_in_the_first_column_are_found_without_names_whatever_pixels_are_in_the_last() {
    let label = |row: usize| (row % 3).to_string();
    let corner = |row: usize| if row == 7 { "1" } else { "0" }.to_string();
    let bit = |row: usize, place: usize| ((row * 7 + place * 5) % 11 % 2).to_string();
    for train in [
        table(|row| {
            [
                label(row),
                grey(row, 0),
                grey(row, 1),
                grey(row, 2),
                grey(row, 3),
            ]
        }),
        // The corner of nearly all images is black.
        table(|row| {
            [
                label(row),
                grey(row, 0),
                grey(row, 1),
                grey(row, 2),
                corner(row),
            ]
        }),
        // Images of zeros and ones.
        table(|row| {
            [
                label(row),
                bit(row, 0),
                bit(row, 1),
                bit(row, 2),
                bit(row, 3),
            ]
        }),
    ] {
        let [found, _] = classes(&[("train.csv", &train)], "");
        let expected: Vec<String> = (0..12).map(label).collect();
        assert_eq!(found, expected, "{train}");
    }
    // Two of the digits.
    let two = table(|row| {
        [
            ["3", "8"][row % 2].into(),
            grey(row, 0),
            grey(row, 1),
            grey(row, 2),
            grey(row, 3),
        ]
    });
    let [found, _] = classes(&[("train.csv", &two)], "");
    assert_eq!(found[..2], ["3", "8"]);
}

#[test]
fn labels_in_the_first_column_are_found_where_every_column_has_all_values() {
    let many: String = (0..900)
        .map(|row| {
            let pixel = |place: usize| (row * 41 + place * 97 + row * row * 3) % 256;
            let [a, b, c, d] = [0, 1, 2, 3].map(pixel);
            format!("{},{a},{b},{c},{d}\n", row % 3)
        })
        .collect();
    let [found, _] = classes(&[("train.csv", &many)], "");
    assert_eq!(found[..4], ["0", "1", "2", "0"]);
}

#[test]
fn labels_in_the_last_column_are_asked_for_with_the_key_instead_of_taking_a_pixel_for_one() {
    let label = |row: usize| (row % 3).to_string();
    let train = table(|row| {
        [
            grey(row, 0),
            grey(row, 1),
            grey(row, 2),
            grey(row, 3),
            label(row),
        ]
    });
    let dark = table(|row| {
        [
            "0".into(),
            grey(row, 1),
            grey(row, 2),
            grey(row, 3),
            label(row),
        ]
    });
    let bits = table(|row| {
        let bit = |place: usize| ((row * 7 + place * 5) % 11 % 2).to_string();
        [bit(0), bit(1), bit(2), bit(3), (row % 2).to_string()]
    });
    // Two of the digits.
    let two = train
        .replace(",0\n", ",3\n")
        .replace(",1\n", ",8\n")
        .replace(",2\n", ",3\n");
    for train in [&train, &dark, &bits, &two] {
        assert_eq!(
            refused(&[("train.csv", train)], ""),
            "train.csv: labels may be in column 0 and in column 4, and no column name says which; set data.label to 0 or 4"
        );
    }
    for train in [&train, &dark, &bits] {
        let [found, _] = classes(&[("train.csv", train)], r#", "label": 4"#);
        assert_eq!(found[..2], ["0", "1"]);
    }
    let fractions = table(|row| {
        let value = |place: usize| format!("{:.2}", ((row + place) % 7) as f64 / 10.0);
        [value(1), value(2), value(3), value(4), label(row)]
    });
    assert_eq!(
        refused(&[("train.csv", &fractions)], ""),
        "train.csv: line 1: column 0: found \"0.10\", which is not a label, and no column name says where the labels are; set data.label to the \
         index of their column, from 0: 4 if they come last"
    );
    let words = table(|row| {
        let word = ["cat", "dog"][row % 2].to_string();
        [grey(row, 0), grey(row, 1), grey(row, 2), grey(row, 3), word]
    });
    assert_eq!(
        refused(&[("train.csv", &words)], ""),
        "train.csv: line 1: column 4: found \"cat\"; expected a number; if the labels are in this column, set data.label to 4"
    );
}

#[test]
fn a_test_table_without_names_has_the_columns_of_the_training_table() {
    let train = "p0,p1,p2,p3,digit\n1,2,3,4,7\n10,20,30,255,8\n";
    let tables = [("train.csv", train), ("test.csv", "9,9,9,9,8\n")];
    let [_, test] = classes(&tables, r#", "test": "test.csv""#);
    assert_eq!(test, ["8"]);
}

#[test]
fn two_columns_of_one_name_are_refused() {
    let train = "label,p0,p1,p2,p3,Label\n0,1,2,3,4,1\n1,10,20,30,255,0\n";
    let said = "has 2 columns called \"label\"; rename all but one, or set data.label to the index of one, from 0";
    for keys in ["", r#", "label": "label""#] {
        let problem = refused(&[("train.csv", train)], keys);
        assert_eq!(problem, format!("train.csv: {said}"));
    }
    let [found, _] = classes(&[("train.csv", train)], r#", "label": 5"#);
    assert_eq!(found, ["1", "0"]);
    let twice = train
        .replace("Label", "class")
        .replacen("label", "class", 1);
    let problem = refused(&[("train.csv", &twice)], "");
    assert!(
        problem.contains("has 2 columns called \"class\""),
        "{problem}"
    );
}

#[test]
fn a_wrong_label_is_looked_for_in_its_own_file() {
    let train = "0,1,2,3,4\n1,10,20,30,255\n";
    let keys = |names: &str| format!(r#", "test": "test.csv", "classes": {names}"#);
    for (test, names, said) in [
        (
            "7,1,2,3,4\n",
            r#"["a", "b"]"#,
            "test.csv: label 7 is not among those that data.classes names, 0 to 1",
        ),
        (
            "1,1,2,3,4\ncat,1,2,3,4\n",
            r#"["a", "b"]"#,
            "test.csv: label \"cat\" is not in data.classes",
        ),
        (
            "0,1,2,3,4\n",
            r#"["a"]"#,
            "train.csv: labels run from 0 to 1, but data.classes has 1 name",
        ),
    ] {
        let tables = [("train.csv", train), ("test.csv", test)];
        assert_eq!(refused(&tables, &keys(names)), said);
    }
    let named = "cat,1,2,3,4\ndog,10,20,30,255\n";
    let tables = [("train.csv", named), ("test.csv", "cow,1,2,3,4\n")];
    assert_eq!(
        refused(&tables, &keys(r#"["cat", "dog"]"#)),
        "test.csv: label \"cow\" is not in data.classes"
    );
}

#[test]
fn one_hot_labels_of_another_width_than_trainings_are_refused_with_both_files() {
    let bench = Bench::new();
    let npy = |name: &str, shape: &str, values: &[u8]| {
        let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(values);
        bench.write(name, bytes);
    };
    npy(
        "train/images.npy",
        "(2, 2, 2)",
        &[0, 9, 200, 255, 3, 7, 90, 1],
    );
    npy("train/labels.npy", "(2, 3)", &[1, 0, 0, 0, 0, 1]);
    npy(
        "test/images.npy",
        "(2, 2, 2)",
        &[0, 9, 200, 255, 3, 7, 90, 1],
    );
    npy("test/labels.npy", "(2, 4)", &[0, 1, 0, 0, 1, 0, 0, 0]);
    let config = |test: &str| {
        let data = format!(
            r#"{{"kind": "npz", "train": {{"file": "train"}}, "test": {{"file": "{test}"}}, "height": 2, "width": 2}}"#
        );
        serde_json::from_str::<DataConfig>(&data).unwrap()
    };
    let root = bench.folder.path();
    let error = open_in(&config("test"), root, &Monitor::default()).err();
    let error = error.expect("an error").to_string();
    let expected = format!(
        "test: the one-hot labels of test have 4 classes, but those of train in {} have 3; encode both with the same classes",
        bench.path("train").display()
    );
    assert!(error.ends_with(&expected), "{error}");
    // A class for each column, with or without images; of which is told.
    npy("test/labels.npy", "(2, 3)", &[0, 1, 0, 1, 0, 0]);
    let source = open_in(&config("test"), root, &Monitor::default()).unwrap();
    assert_eq!(source.classes(), ["0", "1", "2"]);
}

#[test]
fn classes_that_are_listed_and_have_no_image_in_any_split_are_told() {
    let train = "0,1,2,3,4\n1,10,20,30,255\n";
    let folder = tempfile::tempdir().unwrap();
    let keys = r#", "classes": ["a", "b", "c"]"#;
    let source = open(folder.path(), &[("train.csv", train)], keys).unwrap();
    let told = kiln::data::notes(&*source).join("\n");
    assert!(told.contains("no images in any split: c"), "{told}");
    assert!(told.contains("2 training images: 2x4"), "{told}");
    let source = open(folder.path(), &[("train.csv", "0,1,2,3,4\n")], keys).unwrap();
    let told = kiln::data::notes(&*source).join("\n");
    assert!(told.contains("1 training image: 1x4"), "{told}");
}
