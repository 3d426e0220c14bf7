//! A network with its card as an ONNX model.

use super::builder::{Builder, Name};
use super::layers::layers;
use super::maps::{reshape, transpose};
use crate::data::NormalizeConfig;
use crate::error::Problem;
use crate::export::description::Description;
use crate::inference::UNCALIBRATED;
use crate::models::Task;
use crate::models::layer_list::Node;
use crate::onnx::{Attribute, Dimension, Elements, Graph, Model, PRODUCER, ValueInfo};
use crate::shape::ImageShape;

/// What the graph takes.
pub const INPUT: &str = "images";

/// The first dimension of inputs and outputs, of any size.
const BATCH: Dimension = Dimension::Symbol("batch");

/// Where the operators around the network are in the names of values.
const BEFORE: &str = "preprocessing";
const BEHIND: &str = "output";

/// Of images: channels as the first dimension.
const CHANNELS_FIRST: [i64; 4] = [0, 3, 1, 2];

/// The largest value of a byte.
const WHITE: f32 = 255.0;

/// What is written beside the network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GraphOptions {
    /// The graph takes bytes `[batch, height, width, channels]` from 0 to 255, normalizes them, and gives probabilities.
    pub with_preprocessing: bool,
}

/// The name of what the graph gives.
pub fn output_name(task: Task, options: GraphOptions) -> &'static str {
    match (task, options.with_preprocessing) {
        (Task::Reconstruct, _) => "reconstructions",
        (Task::Classify, false) => "logits",
        (Task::Classify, true) => "probabilities",
    }
}

/// The layers of a network as a model; the bytes of its weights are asked for when it is written. The error has the place of a
/// layer that can't be exported as its path.
pub fn to_model(
    nodes: &[Node],
    about: &Description,
    options: GraphOptions,
) -> Result<Model, Problem> {
    let mut graph = Builder::default();
    let card = about.card;
    let ImageShape {
        channels,
        height,
        width,
    } = card.input;
    let input = if options.with_preprocessing {
        prepared(&mut graph, card.normalize.as_ref())
    } else {
        INPUT.into()
    };
    let output = layers(&mut graph, nodes, input)?;
    let (output, dimensions) = match card.model.task() {
        Task::Classify if options.with_preprocessing => {
            let probabilities = probabilities(&mut graph, card.temperature, &output);
            (probabilities, vec![card.classes.len()])
        }
        Task::Classify => (output, vec![card.classes.len()]),
        Task::Reconstruct => {
            let shape = [0, channels as i64, height as i64, width as i64];
            let images = reshape(&mut graph, BEHIND, &output, &shape);
            (images, vec![channels, height, width])
        }
    };
    let name = output_name(card.model.task(), options);
    let parts = graph.finish(&output, name);
    let of_input = if options.with_preprocessing {
        (Elements::Uint8, [height, width, channels])
    } else {
        (Elements::Float32, [channels, height, width])
    };
    Ok(Model {
        graph: Graph {
            name: card.model.kind().into(),
            operators: parts.operators,
            tensors: parts.tensors,
            inputs: vec![value(INPUT, of_input.0, &of_input.1)],
            outputs: vec![value(name, Elements::Float32, &dimensions)],
        },
        producer: (PRODUCER.into(), env!("CARGO_PKG_VERSION").into()),
        doc: about.sentences(options.with_preprocessing).join("\n"),
        metadata: about.entries(options.with_preprocessing),
    })
}

/// A batch of values of a shape.
fn value(name: &str, elements: Elements, shape: &[usize]) -> ValueInfo {
    let shape = shape.iter().copied().map(Dimension::Size);
    ValueInfo {
        name: name.into(),
        elements,
        dimensions: [BATCH].into_iter().chain(shape).collect(),
    }
}

/// Bytes with channels last as the network's input, in the order of operations of [`to_input`](crate::inference::to_input).
fn prepared(graph: &mut Builder, normalize: Option<&NormalizeConfig>) -> Name {
    let to = vec![("to", Attribute::Integer(Elements::Float32 as i64))];
    let values = graph.add(BEFORE, "Cast", &[INPUT], to);
    let first = transpose(graph, BEFORE, &values, &CHANNELS_FIRST);
    let white = graph.floats(&[], &[WHITE]);
    let values = graph.add(BEFORE, "Div", &[&first, &white], Vec::new());
    let Some(normalize) = normalize else {
        return values;
    };
    let [mean, std] =
        [&normalize.mean, &normalize.std].map(|list| graph.floats(&[list.len(), 1, 1], list));
    let centred = graph.add(BEFORE, "Sub", &[&values, &mean], Vec::new());
    graph.add(BEFORE, "Div", &[&centred, &std], Vec::new())
}

/// Softmax of logits at a temperature.
fn probabilities(graph: &mut Builder, temperature: f64, logits: &str) -> Name {
    let mut logits = logits.to_string();
    if temperature != UNCALIBRATED {
        let temperature = graph.floats(&[], &[temperature as f32]);
        logits = graph.add(BEHIND, "Div", &[&logits, &temperature], Vec::new());
    }
    let classes = vec![("axis", Attribute::Integer(1))];
    graph.add(BEHIND, "Softmax", &[&logits], classes)
}
