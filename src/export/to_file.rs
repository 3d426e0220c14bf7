//! Writes a model in the format that the file's name asks for.

use std::path::{Path, PathBuf};

use super::description::Description;
use super::onnx::{GraphOptions, to_model};
use super::python::{name_problem, to_python};
use crate::error::{FileError, Problem};
use crate::inference::Classifier;
use crate::models::layer_list::Node;
use crate::models::parameters::Tensors;
use crate::{files, onnx, weights};

/// The ending of a file of weights.
const WEIGHTS: &str = "safetensors";

/// A format, by the ending of a file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Safetensors,
    Onnx,
    Python,
}

impl Format {
    const ALL: [(&'static str, Format); 3] = [
        (WEIGHTS, Format::Safetensors),
        ("onnx", Format::Onnx),
        ("py", Format::Python),
    ];

    fn of(out: &Path) -> Result<Self, FileError> {
        let extension = out.extension().unwrap_or_default();
        let mut formats = Self::ALL.into_iter();
        let found = formats.find(|(known, _)| extension.eq_ignore_ascii_case(known));
        found.map(|(_, format)| format).ok_or_else(|| {
            let [first, second, third] = Self::ALL.map(|(extension, _)| extension);
            let problem = format!("the name must end in .{first}, .{second} or .{third}");
            FileError::new(out, problem).usage()
        })
    }
}

/// The files that an export to `out` writes. The error is wrong usage: an unknown ending of the name, options that don't
/// go with it, or code under a name that Python can't import.
pub fn outputs(out: &Path, options: GraphOptions) -> Result<Vec<PathBuf>, FileError> {
    let format = Format::of(out)?;
    if options.with_preprocessing && format != Format::Onnx {
        let problem = "--with-preprocessing is for ONNX files";
        return Err(FileError::new(out, problem)
            .advise("use a name that ends in .onnx")
            .usage());
    }
    if format == Format::Python
        && let Some((problem, name)) = name_problem(out)
    {
        return Err(FileError::new(out, problem)
            .advise(format!("use a name such as {name}"))
            .usage());
    }
    let weights = out.with_extension(WEIGHTS);
    Ok(match format {
        Format::Python => vec![out.to_path_buf(), weights],
        Format::Safetensors | Format::Onnx => vec![out.to_path_buf()],
    })
}

/// Writes the files of [`outputs`], all of them or none.
///
/// # Errors
/// Those of [`outputs`]; a layer can't be exported, or a file can't be written. Files that exist are as before then.
pub fn export(classifier: &Classifier, out: &Path, options: GraphOptions) -> Result<(), FileError> {
    outputs(out, options)?;
    let about = Description {
        card: classifier.card(),
    };
    let (network, entries) = (classifier.network(), about.entries(false));
    match Format::of(out)? {
        Format::Safetensors => weights::save_described(network, &entries, out),
        Format::Onnx => to_onnx(classifier, about, options, out),
        Format::Python => {
            let code = nodes(classifier)
                .and_then(|nodes| to_python(&nodes, &about))
                .map_err(|problem| unsupported(out, &problem))?;
            let beside = out.with_extension(WEIGHTS);
            let weights = weights::encode(network, &entries, &beside)?;
            // Weights first: if the code is there, so are its weights.
            files::write_together(&[(&beside, &weights.parts()), (out, &[code.as_bytes()])])
        }
    }
}

fn to_onnx(
    classifier: &Classifier,
    about: Description,
    options: GraphOptions,
    out: &Path,
) -> Result<(), FileError> {
    let model = nodes(classifier)
        .and_then(|nodes| to_model(&nodes, &about, options))
        .map_err(|problem| unsupported(out, &problem))?;
    let tensors = Tensors::of(classifier.network());
    files::write_with(out, |file| {
        onnx::write(&model, &|name| tensors.bytes(name), file)
    })
}

/// The layers of a model.
fn nodes(classifier: &Classifier) -> Result<Vec<Node>, Problem> {
    let card = classifier.card();
    card.model.nodes(card.input, card.classes.len())
}

fn unsupported(out: &Path, problem: &Problem) -> FileError {
    let (place, message) = (&problem.path, &problem.message);
    FileError::new(
        out,
        format!("the model can't be exported: model.{place}: {message}"),
    )
}
