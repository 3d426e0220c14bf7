//! Networks written for other programs from any list of layers, and files of theirs.

use std::collections::HashMap;

use kiln::export::{Description, GraphOptions, to_model, to_python};
use kiln::inference::ModelCard;
use kiln::models::layer_list::parameters;
use kiln::onnx;
use kiln::report::network::drawing_file;
use kiln::shape::ImageShape;
use kiln::{config, data};

use super::targets;

/// Tokens of lists of layers.
pub const LAYERS: &[&[u8]] = &[
    b"\"conv\"",
    b"\"depthwise_conv\"",
    b"\"batch_norm\"",
    b"\"group_norm\"",
    b"\"layer_norm\"",
    b"\"linear\"",
    b"\"gelu\"",
    b"\"max_pool\"",
    b"\"avg_pool\"",
    b"\"adaptive_avg_pool\"",
    b"\"global_avg_pool\"",
    b"\"flatten\"",
    b"\"unflatten\"",
    b"\"residual\"",
    b"\"branches\"",
    b"\"squeeze_excite\"",
    b"\"repeat\"",
    b"\"group\"",
    b"\"scale\"",
    b"\"depth_to_space\"",
    b"\"tokens\"",
    b"\"class_token\"",
    b"\"position_embedding\"",
    b"\"self_attention\"",
    b"\"first_token\"",
    b"\"zero_pad\"",
    b"\"channels_last\"",
    b"\"channels_first\"",
    b"\"body\":",
    b"\"shortcut\":",
    b"\"layers\":",
    b"\"times\":",
    b"\"name\":\"\",",
    b"\"stride\":2,",
    b"\"padding\":1,",
    b"\"ceil_mode\":true,",
    b"\"groups\":4,",
    b"\"size\":[3,5],",
    b"[[],[]]",
    b"65536",
    b"{\"kind\":",
    b"},",
    b"],[",
];

/// Tags of ONNX files and lengths that are too long.
pub const ONNX: &[&[u8]] = &[
    b"\x08\x08",
    b"\x3a",
    b"\x2a",
    b"\x42",
    b"\x4a",
    b"\x22",
    b"\x7a",
    b"\x10\x01",
    b"\x10\x0a",
    b"\x10\x0b",
    b"\x70\x01",
    b"\xff\xff\xff\xff\x0f",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
];

/// The images of the networks.
const SHAPE: ImageShape = ImageShape::new(1, 32, 32);

/// Largest number of weights that are written.
const MAX_VALUES: usize = 1 << 20;

/// A list of layers: where it describes a network, every export of it must succeed or say why not, and what is written must be
/// read again.
pub fn layers(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let config = format!(
        r#"{{"data": {{"kind": "glyphs", "size": 32}}, "model": {{"kind": "layers", "layers": {text}}}}}"#
    );
    let experiment = match config::parse(&config, targets::name(), &[]) {
        Ok(experiment) => experiment,
        Err(error) => return targets::rejected(error.to_string()),
    };
    let classes: Vec<String> = (0..36).map(|class| class.to_string()).collect();
    let card = ModelCard {
        model: experiment.model,
        input: SHAPE,
        normalize: None,
        classes,
        temperature: 1.5,
        view: data::View::PAD,
    };
    let nodes = card.model.nodes(card.input, card.classes.len());
    let nodes = nodes.expect("a config that was accepted");
    let picture = drawing_file("network", &nodes, card.input, "36 classes");
    roxmltree::Document::parse(&picture).expect("XML");
    let about = Description { card: &card };
    let mut answer = match to_python(&nodes, &about) {
        Ok(_) => "code".to_string(),
        Err(problem) => targets::rejected(problem.message),
    };
    let options = GraphOptions {
        with_preprocessing: bytes.len().is_multiple_of(2),
    };
    let model = match to_model(&nodes, &about, options) {
        Ok(model) => model,
        Err(problem) => return targets::rejected(problem.message),
    };
    let weights = parameters(&nodes).into_iter();
    let weights = weights.map(|(_, _, shape)| shape.iter().product::<usize>());
    if weights.sum::<usize>() > MAX_VALUES {
        return answer + " of a large network";
    }
    assert_is_read_again(&model);
    answer += " and a graph";
    answer
}

