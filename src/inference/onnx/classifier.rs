//! An ONNX model that classifies image files.

use std::path::{Path, PathBuf};

use image::DynamicImage;

use super::engine::Engine;
use super::interface::{Input, Layout, Numbers};
use super::preparation::Preparation;
use super::scores::{Output, Scale};
use super::settings::OnnxSettings;
use crate::error::{FileError, counted};
use crate::files;
use crate::inference::card::{
    CARD_KEY, ModelCard, PREPROCESSED_INSIDE, PREPROCESSING_KEY, UNCALIBRATED, softmax,
};
use crate::inference::error::ModelError;
use crate::inference::predictor::Predictor;
use crate::models::Task;
use crate::onnx::{self, Contents};

/// The extension of ONNX files.
const EXTENSION: &str = "onnx";

/// Images that go through a model of any batch size at once.
const BATCH: usize = 32;

/// Whether a path is that of an ONNX model, by its name.
pub fn is_onnx(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    extension.eq_ignore_ascii_case(EXTENSION)
}

/// An ONNX model, ready to answer.
pub struct OnnxClassifier {
    path: PathBuf,
    engine: Engine,
    input: Input,
    preparation: Preparation,
    output: Output,
    /// What logits are divided by before softmax.
    temperature: f32,
    /// Names of the classes; without any, they are called by their numbers.
    classes: Option<Vec<String>>,
    notes: Vec<String>,
}

/// What is known about a model before it is run.
struct Description {
    input: Input,
    preparation: Preparation,
    output: Output,
    temperature: f64,
    classes: Option<Vec<String>>,
    notes: Vec<String>,
}

impl OnnxClassifier {
    /// Opens an ONNX file. One that kiln exported knows how its images are prepared; of others, `settings` says what the file does not,
    /// and [`notes`](Self::notes) what nobody says.
    ///
    /// # Errors
    /// The file can't be read or run, or is not a classifier of images; `settings` contradict it, or leave open what has no usual value,
    /// which is wrong usage.
    pub fn open(path: &Path, settings: &OnnxSettings) -> Result<Self, FileError> {
        let contents = read(path)?;
        let described = match metadata(&contents, CARD_KEY) {
            Some(card) => own(&contents, card, settings),
            None => foreign(&contents, settings),
        };
        let about = described.map_err(|problem| FileError::new(path, problem).usage())?;
        Ok(Self {
            engine: Engine::load(path, contents.is_complete())?,
            path: path.to_path_buf(),
            input: about.input,
            preparation: about.preparation,
            output: about.output,
            temperature: about.temperature as f32,
            classes: about.classes,
            notes: about.notes,
        })
    }

    /// What was assumed about the model, a line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The values of the model's output for `count` images of the input's shape in [0, 1]: `[count][classes]`.
    ///
    /// # Errors
    /// The model can't be run, or does not give scores of classes.
    pub fn outputs(&self, pixels: &[f32], count: usize) -> Result<Vec<Vec<f32>>, FileError> {
        let values = self.input.shape.values();
        let batch = self.input.batch.unwrap_or(BATCH);
        let mut rows = Vec::with_capacity(count);
        for chunk in pixels.chunks(batch * values) {
            let images = chunk.len() / values;
            // A model of a fixed batch gets a whole one.
            let mut chunk = chunk.to_vec();
            let given = self.input.batch.unwrap_or(images);
            chunk.resize(given * values, 0.0);
            let mut found = self.run(&chunk, given)?;
            found.truncate(images);
            rows.extend(found);
        }
        Ok(rows)
    }

    fn run(&self, pixels: &[f32], count: usize) -> Result<Vec<Vec<f32>>, FileError> {
        let shape = self.input.shape;
        let [channels, height, width] = shape.dims();
        let dims = match self.input.layout {
            Layout::ChannelsFirst => [count, channels, height, width],
            Layout::ChannelsLast => [count, height, width, channels],
        };
        let values = self.preparation.values(pixels, &self.input);
        let failed = |problem: String| FileError::new(&self.path, problem);
        let names = (self.input.name.as_str(), self.output.name.as_str());
        let (found, values) = self.engine.run(names, dims, values).map_err(failed)?;
        let name = &self.output.name;
        let classes = match found.as_slice() {
            [rows, classes, behind @ ..]
                if *rows == count && behind.iter().all(|&side| side == 1) =>
            {
                *classes
            }
            _ => {
                return Err(failed(format!(
                    "its output {name} has the shape {found:?} for {count} images; a classifier outputs [{count}, classes]"
                )));
            }
        };
        let expected = self.classes.as_ref().map_or(classes, Vec::len);
        if classes != expected || classes < 2 {
            return Err(failed(format!(
                "its output {name} has {} per image, but there are {} (at least 2 are needed); check --classes and --output",
                counted(classes, "value", "values"),
                counted(expected, "class", "classes")
            ))
            .usage());
        }
        if !values.iter().all(|value| value.is_finite()) {
            return Err(failed(format!(
                "its output {name} has values that are not finite"
            )));
        }
        Ok(values.chunks_exact(classes).map(<[f32]>::to_vec).collect())
    }
}

