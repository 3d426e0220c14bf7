//! What a stranger needs to know to use a network: classes, sizes, and how images are prepared, as metadata and in words.

use serde::Serialize;

use crate::data::{Fit, NormalizeConfig};
use crate::fitting::crops::enlarged;
use crate::inference::{CARD_KEY, ModelCard, PREPROCESSED_INSIDE, PREPROCESSING_KEY, UNCALIBRATED};
use crate::models::Task;
use crate::shape::ImageShape;

/// What is said about a model in files for other programs.
#[derive(Debug, Clone, Copy)]
pub struct Description<'a> {
    /// The card of the model.
    pub card: &'a ModelCard,
}

impl Description<'_> {
    /// Keys and values for a file's metadata; values that are not text are JSON.
    ///
    /// `classes`, `input` (`[channels, height, width]`), `normalize` (mean and standard deviation of values in [0, 1], or null),
    /// `temperature` of a classifier, `preparation` (in words), `preprocessing` (whether the graph does the normalization and
    /// the softmax), `kiln_version`, and the model card under `kiln`.
    pub fn entries(&self, with_preprocessing: bool) -> Vec<(String, String)> {
        let card = self.card;
        let preprocessing = if with_preprocessing {
            PREPROCESSED_INSIDE
        } else {
            "outside"
        };
        let mut entries = vec![
            ("classes", to_json(&card.classes)),
            ("input", to_json(&card.input.dims())),
            ("normalize", to_json(&card.normalize)),
            ("preparation", self.preparation(!with_preprocessing)),
            (PREPROCESSING_KEY, preprocessing.to_string()),
            ("kiln_version", env!("CARGO_PKG_VERSION").to_string()),
            (CARD_KEY, to_json(card)),
        ];
        if card.model.task() == Task::Classify {
            entries.insert(3, ("temperature", to_json(&card.temperature)));
        }
        let entries = entries.into_iter();
        entries
            .map(|(key, value)| (key.to_string(), value))
            .collect()
    }

    /// What goes in, how it is prepared and what comes out, in words.
    pub fn sentences(&self, with_preprocessing: bool) -> [String; 3] {
        let card = self.card;
        let ImageShape {
            channels,
            height,
            width,
        } = card.input;
        let colours = if channels == 1 {
            "grey"
        } else {
            "red, green, blue"
        };
        let input = if with_preprocessing {
            format!("bytes from 0 to 255, [batch, {height}, {width}, {channels}], {colours}")
        } else {
            format!("32-bit floats, [batch, {channels}, {height}, {width}], {colours}")
        };
        let output = match card.model.task() {
            Task::Reconstruct => format!(
                "Output: reconstructions [batch, {channels}, {height}, {width}], from 0 to 1."
            ),
            Task::Classify if with_preprocessing => {
                format!("Output: probabilities of {} classes.", card.classes.len())
            }
            Task::Classify => format!(
                "Output: logits of {} classes; softmax({}) gives probabilities.",
                card.classes.len(),
                scaled("logits", card.temperature)
            ),
        };
        [
            format!("Input: {input}."),
            format!("Preparation: {}", self.preparation(!with_preprocessing)),
            output,
        ]
    }

    /// How an image file becomes the input, in words, with or without what is done to each value.
    pub fn preparation(&self, with_values: bool) -> String {
        let mut text = self.fitting();
        if with_values {
            text += "; divide by 255";
            if let Some(NormalizeConfig { mean, std }) = &self.card.normalize {
                text += &format!(
                    "; subtract the mean {} and divide by the standard deviation {}",
                    to_json(mean),
                    to_json(std)
                );
            }
        }
        text + "."
    }

    /// How an image of any size becomes one of the input's.
    fn fitting(&self) -> String {
        let (shape, view) = (self.card.input, self.card.view);
        let size = |height, width| format!("{height}x{width} pixels (height x width)");
        let input = size(shape.height, shape.width);
        let upright = "turn the image upright (EXIF), composite transparent parts onto white";
        let how = "with antialiased bilinear interpolation";
        match view.fit {
            Fit::Stretch => format!("{upright}; resize it to {input} {how}"),
            Fit::Crop => {
                let covered = size(
                    enlarged(shape.height, view.centre),
                    enlarged(shape.width, view.centre),
                );
                format!(
                    "{upright}; resize it, keeping the aspect ratio, to just cover {covered}, {how}; centre-crop to {input}"
                )
            }
            Fit::Pad => format!(
                "{upright}; resize it, keeping the aspect ratio, to fit into {input}, {how}; centre it on the median colour of its border"
            ),
            Fit::Letter => format!(
                "{input}, one letter as kiln cuts it out of a photograph and redraws it (model.view \"letter\")"
            ),
        }
    }
}

/// `logits / 1.5`, or only `logits` where they are not scaled.
pub fn scaled(logits: &str, temperature: f64) -> String {
    if temperature == UNCALIBRATED {
        logits.to_string()
    } else {
        format!("{logits} / {temperature}")
    }
}

/// JSON in one line, floats with as few digits as tell them apart.
fn to_json(value: &impl Serialize) -> String {
    // Only maps whose keys are not texts and types that refuse can fail; there are none here.
    serde_json::to_string(value).unwrap_or_default()
}