/// Writes a model without weights, and finds all of its tensors in the file.
fn assert_is_read_again(model: &onnx::Model) {
    let tensors = &model.graph.tensors;
    let lengths: HashMap<&str, usize> = tensors
        .iter()
        .map(|tensor| {
            (
                tensor.name.as_str(),
                tensor.byte_length().expect("a length"),
            )
        })
        .collect();
    let mut written = Vec::new();
    onnx::write(model, &|name| Ok(vec![0; lengths[name]]), &mut written).expect("memory");
    let contents = read(&written).expect("its own file");
    let names: Vec<&String> = tensors.iter().map(|tensor| &tensor.name).collect();
    let found: Vec<&String> = contents.tensors.iter().map(|tensor| &tensor.name).collect();
    assert_eq!(names, found);
    assert_eq!(names.len(), lengths.len(), "two tensors have one name");
}

fn read(file: &[u8]) -> Result<onnx::Contents, String> {
    let read_at = |start: u64, count: u64| {
        let end = start.checked_add(count).map(|end| end as usize);
        let part = end.and_then(|end| file.get(start as usize..end));
        part.map(<[u8]>::to_vec)
            .ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
    };
    onnx::read(&read_at, file.len() as u64)
}

/// The seeds of [`layers`].
pub fn lists() -> Vec<Vec<u8>> {
    [
        r#"["flatten", "linear"]"#,
        r#"[{"kind":"conv","channels":8,"kernel":3,"stride":2},"batch_norm","relu6",{"kind":"max_pool","kernel":3,"ceil_mode":true},
            {"kind":"residual","drop_path":0.1,"body":["channels_last","layer_norm",{"kind":"linear","features":8},"gelu",
            "channels_first",{"kind":"scale","initial":0.5}]},{"kind":"avg_pool","kernel":2,"padding":1,"count_include_pad":false},
            {"kind":"adaptive_avg_pool","size":[3,2]},{"kind":"squeeze_excite","channels":4},"global_avg_pool","linear"]"#,
        r#"[{"kind":"branches","branches":[[{"kind":"conv","channels":4,"kernel":1},"silu"],[],[{"kind":"depthwise_conv","kernel":3,
            "padding":"same"}]]},{"kind":"repeat","times":3,"layers":[{"kind":"conv","channels":16,"kernel":1},"tanh"]},
            {"kind":"depth_to_space","block":2},{"kind":"group_norm","groups":2},"global_max_pool",{"kind":"dropout","p":0.5},"linear"]"#,
        r#"[{"kind":"conv","channels":8,"kernel":8,"stride":8},{"kind":"group","name":"a","layers":["tokens",{"kind":"class_token",
            "name":""},"position_embedding",{"kind":"residual","body":["layer_norm",{"kind":"self_attention","heads":2}]},"first_token"]},
            {"kind":"linear","features":24},{"kind":"unflatten","size":[2,3]},{"kind":"zero_pad","right":1},"flatten","linear"]"#,
    ]
    .map(|list| list.as_bytes().to_vec())
    .to_vec()
}

/// ONNX files of the perceptron that `weights` of the targets loads.
pub fn onnx_files() -> Vec<Vec<u8>> {
    use burn::prelude::*;
    use kiln::inference::Classifier;
    use kiln::models::{MlpConfig, ModelConfig};

    let card = ModelCard {
        model: ModelConfig::Mlp(MlpConfig {
            hidden: vec![3],
            ..MlpConfig::default()
        }),
        input: ImageShape::new(1, 2, 2),
        normalize: None,
        classes: vec!["a".into(), "b".into()],
        temperature: 2.0,
        view: data::View::PAD,
    };
    let classifier = Classifier::new(&targets::small(), card, &Device::flex());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("seed.onnx");
    let files = [false, true].map(|with_preprocessing| {
        let options = GraphOptions { with_preprocessing };
        kiln::export::export(&classifier, &path, options).expect("an export");
        std::fs::read(&path).expect("a file")
    });
    files.to_vec()
}
