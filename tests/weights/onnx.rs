//! Weights of ONNX models: the tensors of their graphs, by name.

use kiln::export::{GraphOptions, export};
use kiln::inference::{Classifier, ModelCard};
use kiln::models::{MlpConfig, ModelConfig};
use kiln::shape::ImageShape;

use super::common::Bench;
use super::files::{Named, Precision, named, whole};
use super::steps::{GLYPHS, assert_refused, exported, small, try_load};

/// A number of variable length of a protocol buffer.
fn number(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

/// A field with a number, or with bytes.
fn count(field: u64, value: u64) -> Vec<u8> {
    [number(field << 3), number(value)].concat()
}

fn bytes(field: u64, content: &[u8]) -> Vec<u8> {
    [
        number(field << 3 | 2),
        number(content.len() as u64),
        content.to_vec(),
    ]
    .concat()
}

/// A tensor: its dimensions, type and name, and a field with its numbers.
fn tensor(name: &str, shape: &[usize], elements: u64, numbers: Vec<u8>) -> Vec<u8> {
    let sides: Vec<u8> = shape
        .iter()
        .flat_map(|&side| count(1, side as u64))
        .collect();
    [
        sides,
        count(2, elements),
        bytes(8, name.as_bytes()),
        numbers,
    ]
    .concat()
}

/// A file with these tensors in its graph, between other fields.
fn file(tensors: &[Vec<u8>]) -> Vec<u8> {
    let fields: Vec<u8> = tensors.iter().flat_map(|tensor| bytes(5, tensor)).collect();
    let node = bytes(1, &[bytes(1, b"images"), bytes(4, b"Flatten")].concat());
    let graph = [node, bytes(2, b"main"), fields, bytes(11, b"")].concat();
    [
        count(1, 8),
        bytes(2, b"pytorch"),
        bytes(7, &graph),
        bytes(8, &count(2, 17)),
    ]
    .concat()
}

/// The type of numbers in ONNX.
fn elements(precision: Precision) -> u64 {
    match precision {
        Precision::F32 => 1,
        Precision::F16 => 10,
        Precision::F64 => 11,
        Precision::Bf16 => 16,
    }
}

/// A tensor with its numbers as bytes.
fn raw((name, shape, values): &Named, precision: Precision) -> Vec<u8> {
    let numbers: Vec<u8> = values
        .iter()
        .flat_map(|&value| precision.bytes(value))
        .collect();
    tensor(name, shape, elements(precision), bytes(9, &numbers))
}

fn all(form: impl Fn(&Named) -> Vec<u8>) -> Vec<Vec<u8>> {
    whole().iter().map(form).collect()
}

#[test]
fn tensors_of_every_precision_are_loaded_by_name() {
    for precision in Precision::ALL {
        let (network, taken) = try_load(&file(&all(|named| raw(named, precision))), &[]).unwrap();
        assert_eq!(exported(&network), whole(), "{precision:?}");
        assert_eq!(taken.applied.len(), 4);
    }
}

#[test]
fn numbers_may_be_in_fields_of_their_type() {
    let flat = |values: &[f32], precision: Precision| -> Vec<u8> {
        values
            .iter()
            .flat_map(|&value| precision.bytes(value))
            .collect()
    };
    let floats = |(name, shape, values): &Named| {
        tensor(name, shape, 1, bytes(4, &flat(values, Precision::F32)))
    };
    // In two pieces.
    let pieces = |(name, shape, values): &Named| {
        let (first, second) = values.split_at(1);
        let [first, second] = [first, second].map(|part| bytes(4, &flat(part, Precision::F32)));
        tensor(name, shape, 1, [first, second].concat())
    };
    // One by one, as fields of four bytes.
    let single = |(name, shape, values): &Named| {
        let numbers = values
            .iter()
            .flat_map(|value| [number(4 << 3 | 5), value.to_le_bytes().to_vec()].concat());
        tensor(name, shape, 1, numbers.collect())
    };
    let doubles = |(name, shape, values): &Named| {
        tensor(name, shape, 11, bytes(10, &flat(values, Precision::F64)))
    };
    // 16 bits as numbers of variable length.
    let halves = |(name, shape, values): &Named| {
        let bits = values.iter().flat_map(|&value| {
            let half = Precision::F16.bytes(value);
            number(u64::from(u16::from_le_bytes([half[0], half[1]])))
        });
        let bits: Vec<u8> = bits.collect();
        tensor(name, shape, 10, bytes(5, &bits))
    };
    for tensors in [
        all(floats),
        all(pieces),
        all(single),
        all(doubles),
        all(halves),
    ] {
        let (network, _) = try_load(&file(&tensors), &[]).unwrap();
        assert_eq!(exported(&network), whole());
    }
}

#[test]
fn constants_that_are_no_weights_are_left_out_and_other_names_are_named() {
    let mut tensors = all(|named| raw(named, Precision::F32));
    // A shape, a single number, and a counter.
    tensors.push(tensor("shape", &[2], 7, bytes(9, &[0; 16])));
    tensors.push(tensor("six", &[], 1, bytes(9, &[0; 4])));
    tensors.push(tensor("steps", &[1], 6, bytes(5, &[3])));
    let (network, _) = try_load(&file(&tensors), &[]).unwrap();
    assert_eq!(exported(&network), whole());
    tensors.push(raw(&named("onnx::Conv_12", &[2], 0.0), Precision::F32));
    let error = try_load(&file(&tensors), &[]).unwrap_err();
    assert!(error.contains("onnx::Conv_12"), "{error}");
    try_load(&file(&tensors), &["onnx::*"]).unwrap();
}

#[test]
fn what_can_not_be_read_is_refused_in_one_line() {
    let bench = Bench::new();
    bench.write("glyphs.json", GLYPHS);
    let first = &whole()[0];
    let external = count(14, 1);
    for (name, tensors, says) in [
        (
            "outside.onnx",
            vec![tensor(&first.0, &first.1, 1, external)],
            "onnx.save(onnx.load(",
        ),
        (
            "float8.onnx",
            vec![tensor(&first.0, &first.1, 17, bytes(9, &[0; 3]))],
            "onnx.load(",
        ),
        (
            "short.onnx",
            vec![tensor(&first.0, &first.1, 1, bytes(9, &[0; 8]))],
            "8 bytes",
        ),
        (
            "huge.onnx",
            vec![tensor(&first.0, &[1 << 40, 1 << 40], 1, bytes(9, &[0; 8]))],
            "8 bytes",
        ),
        ("none.onnx", Vec::new(), "no tensors"),
    ] {
        bench.write(name, file(&tensors));
        let arguments = format!("model import {name} glyphs.json --to run");
        assert_refused(&bench, &arguments, &[name, says]);
    }
    let whole = file(&all(|named| raw(named, Precision::F32)));
    for cut in [whole.len() / 2, whole.len() - 30, 5] {
        bench.write("cut.onnx", &whole[..cut]);
        assert_refused(
            &bench,
            "model import cut.onnx glyphs.json --to run",
            &[
                "cut.onnx",
                if cut == 5 {
                    "cut.onnx"
                } else {
                    "cut short or damaged"
                },
            ],
        );
    }
}

/// A graph of these operators (kind, inputs, more fields) and tensors.
fn graph(operators: &[(&str, &[&str], Vec<u8>)], tensors: &[Vec<u8>]) -> Vec<u8> {
    let operator = |(kind, inputs, more): &(&str, &[&str], Vec<u8>)| {
        let inputs: Vec<u8> = inputs
            .iter()
            .flat_map(|name| bytes(1, name.as_bytes()))
            .collect();
        bytes(
            1,
            &[inputs, bytes(4, kind.as_bytes()), more.clone()].concat(),
        )
    };
    let operators: Vec<u8> = operators.iter().flat_map(operator).collect();
    let tensors: Vec<u8> = tensors.iter().flat_map(|tensor| bytes(5, tensor)).collect();
    [count(1, 8), bytes(7, &[operators, tensors].concat())].concat()
}

/// The tensors of [`whole`], the second layer's weight with rows and columns exchanged.
fn exchanged() -> Vec<Named> {
    let mut tensors = whole();
    let (name, _, values) = tensors.remove(3);
    let columns = (0..3).flat_map(|column| [values[column], values[3 + column]]);
    tensors.push((name, vec![3, 2], columns.collect()));
    tensors
}

#[test]
fn weights_that_a_product_takes_with_inputs_first_are_transposed_and_named() {
    let second = "layers.1.weight";
    let tensors: Vec<Vec<u8>> = exchanged()
        .iter()
        .map(|named| raw(named, Precision::F32))
        .collect();
    let trans_b = |value: u64| bytes(5, &[bytes(1, b"transB"), count(3, value)].concat());
    let first = ("Gemm", &["x", "layers.0.weight"] as &[&str], trans_b(1));
    let renamed = ("Identity", &[second] as &[&str], bytes(2, b"other"));
    for operators in [
        vec![first.clone(), ("MatMul", &["y", second], Vec::new())],
        vec![first.clone(), ("Gemm", &["y", second], Vec::new())],
        vec![first.clone(), ("Gemm", &["y", second], trans_b(0))],
        vec![
            first.clone(),
            ("MatMul", &["y", "other"], Vec::new()),
            renamed,
        ],
    ] {
        let (network, taken) = try_load(&graph(&operators, &tensors), &[]).unwrap();
        assert_eq!(exported(&network), whole());
        assert_eq!(taken.transposed, [second]);
    }
    // Whatever the graph says, it is taken at its word.
    let operators = [first, ("Gemm", &["y", second], trans_b(1))];
    let text = try_load(&graph(&operators, &tensors), &[]).unwrap_err();
    assert!(
        text.contains("layers.1.weight is [3, 2] in the file"),
        "{text}"
    );
}

#[test]
fn a_square_weight_of_pytorchs_own_export_is_not_loaded_the_wrong_way_round() {
    // Linear(3, 3) on sequences: MatMul with a weight of [in, out].
    let bench = Bench::new();
    let config = r#"{"data": {"kind": "image_folder", "folder": "none", "height": 4, "width": 4, "channels": 3},
        "model": {"kind": "layers", "layers": ["tokens", {"kind": "linear", "features": 3, "name": "mix"}, "relu", "flatten",
        {"kind": "linear", "name": "head"}]}}"#;
    bench.write("config.json", config);
    let path = super::files::fixture("checkpoints").join("sequence.onnx");
    let command = format!(
        "model import {} config.json --classes 2 --to run",
        path.display()
    );
    // The exporter has given it another name.
    let says = "; of the other tensors, these fit by their shapes: add --rename 'onnx::MatMul_11=mix.weight'\n";
    let refused = bench.kiln(&command).assert().code(1);
    let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(said.ends_with(says), "{said}");
    let command = format!("{command} --rename onnx::MatMul_11=mix.weight");
    let assert = bench.kiln(&command).assert().success();
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("; transposed: mix.weight"), "{said}");
    let found = super::common::tensors(&bench.read("run/model.safetensors"));
    // As in the script: the fourth of the sorted parameters, counting from zero by quarters.
    let expected: Vec<f32> = (0..9).map(|i| i as f32 * 0.25 + 3.0).collect();
    assert_eq!(found["mix.weight"], (vec![3, 3], expected));
}

