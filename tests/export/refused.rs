//! ONNX models that kiln does not run: one line each, which says what it met and what to do.

use crate::common::{Bench, repository};
use crate::protobuf::{bytes, count, model, node, port};

const FLOAT: u64 = 1;
const BYTE: u64 = 2;
const INT64: u64 = 7;
const TEXT: u64 = 8;

/// A model of one operator from an input to an output.
fn single(kind: &str, domain: &str, input: Vec<u8>, output: Vec<u8>) -> Vec<u8> {
    model(&[node(kind, domain, &["x"], &["y"])], &[input], &[output])
}

fn images() -> Vec<u8> {
    port("x", FLOAT, &[0, 3, 8, 8])
}

fn scores() -> Vec<u8> {
    port("y", FLOAT, &[0, 10])
}

/// Refuses a model with an exit code and one line.
#[track_caller]
fn assert_refused(bench: &Bench, arguments: &str, code: i32, says: &[&str]) {
    let output = bench
        .kiln(&format!("predict {arguments}"))
        .assert()
        .code(code);
    let output = output.get_output().clone();
    let text = String::from_utf8(output.stderr).expect("text");
    let errors: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("error:"))
        .collect();
    assert_eq!(errors.len(), 1, "{text}");
    for part in says {
        assert!(errors[0].contains(part), "{part} is not in {text}");
    }
    assert!(output.stdout.is_empty());
}

fn bench() -> Bench {
    let bench = Bench::new();
    let image = image::RgbImage::from_pixel(8, 8, image::Rgb([9, 99, 199]));
    image.save(bench.path("a.png")).expect("an image");
    bench
}

/// A model of these inputs and outputs.
fn with(inputs: &[Vec<u8>], outputs: &[Vec<u8>]) -> Vec<u8> {
    model(&[node("Flatten", "", &["x"], &["y"])], inputs, outputs)
}

/// A model of an input of this type and shape.
fn taking(elements: u64, shape: &[u64]) -> Vec<u8> {
    with(&[port("x", elements, shape)], &[scores()])
}

/// A model of images that gives this.
fn giving(outputs: &[Vec<u8>]) -> Vec<u8> {
    with(&[images()], outputs)
}

#[test]
fn models_that_take_something_else_than_images_are_refused_before_they_are_loaded() {
    let bench = bench();
    let mask = port("mask", FLOAT, &[0, 8, 8]);
    for (file, says) in [
        (with(&[images(), mask], &[scores()]), "2 inputs (x, mask)"),
        (with(&[], &[scores()]), "no input"),
        (taking(FLOAT, &[0, 784]), "[?, 784]"),
        (taking(TEXT, &[0, 3, 8, 8]), "models of images"),
        (taking(INT64, &[0, 3, 8, 8]), "supports float32 and uint8"),
        (taking(FLOAT, &[0, 4, 8, 8]), "1 or 3 channels"),
        (taking(FLOAT, &[0, 0, 8, 8]), "does not fix the channels"),
        (taking(FLOAT, &[0, 3, 0, 0]), "--size 224"),
        (taking(FLOAT, &[0, 3, 1 << 40, 8]), "maximum is 8192 a side"),
        (taking(FLOAT, &[1 << 40, 3, 8, 8]), "maximum is 1024"),
    ] {
        bench.write("m.onnx", file);
        assert_refused(&bench, "m.onnx a.png", 2, &["m.onnx: ", says]);
    }
}

#[test]
fn models_that_give_something_else_than_scores_of_classes_are_refused_before_they_are_loaded() {
    let bench = bench();
    let boxes = port("boxes", FLOAT, &[0, 100, 4]);
    let labels = port("labels", INT64, &[0, 100]);
    for (file, says) in [
        (giving(&[boxes, labels]), "no detection or segmentation"),
        (giving(&[port("y", FLOAT, &[0, 21, 8, 8])]), "[?, 21, 8, 8]"),
        (giving(&[port("y", FLOAT, &[0, 1])]), "1 value per image"),
        (giving(&[]), "a classifier outputs"),
        (
            giving(&[scores(), port("z", FLOAT, &[0, 9])]),
            "--output NAME",
        ),
    ] {
        bench.write("m.onnx", file);
        assert_refused(&bench, "m.onnx a.png", 2, &["m.onnx: ", says]);
    }
}

