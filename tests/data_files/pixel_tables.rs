//! Tables of pixels with what people's tables have: missing labels, numbers of images, several columns of labels, pixels out of range.

use kiln::data::{DataConfig, Split, open_in};
use kiln::progress::Monitor;

use crate::small_tables::open;

/// The classes of the training samples, in their order, and what is told.
fn used(tables: &[(&str, &str)], keys: &str) -> (Vec<String>, String) {
    let folder = tempfile::tempdir().unwrap();
    let source = open(folder.path(), tables, keys).unwrap();
    let labels = (0..source.len(Split::Train)).map(|index| source.label(Split::Train, index));
    let classes = labels.map(|label| source.classes()[label].clone());
    (classes.collect(), kiln::data::notes(&*source).join("\n"))
}

/// The line that refuses tables, from the name of the file on.
fn refused(tables: &[(&str, &str)], keys: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let error = open(folder.path(), tables, keys).err().expect("an error");
    let text = error.to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    let start = format!("{}/", folder.path().display());
    text.strip_prefix(&start).unwrap_or(&text).to_string()
}

const TRAIN: &str = "label,p0,p1,p2,p3\n0,0,1,2,3\n1,10,11,12,255\n";
const TEST: &str = r#", "test": "test.csv""#;

#[test]
fn a_class_that_training_lacks_is_refused_with_class_split_and_file() {
    let test = "label,p0,p1,p2,p3\n1,0,0,0,0\n7,0,0,0,0\n";
    let problem = refused(&[("train.csv", TRAIN), ("test.csv", test)], TEST);
    assert_eq!(
        problem,
        "test.csv: class \"7\" is in test, but not in training; every class needs training images: add some, or leave it out"
    );
    let (train, valid) = ("Cat,0,0,0,0\ndog,0,0,0,9\n", "cat,0,0,0,0\n");
    let tables = [("train.csv", train), ("valid.csv", valid)];
    let problem = refused(&tables, r#", "valid": "valid.csv""#);
    assert_eq!(
        problem,
        "valid.csv: class \"cat\" is in valid, but not in training; training has \"Cat\": use the same spelling for both"
    );
    // Classes that the config names exist, but it is told.
    let test = "2,0,0,0,0\n1,0,0,0,0\n";
    let keys = format!(r#"{TEST}, "classes": ["a", "b", "c"]"#);
    let (_, told) = used(&[("train.csv", TRAIN), ("test.csv", test)], &keys);
    let expected = "no training images, but some in validation or test: c";
    assert!(told.contains(expected), "{told}");
}

#[test]
fn a_label_that_is_a_number_in_one_table_and_a_name_in_another_is_one_class() {
    let train = "7,0,0,0,0\nA,0,0,0,9\n";
    let folder = tempfile::tempdir().unwrap();
    let tables = [("train.csv", train), ("test.csv", "7,0,0,0,0\n")];
    let source = open(folder.path(), &tables, TEST).unwrap();
    assert_eq!(source.classes(), ["7", "A"]);
    assert_eq!(source.label(Split::Test, 0), 0);
}

#[test]
fn rows_without_a_label_are_not_used_and_told_with_their_line() {
    let train = "label,p0,p1,p2,p3\n0,0,1,2,3\n,9.5,9,9,9\n\" \",9,9,9,9\n1,10,11,12,255\n";
    let folder = tempfile::tempdir().unwrap();
    let source = open(folder.path(), &[("train.csv", train)], "").unwrap();
    assert_eq!(source.classes(), ["0", "1"]);
    let told = source.notes().join("\n");
    let expected = "rows of train.csv without a label, not used: 2 (the first is line 3)";
    assert!(told.contains(expected), "{told}");
    let mut values = [0.0; 4];
    source.read(Split::Train, 1, 0, &mut values).unwrap();
    let expected = [10.0, 11.0, 12.0, 255.0].map(|value| value / 255.0);
    for (found, expected) in values.into_iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{values:?}");
    }
    let problem = refused(&[("train.csv", "label,p0,p1,p2,p3\n,0,0,0,0\n")], "");
    assert_eq!(
        problem,
        "train.csv: the labels in column \"label\" are all empty"
    );
}

#[test]
fn a_pixel_out_of_range_is_refused_with_line_column_and_value() {
    for (value, range) in [
        ("-5", ""),
        ("300", ""),
        ("-5", r#", "range": "0..255""#),
        ("300", r#", "range": "0..255""#),
        ("2", r#", "range": "0..1""#),
    ] {
        let train = format!("{TRAIN}\n1,0,0,{value},1\n");
        let train = if range.ends_with("0..1\"") {
            train.replace("255", "1").replace("10,11,12", "0,0,0")
        } else {
            train
        };
        let train = train.replace("0,0,1,2,3", "0,0,1,0,1");
        let problem = refused(&[("train.csv", &train)], range);
        let expected = format!("train.csv: line 5, column \"p2\": found {value}");
        assert!(problem.starts_with(&expected), "{problem}");
        assert!(problem.contains("data.range"), "{problem}");
    }
    // The test images must have the range of training, too.
    let tables = [("train.csv", TRAIN), ("test.csv", "1,0,0,0,256\n")];
    let problem = refused(&tables, TEST);
    assert!(
        problem.starts_with("test.csv: line 1, column 4: found 256; expected 0 to 255"),
        "{problem}"
    );
    let train = "0,0,0,1,0.5\n1,0,0.25,1,1.25\n";
    let (_, told) = used(&[("train.csv", train)], "");
    let expected = "clipped 1 value of the train images to the range 0 to 1";
    assert!(told.contains(expected), "{told}");
}

#[test]
fn the_column_of_labels_is_told_where_there_is_a_choice_and_asked_for_where_two_are_as_likely() {
    let table = |names: &str| format!("{names}\n7,x,0,0,0,0,3\n8,y,0,0,0,9,4\n");
    let both = table("label,class,p0,p1,p2,p3,id");
    let (classes, told) = used(&[("train.csv", &both)], "");
    assert_eq!(classes, ["7", "8"]);
    let expected = "labels in column \"label\"; columns \"class\" and \"id\" not used";
    assert!(told.contains(expected), "{told}");
    let equal = table("target,class,p0,p1,p2,p3,id");
    assert_eq!(
        refused(&[("train.csv", &equal)], ""),
        "train.csv: labels may be in the columns \"target\" and \"class\"; set data.label to one of them"
    );
    let (classes, told) = used(&[("train.csv", &equal)], r#", "label": "class""#);
    assert_eq!(classes, ["x", "y"]);
    let expected = "labels in column \"class\"; columns \"target\" and \"id\" not used";
    assert!(told.contains(expected), "{told}");
    // The only column that is called otherwise than the others.
    let last = "p0,p1,p2,p3,digit\n0,0,0,0,5\n0,0,0,9,6\n";
    let (classes, told) = used(&[("train.csv", last)], "");
    assert_eq!(classes, ["5", "6"]);
    assert!(told.contains("labels in column \"digit\""), "{told}");
}

#[test]
fn numbers_of_images_are_no_pixels_and_what_is_not_understood_is_asked_about() {
    let ids = "id,label,p0,p1,p2,p3\n1,7,0,0,0,0\n2,8,0,0,0,9\n";
    let (classes, told) = used(&[("train.csv", ids)], "");
    assert_eq!(classes, ["7", "8"]);
    assert!(told.contains("column \"id\" not used"), "{told}");
    // As Kaggle's test sets are.
    let tables = [
        ("train.csv", TRAIN),
        ("test.csv", "id,p0,p1,p2,p3\n1,0,0,0,0\n"),
    ];
    let (_, told) = used(&tables, TEST);
    let expected = "test.csv has no labels: 1 image not used";
    assert!(told.contains(expected), "{told}");
    let writer = ids.replace("id,", "writer,");
    assert_eq!(
        refused(&[("train.csv", &writer)], ""),
        "train.csv: has 5 columns besides the labels; expected 4 of pixels (data.channels x data.height x data.width); remove what is no \
         pixel, such as the number of an image, or change these keys"
    );
}

/// `pandas.DataFrame(rows).to_csv(index=False)` names the columns 0, 1, 2 and so on; with `index=True`, one without a name precedes them.
#[test]
fn names_that_pandas_counts_are_no_image() {
    let names: Vec<String> = (0..13).map(|n| n.to_string()).collect();
    let row = |label: u8| format!("{label}{}", ",9".repeat(12));
    let keys = r#", "height": 3, "width": 4"#;
    for index in [false, true] {
        let first = |text: &str| {
            if index {
                format!("{text},")
            } else {
                String::new()
            }
        };
        let table = format!(
            "{}{}\n{}{}\n{}{}\n",
            first(""),
            names.join(","),
            first("0"),
            row(4),
            first("1"),
            row(5)
        );
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("train.csv"), table).unwrap();
        let data = format!(
            r#"{{"kind": "csv", "train": "train.csv"{keys}, "split": {{"by": "share", "valid": 0, "test": 0}}}}"#
        );
        let config: DataConfig = serde_json::from_str(&data).unwrap();
        let source = open_in(&config, folder.path(), &Monitor::default()).unwrap();
        assert_eq!(source.classes(), ["4", "5"]);
        assert_eq!(source.len(Split::Train), 2);
    }
}

#[test]
fn one_column_is_in_the_singular() {
    let problem = refused(&[("train.csv", "a\n")], "");
    assert!(problem.contains("has 1 column;"), "{problem}");
    let problem = refused(&[("train.csv", &format!("{TRAIN}1\n"))], "");
    let expected = "train.csv: line 4: has 1 column; the lines before have 5";
    assert_eq!(problem, expected);
}
