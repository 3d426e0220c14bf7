//! The model card: metadata of a model file that describes its network and its input images.

use image::DynamicImage;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::counted;
use crate::fitting::{Fit, NormalizeConfig, View, to_sample};
use crate::metrics::Outputs;
use crate::models::{ModelConfig, Task};
use crate::shape::ImageShape;

/// The key of the card in the metadata of files.
pub const CARD_KEY: &str = "kiln";

/// The key in the metadata of files for other programs that says whether the network's preprocessing is part of the file, and its
/// value where it is.
pub const PREPROCESSING_KEY: &str = "preprocessing";
/// See [`PREPROCESSING_KEY`].
pub const PREPROCESSED_INSIDE: &str = "inside";

/// The temperature that changes nothing.
pub const UNCALIBRATED: f64 = 1.0;

/// Minimum bytes per weight: those of layers may be 16-bit numbers.
const MIN_VALUE_BYTES: usize = 2;

/// Minimum number of classes of a classifier.
const MIN_CLASSES: usize = 2;

/// What a model file says about itself: everything that turns an image file into the network's input, and the network's output
/// into names and probabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// The network.
    pub model: ModelConfig,
    /// Shape of one input image.
    pub input: ImageShape,
    /// How inputs are normalised; `null` for values in [0, 1] as they are.
    pub normalize: Option<NormalizeConfig>,
    /// Class names in the order of the logits.
    pub classes: Vec<String>,
    /// What a classifier's logits are divided by before they become probabilities; 1 if it was never calibrated.
    #[serde(default = "uncalibrated", skip_serializing_if = "is_uncalibrated")]
    pub temperature: f64,
    /// How an image of another shape is converted to `input`; omitted for padding.
    #[serde(default = "padded", skip_serializing_if = "is_default")]
    pub view: View,
}

fn uncalibrated() -> f64 {
    UNCALIBRATED
}

fn is_uncalibrated(temperature: &f64) -> bool {
    *temperature == UNCALIBRATED
}

fn padded() -> View {
    View::PAD
}

fn is_default(view: &View) -> bool {
    *view == View::PAD
}

impl ModelCard {
    /// Whether images of another shape are padded, which is also what the card of an older file says.
    pub fn is_padded(&self) -> bool {
        is_default(&self.view)
    }

    /// The kind of network output.
    pub fn outputs(&self) -> Outputs {
        match self.model.task() {
            Task::Classify => Outputs::Classes(self.classes.len()),
            Task::Reconstruct => Outputs::Images(self.input),
        }
    }

    /// The values of an image for [`to_input`](super::to_input): `[channels, height, width]` in [0, 1].
    pub fn sample(&self, image: DynamicImage) -> Vec<f32> {
        to_sample(image, self.input, self.view)
    }

    /// Reads a card from the JSON text of a model file of `file_bytes` bytes. The error is one line without the file's name.
    pub(super) fn parse(text: &str, file_bytes: usize) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| format!("its `kiln` metadata can't be parsed: {error}"))?;
        // The ranges of the settings. Those of the models that are part of the reader need no check.
        #[cfg(feature = "app")]
        super::card_schema::against_schema(&value)?;
        let card: Self = serde_json::from_value(value)
            .map_err(|error| format!("its `kiln` metadata can't be parsed: {error}"))?;
        card.validate(file_bytes)?;
        Ok(card)
    }

    /// Checks the parts against each other, and against the size of the file: a damaged card must not make kiln allocate more
    /// than the file can fill.
    fn validate(&self, file_bytes: usize) -> Result<(), String> {
        let (input, classes) = (self.input, self.classes.len());
        let least = match self.model.task() {
            Task::Classify => MIN_CLASSES,
            Task::Reconstruct => 1,
        };
        if classes < least || ![1, 3].contains(&input.channels) {
            return Err(format!(
                "it describes {} and {}",
                counted(classes, "class", "classes"),
                counted(input.channels, "channel", "channels")
            ));
        }
        if let Some(problem) = self.model.problems(input).into_iter().next() {
            return Err(problem.message);
        }
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return Err(format!(
                "its temperature is {}; it must be above 0",
                self.temperature
            ));
        }
        self.validate_preparation()?;
        match self.model.values(input, classes) {
            Some(values) if values <= file_bytes / MIN_VALUE_BYTES => {}
            _ => return Err("it describes a network larger than the file".into()),
        }
        let problem = self.model.size_problem(input, classes);
        problem.map_or(Ok(()), |problem| Err(problem.message))
    }

    fn validate_preparation(&self) -> Result<(), String> {
        let ImageShape {
            channels,
            height,
            width,
        } = self.input;
        if let Some(normalize) = &self.normalize
            && normalize.mismatch(channels).is_some()
        {
            return Err("its normalization does not match its channels".into());
        }
        if !(View::MIN_CENTRE..=1.0).contains(&self.view.centre) {
            return Err(format!(
                "its view.centre is {}; it must be from {} to 1",
                self.view.centre,
                View::MIN_CENTRE
            ));
        }
        if self.view.fit == Fit::Letter && (channels != 1 || height != width) {
            return Err("its view.fit \"letter\" requires square greyscale samples".into());
        }
        Ok(())
    }
}

/// Probabilities from logits at a temperature; the largest is subtracted first, so that none overflows.
pub(super) fn softmax(mut values: Vec<f32>, temperature: f32) -> Vec<f32> {
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for value in &mut values {
        *value = ((*value - largest) / temperature).exp();
    }
    let sum: f32 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= sum);
    values
}
