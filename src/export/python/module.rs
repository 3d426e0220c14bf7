//! A network with its card as a Python file.

use std::collections::HashSet;

use super::layers::{Code, PARAMETER};
use super::text::{quoted, tuple};
use crate::data::Fit;
use crate::error::Problem;
use crate::export::description::Description;
use crate::fitting::crops::enlarged;
use crate::models::Task;
use crate::models::layer_list::{Node, own_parameters, parameters};

/// Functions and classes around the network.
const NAMED: &str = include_str!("code/named.py");
const DEPTH_TO_SPACE: &str = include_str!("code/depth_to_space.py");
const DROP_PATH: &str = include_str!("code/drop_path.py");
const LOAD: &str = include_str!("code/load.py");
const PREPARE: &str = include_str!("code/prepare.py");
const CLASSIFY: &str = include_str!("code/classify.py");

/// Length of the lines of a description.
const COLUMNS: usize = 120;

/// Indentation of the lines of a method.
const INDENT: &str = "        ";

/// The layers of a network as a PyTorch module, with what it takes to load its weights from a `.safetensors` file of the same
/// name, and to prepare images. The error has the place of a layer that can't be exported as its path.
pub fn to_python(nodes: &[Node], about: &Description) -> Result<String, Problem> {
    let mut code = Code::default();
    code.layers(nodes);
    validate_names(&code.parts, nodes)?;
    let card = about.card;
    if card.model.task() == Task::Reconstruct {
        code.forward.push("x = x.unflatten(1, INPUT)".into());
    }
    let mut sections = vec![
        head(about),
        constants(about),
        NAMED.into(),
        class(&mut code),
    ];
    let fit = match card.view.fit {
        Fit::Pad => include_str!("code/pad.py"),
        Fit::Crop => include_str!("code/crop.py"),
        Fit::Stretch => include_str!("code/stretch.py"),
        Fit::Letter => include_str!("code/letter.py"),
    };
    if code.uses_depth_to_space {
        sections.push(DEPTH_TO_SPACE.into());
    }
    if code.uses_drop_path {
        sections.push(DROP_PATH.into());
    }
    sections.extend([LOAD, PREPARE, fit].map(String::from));
    if card.model.task() == Task::Classify {
        sections.push(CLASSIFY.into());
    }
    let sections: Vec<&str> = sections.iter().map(|section| section.trim_end()).collect();
    Ok(sections.join("\n\n\n") + "\n")
}

/// The attribute that PyTorch's modules set themselves: no layer can have its name.
const OWN_ATTRIBUTE: &str = "training";

/// What a PyTorch module can't be: layers without a name, two of one name whose parameters differ, layers with the name of an
/// attribute of modules or of a parameter of another layer.
fn validate_names(parts: &[(String, String)], nodes: &[Node]) -> Result<(), Problem> {
    let mut seen = HashSet::new();
    let own: HashSet<String> = parameters_of_layers(nodes);
    let problem = parts.iter().find_map(|(name, part)| {
        let problem = if name.is_empty() {
            "it has no name, which layers of a PyTorch module need".to_string()
        } else if !seen.insert(name.as_str()) {
            format!("a second layer has the name {name:?}, which a PyTorch module can't have")
        } else if name.split('.').any(|level| level == OWN_ATTRIBUTE) {
            format!(
                "its name {name:?} is that of an attribute of PyTorch's modules; set another \"name\", or export to .onnx"
            )
        } else {
            let levels = name.match_indices('.').map(|(dot, _)| &name[..dot]);
            let mut levels = levels.chain([name.as_str()]);
            let is_itself = |level: &str| level == name && part.starts_with(PARAMETER);
            let taken = levels.find(|level| own.contains(*level) && !is_itself(level))?;
            format!(
                "its name {name:?} is in the place of the parameter {taken:?}, which a PyTorch module can't have; set another \
                 \"name\", or export to .onnx"
            )
        };
        Some((name, problem))
    });
    match problem {
        None => Ok(()),
        Some((name, problem)) => {
            let place = place_of(name, nodes).unwrap_or("layers");
            Err(Problem::new(place, problem))
        }
    }
}