impl Predictor for OnnxClassifier {
    fn sample(&self, image: DynamicImage) -> Vec<f32> {
        self.preparation.sample(image, &self.input)
    }

    fn probabilities(&self, pixels: Vec<f32>, count: usize) -> Result<Vec<Vec<f32>>, ModelError> {
        let rows = self.outputs(&pixels, count)?.into_iter();
        Ok(match self.output.scale {
            Scale::Probabilities | Scale::Independent => rows.collect(),
            Scale::Logits => rows.map(|row| softmax(row, self.temperature)).collect(),
        })
    }

    fn class_name(&self, class: usize) -> String {
        let name = self.classes.as_ref().and_then(|names| names.get(class));
        name.cloned().unwrap_or_else(|| class.to_string())
    }
}

fn read(path: &Path) -> Result<Contents, FileError> {
    let failed = |error| FileError::named(path, error);
    let file = files::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let read_at = |start, count| files::read_at(&file, start, count, length);
    onnx::read(&read_at, length).map_err(|problem| {
        FileError::new(
            path,
            format!("not an ONNX model that kiln can read: {problem}"),
        )
    })
}

fn metadata<'a>(contents: &'a Contents, key: &str) -> Option<&'a str> {
    let mut entries = contents.metadata.iter();
    let found = entries.find(|(known, _)| known == key);
    found.map(|(_, value)| value.as_str())
}

/// A model that kiln exported, with its card.
fn own(contents: &Contents, card: &str, settings: &OnnxSettings) -> Result<Description, String> {
    if let Some(flag) = settings.first_flag() {
        return Err(format!(
            "kiln exported this model, and its metadata says how images are prepared; remove {flag}"
        ));
    }
    // No network is made of this card: the file may be of any size.
    let card = ModelCard::parse(card, usize::MAX)?;
    if card.model.task() == Task::Reconstruct {
        return Err(
            "this model is an autoencoder, which reconstructs images and does not classify".into(),
        );
    }
    let is_inside = metadata(contents, PREPROCESSING_KEY) == Some(PREPROCESSED_INSIDE);
    let found = Input::of(contents, None)?;
    let (numbers, layout) = if is_inside {
        (Numbers::Bytes, Layout::ChannelsLast)
    } else {
        (Numbers::Floats, Layout::ChannelsFirst)
    };
    let scale = if is_inside {
        Scale::Probabilities
    } else {
        Scale::Logits
    };
    Ok(Description {
        input: Input {
            numbers,
            layout,
            shape: card.input,
            ..found
        },
        preparation: Preparation {
            view: card.view,
            normalize: card.normalize,
        },
        output: Output {
            scale,
            ..Output::of(contents, None)?
        },
        temperature: card.temperature,
        classes: Some(card.classes),
        notes: Vec::new(),
    })
}

/// Any other model.
fn foreign(contents: &Contents, settings: &OnnxSettings) -> Result<Description, String> {
    let input = Input::of(contents, settings.size)?;
    let output = Output::of(contents, settings.output.as_deref())?;
    let (preparation, mut assumed) = Preparation::of(&input, settings)?;
    match (&settings.classes, output.classes) {
        (Some(names), Some(classes)) if names.len() != classes => {
            return Err(format!(
                "it has {}, but the --classes file has {}",
                counted(classes, "class", "classes"),
                counted(names.len(), "name", "names")
            ));
        }
        (Some(_), _) => {}
        (None, _) => {
            assumed.push("classes are numbered from 0; name them with --classes FILE".into());
        }
    }
    let mut notes = Vec::new();
    if !assumed.is_empty() {
        notes.push(format!(
            "assumed, as the model does not say: {}",
            assumed.join("; ")
        ));
    }
    if output.scale == Scale::Independent {
        notes.push(
            "it ends with a sigmoid: probabilities are per class (multi-label) and don't add up to 1".into(),
        );
    }
    if !output.others.is_empty() && settings.output.is_none() {
        let others = output.others.join(", ");
        notes.push(format!(
            "scores are those of its output {}, not of {others} (--output)",
            output.name
        ));
    }
    Ok(Description {
        input,
        preparation,
        output,
        temperature: UNCALIBRATED,
        classes: settings.classes.clone(),
        notes,
    })
}