#[test]
fn flags_that_contradict_a_model_are_refused() {
    let bench = bench();
    bench.write("m.onnx", giving(&[scores()]));
    bench.write("bytes.onnx", taking(BYTE, &[0, 8, 8, 3]));
    bench.write("names.txt", "one\ntwo\n");
    bench.write("gap.txt", "one\n\nthree\n");
    for (arguments, says) in [
        ("m.onnx --output z", "no output z"),
        ("m.onnx --size 16", "remove --size"),
        ("m.onnx --mean 0.5,0.5", "--mean has 2 values"),
        ("m.onnx --classes names.txt", "10 classes"),
        ("m.onnx --classes nowhere.txt", "nowhere.txt: not found"),
        ("m.onnx --classes gap.txt", "gap.txt: line 2 is empty"),
        ("m.onnx --mean -1,0,1,2", "--mean has 4 values"),
        (
            "m.onnx --mean -1 --std -1,1,1",
            "--std <S,...>: found \"-1\": must be a number from",
        ),
        (
            "m.onnx --fit crop --centre -1",
            "must be a number from 0.1 to 1",
        ),
        ("m.onnx --fit pad --centre 0.5", "--fit crop"),
        ("bytes.onnx --std 0.5", "is uint8"),
        ("m.onnx --size 0", "--size"),
        ("m.onnx --size 3x4x5x6", "--size"),
        ("m.onnx --size big", "--size"),
        ("m.onnx --std 0", "--std"),
        ("m.onnx --mean x", "--mean"),
        ("m.onnx --fit letter", "--fit"),
        ("m.onnx --centre 2", "--centre"),
    ] {
        assert_refused(&bench, &format!("{arguments} a.png"), 2, &[says]);
    }
}

#[test]
#[cfg_attr(not(feature = "onnx"), ignore = "needs --features onnx")]
fn operators_that_can_not_be_run_are_named() {
    let bench = bench();
    bench.write(
        "m.onnx",
        single("MagicFilter", "com.example", images(), scores()),
    );
    assert_refused(&bench, "m.onnx a.png", 1, &["m.onnx", "MagicFilter"]);
}

#[test]
#[cfg_attr(not(feature = "onnx"), ignore = "needs --features onnx")]
fn a_model_that_does_not_give_what_it_says_is_refused_when_it_is_run() {
    let bench = bench();
    // 192 values of an image instead of 10 scores.
    bench.write(
        "m.onnx",
        single("Flatten", "", images(), port("y", FLOAT, &[0, 0])),
    );
    bench.write("names.txt", "one\ntwo\n");
    let says = ["192 values", "2 classes"];
    assert_refused(&bench, "m.onnx a.png --classes names.txt", 2, &says);
    // The images themselves.
    let float = bytes(2, bytes(1, count(1, FLOAT)));
    let no_shape = [bytes(1, "y"), float].concat();
    bench.write("m.onnx", single("Identity", "", images(), no_shape));
    assert_refused(&bench, "m.onnx a.png", 1, &["[1, 3, 8, 8]", "[1, classes]"]);
}

#[test]
#[cfg_attr(not(feature = "onnx"), ignore = "needs --features onnx")]
fn weights_in_another_file_that_is_missing_are_named() {
    let bench = bench();
    let model = repository().join("tests/fixtures/onnx/external.onnx");
    std::fs::copy(model, bench.path("external.onnx")).expect("a copy");
    let says = ["external.onnx", "external.onnx.data", "put them beside it"];
    assert_refused(&bench, "external.onnx a.png", 1, &says);
}

#[test]
fn files_that_are_no_models_and_flags_of_other_models_are_refused() {
    let bench = bench();
    for (content, says) in [
        (&b""[..], "no graph"),
        (b"not a model at all", "not an ONNX model"),
        (b"\x08\x08\x3a\xff\xff\xff\xff\x0f", "not an ONNX model"),
    ] {
        bench.write("m.onnx", content);
        assert_refused(&bench, "m.onnx a.png", 1, &["m.onnx", says]);
    }
    bench.write("weights.safetensors", b"");
    assert_refused(
        &bench,
        "weights.safetensors a.png --size 32",
        2,
        &["--size", "is not an .onnx file"],
    );
    assert_refused(&bench, "nowhere.onnx a.png", 2, &["nowhere.onnx"]);
}