/// The full names of the parameters of all layers.
fn parameters_of_layers(nodes: &[Node]) -> HashSet<String> {
    let names = parameters(nodes).into_iter();
    names.map(|(_, name, _)| name).collect()
}

/// The place of the last layer of a name that has parameters.
fn place_of<'a>(name: &str, nodes: &'a [Node]) -> Option<&'a str> {
    let mut nodes = nodes.iter().rev();
    nodes.find_map(|node| {
        let mut lists = node.operation.inner().into_iter().rev();
        let inside = lists.find_map(|list| place_of(name, list));
        let has_parameters = !own_parameters(&node.operation).is_empty();
        let is_it = has_parameters && node.name == name;
        inside.or(is_it.then_some(node.place.as_str()))
    })
}

/// The description and the imports.
fn head(about: &Description) -> String {
    let card = about.card;
    let (kind, version) = (card.model.kind(), env!("CARGO_PKG_VERSION"));
    let mut imports = vec!["import json"];
    let usage = if card.model.task() == Task::Classify {
        imports.push("import sys");
        "load() gives the network, prepare(image) its input, probabilities(logits) the answer; `python FILE photo.jpg` prints the\nmost likely classes."
    } else {
        "load() gives the network, prepare(image) its input."
    };
    imports.extend([
        "from pathlib import Path",
        "",
        "import torch",
        "import torch.nn.functional as F",
        "from torch import nn",
    ]);
    format!(
        "\"\"\"{kind}, written by kiln {version}, for PyTorch alone; images are read with Pillow.\n\n{usage}\n\n{}\n\"\"\"\n\n{}",
        about
            .sentences(false)
            .map(|sentence| wrapped(&sentence))
            .join("\n"),
        imports.join("\n")
    )
}

/// The words of a text in lines of at most [`COLUMNS`] characters, unless a word is longer.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines.join("\n")
}

/// What is known about the network.
fn constants(about: &Description) -> String {
    let card = about.card;
    let mut lines = vec![
        "# The weights, under the names of the layers below.".to_string(),
        "WEIGHTS = Path(__file__).with_suffix(\".safetensors\")".into(),
        format!(
            "INPUT = {}  # channels, height, width",
            tuple(&card.input.dims())
        ),
    ];
    if card.view.fit == Fit::Crop {
        let sides = [card.input.height, card.input.width];
        let covered = sides.map(|side| enlarged(side, card.view.centre));
        lines.push(format!("COVERED = {}  # height, width", tuple(&covered)));
    }
    let [mean, std] = match &card.normalize {
        Some(normalize) => [&normalize.mean, &normalize.std].map(|list| tuple(list)),
        None => ["None", "None"].map(String::from),
    };
    lines.extend([format!("MEAN = {mean}"), format!("STD = {std}")]);
    if card.model.task() == Task::Classify {
        lines.push(format!("TEMPERATURE = {:?}", card.temperature));
        lines.push("CLASSES = [".into());
        let names = card.classes.iter();
        lines.extend(names.map(|name| format!("    {},", quoted(name))));
        lines.push("]".into());
    }
    lines.join("\n")
}

/// The class of the network.
fn class(code: &mut Code) -> String {
    // A level of a name must not be made before the layer that has the name.
    let depth = |name: &str| name.matches('.').count();
    let is_late = |index: usize, name: &str| {
        let start = format!("{name}.");
        let mut before = code.parts[..index].iter();
        before.any(|(earlier, _)| earlier.starts_with(&start))
    };
    let mut parts = code.parts.iter().enumerate();
    if parts.any(|(index, (name, _))| is_late(index, name)) {
        code.parts.sort_by_key(|(name, _)| depth(name));
    }
    let mut lines = vec![
        "class Network(Named):".to_string(),
        "    def __init__(self):".into(),
        format!("{INDENT}super().__init__()"),
    ];
    let parts = code.parts.iter();
    lines.extend(parts.map(|(name, part)| format!("{INDENT}self.put({}, {part})", quoted(name))));
    lines.extend([String::new(), "    def forward(self, x):".into()]);
    lines.extend(code.forward.iter().map(|line| format!("{INDENT}{line}")));
    lines.push(format!("{INDENT}return x"));
    lines.join("\n")
}
