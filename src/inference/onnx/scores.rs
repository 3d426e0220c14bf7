//! Where an ONNX model gives the scores of classes, and how they become probabilities. Errors are one problem without the file's name.

use super::interface::shape_text;
use crate::onnx::{Contents, Port, number_type};

/// Operators that pass on values as they are, in another shape or type.
const PASSED_ON: [&str; 9] = [
    "Identity",
    "Reshape",
    "Flatten",
    "Squeeze",
    "Unsqueeze",
    "Cast",
    "Dropout",
    "QuantizeLinear",
    "DequantizeLinear",
];

/// How many of them are looked through.
const MAX_PASSED_ON: usize = 32;

/// Minimum number of classes of a classifier.
const MIN_CLASSES: usize = 2;

/// What scores are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Logits, or logarithms of probabilities: softmax makes probabilities of them.
    Logits,
    /// Probabilities: the model ends with a softmax.
    Probabilities,
    /// Probabilities of each class for itself: the model ends with a sigmoid.
    Independent,
}

/// The output that has the scores of classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Number of classes; `None` if the file does not say.
    pub classes: Option<usize>,
    /// What its values are.
    pub scale: Scale,
    /// Other outputs, which are not looked at.
    pub others: Vec<String>,
}

impl Output {
    /// The output of this name, or the only one that can have scores.
    pub fn of(contents: &Contents, name: Option<&str>) -> Result<Self, String> {
        let names = || {
            let named = contents.outputs.iter();
            let named = named.map(|port| format!("{} {}", port.name, shape_text(port)));
            match named.collect::<Vec<_>>().join(", ") {
                none if none.is_empty() => "nothing".into(),
                names => names,
            }
        };
        let named = |port: &&Port| name.is_none_or(|name| port.name == name);
        let mut ports = contents.outputs.iter().filter(named).peekable();
        if let (None, Some(name)) = (ports.peek(), name) {
            return Err(format!("it has no output {name}; it outputs {}", names()));
        }
        let fit: Vec<&Port> = ports.filter(|port| may_have_scores(port)).collect();
        let port = match fit.as_slice() {
            [port] => *port,
            [] => {
                return Err(format!(
                    "it outputs {}; a classifier outputs [batch, classes] (kiln runs no detection or segmentation models)",
                    names()
                ));
            }
            _ => {
                return Err(format!(
                    "it outputs {}; choose the one with the class scores with --output NAME",
                    names()
                ));
            }
        };
        let classes = port.dimensions.as_ref();
        let classes = classes.and_then(|sides| sides.get(1).copied().flatten());
        if let Some(classes) = classes.filter(|&classes| classes < MIN_CLASSES) {
            return Err(format!(
                "its output {} has {classes} value per image; a classifier outputs one per class, {MIN_CLASSES} or more",
                port.name
            ));
        }
        let others = contents.outputs.iter();
        let others = others.filter(|other| other.name != port.name);
        Ok(Self {
            name: port.name.clone(),
            classes,
            scale: scale(contents, &port.name),
            others: others.map(|other| other.name.clone()).collect(),
        })
    }
}

/// Whether an output may be `[batch, classes]`, perhaps with trailing dimensions of 1.
fn may_have_scores(port: &Port) -> bool {
    let is_float = matches!(
        port.elements,
        Some(0 | number_type::FLOAT | number_type::FLOAT16 | number_type::DOUBLE)
    );
    let fits = port
        .dimensions
        .as_ref()
        .is_none_or(|sides| match sides.as_slice() {
            [_, _, behind @ ..] => behind.iter().all(|side| *side == Some(1)),
            _ => false,
        });
    is_float && fits
}

/// What the values of an output are, by the operator that makes them.
fn scale(contents: &Contents, output: &str) -> Scale {
    let mut name = output;
    for _ in 0..MAX_PASSED_ON {
        let gives = |outputs: &[String]| outputs.first().is_some_and(|first| first == name);
        let mut operators = contents.operators.iter();
        let Some(operator) = operators.find(|operator| gives(&operator.outputs)) else {
            break;
        };
        match operator.kind.as_str() {
            "Softmax" => return Scale::Probabilities,
            "Sigmoid" => return Scale::Independent,
            kind if PASSED_ON.contains(&kind) => match operator.inputs.first() {
                Some(input) => name = input,
                None => break,
            },
            _ => break,
        }
    }
    Scale::Logits
}