#[test]
fn weights_as_constants_of_the_graph_are_read_where_there_are_no_others() {
    let value = |tensor: &[u8]| bytes(5, &[bytes(1, b"value"), bytes(5, tensor)].concat());
    let constants: Vec<Vec<u8>> = whole()
        .iter()
        .map(|named| {
            let unnamed = raw(
                &(String::new(), named.1.clone(), named.2.clone()),
                Precision::F32,
            );
            [bytes(2, named.0.as_bytes()), value(&unnamed)].concat()
        })
        .collect();
    let operators: Vec<(&str, &[&str], Vec<u8>)> = constants
        .into_iter()
        .map(|more| ("Constant", &[] as &[&str], more))
        .collect();
    let (network, _) = try_load(&graph(&operators, &[]), &[]).unwrap();
    assert_eq!(exported(&network), whole());
    // Beside initializers they are no weights.
    let tensors = all(|named| raw(named, Precision::F32));
    let scale = [
        bytes(2, b"scale"),
        value(&raw(&named("", &[2], 0.0), Precision::F32)),
    ]
    .concat();
    let (network, _) = try_load(&graph(&[("Constant", &[], scale)], &tensors), &[]).unwrap();
    assert_eq!(exported(&network), whole());
}

#[test]
fn an_exported_model_gives_its_weights_back() {
    let card = ModelCard {
        model: ModelConfig::Mlp(MlpConfig {
            hidden: vec![3],
            ..MlpConfig::default()
        }),
        input: ImageShape::new(1, 2, 2),
        normalize: None,
        classes: vec!["a".into(), "b".into()],
        temperature: 2.0,
        view: kiln::data::View::PAD,
    };
    let (network, _) = try_load(&file(&all(|named| raw(named, Precision::F32))), &[]).unwrap();
    let classifier = Classifier::new(&network, card, &burn::prelude::Device::flex());
    let folder = tempfile::tempdir().unwrap();
    // With constants for the preprocessing, which are no weights.
    for with_preprocessing in [false, true] {
        let path = folder.path().join("out.onnx");
        export(&classifier, &path, GraphOptions { with_preprocessing }).unwrap();
        let (again, _) = kiln::weights::load(small(), &path, &[]).unwrap();
        assert_eq!(exported(&again), whole());
    }
}
