//! What pyarrow, pandas and Pillow read of the files that kiln writes.

use std::path::Path;
use std::process::Command;

use kiln::data::{DataConfig, DataSource, Split, open_in};
use kiln::progress::Monitor;
use serde_json::Value;

use crate::common::{Bench, repository};

/// What read_back.py says about a folder, one value a line.
fn read_back(folder: &Path) -> Vec<Value> {
    let script = repository().join("tests/data_files/read_back.py");
    let output = Command::new(env!("KILN_PYTHON"))
        .args([script.as_path(), folder])
        .env("OMP_NUM_THREADS", "1")
        .output()
        .expect("Python");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let text = String::from_utf8(output.stdout).expect("text");
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("JSON")
}

/// Class folders `images/` of which some names need quotes in CSV, in the splits train and test.
fn class_folders(bench: &Bench) {
    for (class, shade) in [("a, \"b\"", 10u8), ("c;d", 100), ("\u{3a9}", 200)] {
        for (split, count) in [("train", 3u8), ("test", 2)] {
            for number in 0..count {
                let path = bench.path(&format!("images/{split}/{class}/{number}.png"));
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                let image = image::RgbImage::from_fn(5, 4, |x, y| {
                    image::Rgb([shade + number, 40 * x as u8, 50 * y as u8])
                });
                image.save(path).unwrap();
            }
        }
    }
}

/// A source with its config in `run.json`.
fn source(bench: &Bench, data: &str) -> Box<dyn DataSource> {
    bench.write(
        "run.json",
        format!(r#"{{"data": {data}, "model": {{"kind": "mlp"}}}}"#),
    );
    let config: DataConfig = serde_json::from_str(data).unwrap();
    open_in(&config, bench.folder.path(), &Monitor::default()).unwrap()
}

fn convert(bench: &Bench, arguments: &str) -> Vec<Value> {
    let mut convert = bench.kiln(&format!("data convert run.json {arguments}"));
    convert.env_remove("KILN_DATA").assert().success();
    let out = arguments.split(' ').next().unwrap();
    read_back(&bench.path(out))
}

/// An image as Pillow read it is the sample, rounded to 8 bits, with the channels of a pixel side by side.
fn assert_image(found: &Value, source: &dyn DataSource, split: Split, index: usize) {
    let shape = source.shape();
    let mut values = vec![0.0; shape.values()];
    source.read(split, index, 0, &mut values).unwrap();
    let area = shape.height * shape.width;
    let expected: Vec<u64> = (0..area)
        .flat_map(|at| (0..shape.channels).map(move |channel| channel * area + at))
        .map(|at| (values[at] * 255.0).round() as u64)
        .collect();
    assert_eq!(found["values"], serde_json::json!(expected));
    assert_eq!(
        found["size"],
        serde_json::json!([shape.width, shape.height])
    );
    let mode = if shape.channels == 1 { "L" } else { "RGB" };
    assert_eq!(found["mode"], mode);
}

#[test]
#[cfg_attr(
    not(kiln_python = "pyarrow"),
    ignore = "needs pyarrow, pandas and Pillow in KILN_PYTHON"
)]
fn pyarrow_and_pandas_read_the_rows_labels_and_images_of_every_row_group() {
    let bench = Bench::new();
    // More than two row groups of a thousand rows.
    let rows: String = (0..2100)
        .map(|n| format!("{},{},{},0,255\n", n % 3, n % 256, n / 256))
        .collect();
    bench.write("set.csv", rows);
    let source = source(
        &bench,
        r#"{"kind": "csv", "train": "set.csv", "height": 2, "width": 2, "classes": ["one", "two", "\u03a9 \"3\""], "split": {"by": "share", "valid": 0, "test": 0}}"#,
    );
    let answers = convert(&bench, "packed --format parquet");
    let [train] = answers.as_slice() else {
        panic!("{} files", answers.len());
    };
    assert_eq!(train["file"], "train-00000-of-00001.parquet");
    assert_eq!(train["rows"], 2100);
    assert_eq!(train["groups"], 3);
    assert_eq!(
        train["names"],
        serde_json::json!(["one", "two", "\u{3a9} \"3\""])
    );
    for index in 0..2100 {
        assert_eq!(train["labels"][index], index % 3);
        assert_eq!(train["paths"][index], format!("{:06}.png", index + 1));
        assert_image(&train["images"][index], &*source, Split::Train, index);
    }
}

#[test]
#[cfg_attr(
    not(kiln_python = "pyarrow"),
    ignore = "needs pyarrow, pandas and Pillow in KILN_PYTHON"
)]
fn pandas_reads_the_list_of_class_folders_and_pillow_their_images_in_colour() {
    let bench = Bench::new();
    class_folders(&bench);
    let source = source(
        &bench,
        r#"{"kind": "image_folder", "folder": "images", "channels": 3, "height": 4, "width": 5, "split": {"by": "share", "valid": 0, "test": 0}}"#,
    );
    let samples: Vec<(Split, usize)> = Split::ALL
        .into_iter()
        .flat_map(|split| (0..source.len(split)).map(move |index| (split, index)))
        .collect();
    assert_eq!(samples.len(), 15);
    let class = |&(split, index): &(Split, usize)| &source.classes()[source.label(split, index)];
    let answers = convert(&bench, "out");
    let [list] = answers.as_slice() else {
        panic!("{} answers", answers.len());
    };
    for (row, sample) in samples.iter().enumerate() {
        assert_eq!(list["labels"][row], *class(sample));
        assert_eq!(list["splits"][row], sample.0.name());
        assert_image(&list["images"][row], &*source, sample.0, sample.1);
    }
    let answers = convert(&bench, "packed --format parquet");
    let files: Vec<&Value> = answers.iter().map(|answer| &answer["file"]).collect();
    assert_eq!(
        files,
        [
            "test-00000-of-00001.parquet",
            "train-00000-of-00001.parquet"
        ]
    );
    for (answer, split) in answers.iter().zip([Split::Test, Split::Train]) {
        assert_eq!(answer["names"], serde_json::json!(source.classes()));
        for index in 0..source.len(split) {
            assert_eq!(answer["labels"][index], source.label(split, index));
            assert_image(&answer["images"][index], &*source, split, index);
        }
    }
}
