//! Which values are black and white: standardized images, splits of different ranges, and single wrong values.

use kiln::data::{DataConfig, Split, open_in};
use kiln::progress::Monitor;

use crate::small_tables::open;

/// What is told about tables, and the values of the first training and the first test image.
fn used(tables: &[(&str, &str)], keys: &str) -> (String, [Vec<f32>; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let source = open(folder.path(), tables, keys).unwrap_or_else(|error| panic!("{error}"));
    let first = [Split::Train, Split::Test].map(|split| {
        let mut values = vec![0.0; 4];
        if source.len(split) > 0 {
            source.read(split, 0, 0, &mut values).unwrap();
        }
        values
    });
    (kiln::data::notes(&*source).join("\n"), first)
}

/// The line that refuses tables.
fn refused(tables: &[(&str, &str)], keys: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let error = open(folder.path(), tables, keys).err().expect("an error");
    let text = error.to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    text.replace(&format!("{}/", folder.path().display()), "")
}

/// A table of `count` images in two classes, whose values are `value(0)`, `value(1)` and so on.
fn table(count: usize, value: impl Fn(usize) -> f64) -> String {
    let row = |row: usize| {
        let values: Vec<String> = (0..4)
            .map(|place| format!("{:.6}", value(4 * row + place)))
            .collect();
        format!("{},{}\n", row % 2, values.join(","))
    };
    (0..count).map(row).collect()
}

/// Numbers from 0 to 1, evenly and out of order.
fn uniform(index: usize) -> f64 {
    (index as f64 * 0.618_033_988_749_895).fract()
}

const TEST: &str = r#", "test": "test.csv""#;

/// Of numbers that are uniform with mean 0 and standard deviation 1, which end at the root of 3, 1 - 1 / 3^0.5 = 42.3 % are beyond -1 to 1.
#[test]
fn standardized_images_are_refused_whatever_the_range_and_it_is_said_how_to_scale_them_back() {
    let standardized = table(500, |index| (2.0 * uniform(index) - 1.0) * 3f64.sqrt());
    for range in ["", r#", "range": "-1..1""#] {
        let problem = refused(&[("train.csv", &standardized)], range);
        let expected = "train.csv: 42 % of the values are outside -1 to 1 (they run from -1.7";
        assert!(problem.starts_with(expected), "{problem}");
        let advice = "undo the standardization (value * std + mean), or rescale all values to one of the ranges of data.range";
        assert!(problem.contains(advice), "{problem}");
    }
    // Black letters on 30 % of white paper, standardized: two values, one of them beyond.
    let two = table(500, |index| {
        if index % 10 < 3 {
            -1.5275
        } else {
            0.6547 + 0.01 * uniform(index)
        }
    });
    let problem = refused(&[("train.csv", &two)], "");
    assert!(
        problem.contains("30 % of the values are outside -1 to 1"),
        "{problem}"
    );
    // In a test table, too, whatever training has.
    let train = table(500, uniform);
    let problem = refused(&[("train.csv", &train), ("test.csv", &standardized)], TEST);
    assert!(problem.starts_with("test.csv: "), "{problem}");
}

/// Cubic convolution (Keys 1981, a = -1/2) at a step from 0 to 1: between two samples, it gives these values at quarters.
fn cubic_step(index: usize) -> f64 {
    let at = |t: f64, values: [f64; 4]| {
        let [a, b, c, d] = values;
        let linear = (c - a) / 2.0;
        let square = a - 2.5 * b + 2.0 * c - 0.5 * d;
        let cube = 1.5 * (b - c) + 0.5 * (d - a);
        b + t * (linear + t * (square + t * cube))
    };
    // Sixteen samples on either side of the step, and four values for each.
    let (sample, quarter) = (index / 4 % 32, index % 4);
    let step = |place: usize| if place < 16 { 0.0 } else { 1.0 };
    let around = [0, 1, 2, 3].map(|next| step((sample + next).saturating_sub(1).min(31)));
    at(quarter as f64 / 4.0, around)
}

#[test]
fn what_resizing_leaves_beyond_the_range_is_clipped_and_counted() {
    let overshoots = (0..2000).filter(|&index| {
        let value = cubic_step(index);
        !(0.0..=1.0).contains(&value)
    });
    let count = overshoots.count();
    assert!(count > 50, "{count}");
    let (told, _) = used(&[("train.csv", &table(500, cubic_step))], "");
    let expected = format!("clipped {count} values of the train images to the range 0 to 1");
    assert!(told.contains(&expected), "{told}");
}

#[test]
fn splits_of_different_ranges_are_refused_with_both_files_and_the_key_unless_the_key_is_set() {
    let unit = table(500, uniform);
    let signed = table(500, |index| 2.0 * uniform(index) - 1.0);
    let bytes = table(500, |index| (255.0 * uniform(index)).round());
    let words = table(500, |index| (65_535.0 * uniform(index)).round());
    let black = table(500, |_| 0.0);
    for (train, test, runs, those, key) in [
        (&bytes, &unit, "0 to 0.99", "0 to 255", "0..255"),
        (&words, &bytes, "0 to 255", "0 to 65", "0..65535"),
        (&signed, &unit, "0 to 0.99", "-1 to 0.99", "-1..1"),
        (&unit, &bytes, "0 to 255", "0 to 0.99", "0..255"),
        (&unit, &signed, "-1 to 0.99", "0 to 0.99", "-1..1"),
        (&bytes, &words, "0 to 65", "0 to 255", "0..65535"),
    ] {
        let tables = [("train.csv", train.as_str()), ("test.csv", test.as_str())];
        let problem = refused(&tables, TEST);
        let expected = format!("test.csv: the values run from {runs}");
        assert!(problem.starts_with(&expected), "{problem}");
        let expected = format!("but those of train.csv from {those}");
        assert!(problem.contains(&expected), "{problem}");
        let expected = format!("scale one of them, or set data.range to \"{key}\"");
        assert!(problem.contains(&expected), "{problem}");
        let keys = format!(r#"{TEST}, "range": "{key}""#);
        used(&tables, &keys);
    }
    // Nothing can be said of black images.
    let (_, [_, test]) = used(&[("train.csv", &bytes), ("test.csv", &black)], TEST);
    assert_eq!(test, [0.0; 4]);
    // Validation alike.
    let tables = [("train.csv", bytes.as_str()), ("valid.csv", unit.as_str())];
    let problem = refused(&tables, r#", "valid": "valid.csv""#);
    assert!(
        problem.starts_with("valid.csv: the values run"),
        "{problem}"
    );
}

#[test]
fn a_dark_test_table_of_the_same_range_is_read_as_it_is() {
    let train = table(500, |index| (255.0 * uniform(index)).round());
    let test = table(500, |index| (60.0 * uniform(index)).round());
    let (_, [_, values]) = used(&[("train.csv", &train), ("test.csv", &test)], TEST);
    for (index, found) in values.into_iter().enumerate() {
        let expected = (60.0 * uniform(index)).round() as f32 / 255.0;
        assert!((found - expected).abs() < 1e-5, "{found}, {expected}");
    }
}

#[test]
fn arrays_of_one_file_are_named_where_their_ranges_differ() {
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("set");
    std::fs::create_dir(&set).unwrap();
    let npy = |name: &str, kind: &str, shape: &str, values: &[u8]| {
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(values);
        std::fs::write(set.join(name), bytes).unwrap();
    };
    let halves = [0.0f32, 0.25, 0.5, 1.0].map(f32::to_le_bytes).concat();
    npy(
        "x_train.npy",
        "|u1",
        "(2, 2, 2)",
        &[0, 9, 200, 255, 3, 7, 90, 1],
    );
    npy("x_test.npy", "<f4", "(1, 2, 2)", &halves);
    npy("y_train.npy", "|u1", "(2,)", &[0, 1]);
    npy("y_test.npy", "|u1", "(1,)", &[1]);
    let data = r#"{"kind": "npz", "train": {"file": "set"}, "height": 2, "width": 2}"#;
    let config: DataConfig = serde_json::from_str(data).unwrap();
    let error = open_in(&config, folder.path(), &Monitor::default()).err();
    let error = error.expect("an error").to_string();
    let expected = "set: x_test: the values run from 0 to 1, but those of x_train in set from 0 to 255; scale one of them, or set \
                    data.range to \"0..255\" if both are right";
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn one_wrong_value_is_refused_with_its_place_and_does_not_decide_the_range() {
    let with = |value: f64, others: &dyn Fn(usize) -> f64| {
        table(500, |index| if index == 6 { value } else { others(index) })
    };
    let whole = |index: usize| uniform(index).round();
    let bytes = |index: usize| (255.0 * uniform(index)).round();
    for (table, said) in [
        (
            with(1.7, &uniform),
            "found 1.7, while most values lie between 0 and 1; correct the value, or set data.range to \"0..255\" if it is right",
        ),
        (
            with(200.0, &uniform),
            "found 200, while most values lie between 0 and 1",
        ),
        (
            with(-0.7, &uniform),
            "found -0.7, while most values lie between 0 and 1",
        ),
        (
            with(2.0, &whole),
            "found 2, while most values lie between 0 and 1",
        ),
        (
            with(-7.0, &bytes),
            "found -7, while most values lie between 0 and 255; correct the value",
        ),
        (
            with(4000.0, &bytes),
            "found 4000, while most values lie between 0 and 255",
        ),
    ] {
        // Labels and pixels of 0 and 1 look alike.
        let problem = refused(&[("train.csv", &table)], r#", "label": 0"#);
        let expected = format!("train.csv: line 2, column 3: {said}");
        assert!(problem.starts_with(&expected), "{problem}");
    }
    // Among few values, what is right can't be known: no range is taken.
    let few = "0,0.1,0.2,0.9,1.7\n1,0.5,0.25,1,0\n";
    let problem = refused(&[("train.csv", few)], "");
    let expected = "train.csv: line 1, column 4: found 1.7; the values run from 0 to 1.7";
    assert!(problem.starts_with(expected), "{problem}");
    // Who says what they are is believed.
    let keys = r#", "range": "0..255""#;
    let (_, [train, _]) = used(&[("train.csv", few)], keys);
    assert!((train[3] - 1.7 / 255.0).abs() < 1e-4, "{train:?}");
}

/// Scikit-learn's digits have values from 0 to 16.
#[test]
fn images_that_are_nearly_black_are_told() {
    let digits = table(500, |index| (16.0 * uniform(index)).round());
    let (told, _) = used(&[("train.csv", &digits)], "");
    let expected = "the largest value of the train images is 16, nearly black in 0 to 255; if it stands for white, scale the values";
    assert!(told.contains(expected), "{told}");
    let (told, _) = used(
        &[(
            "train.csv",
            &table(500, |index| (255.0 * uniform(index)).round()),
        )],
        "",
    );
    assert!(!told.contains("nearly black"), "{told}");
}
