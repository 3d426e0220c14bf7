//! What a model says about an image, as `kiln predict --json` and the server write it.

use serde::Serialize;

use super::predictor::Predictor;

/// The most probable classes of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
pub struct Prediction {
    /// The image's name, as the user gave it.
    pub image: String,
    /// The most probable classes, best first.
    pub guesses: Vec<ClassGuess>,
}

/// A class that an image may be of.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "app", derive(schemars::JsonSchema))]
pub struct ClassGuess {
    /// The class's name.
    pub class: String,
    /// Its probability, in [0, 1].
    pub confidence: f32,
}

impl Prediction {
    /// The `guesses` most probable classes of `probabilities`, one for each class of the predictor. Equal ones stay in the order of the
    /// classes.
    pub fn new(
        image: String,
        probabilities: &[f32],
        predictor: &dyn Predictor,
        guesses: usize,
    ) -> Self {
        let mut classes: Vec<(usize, f32)> = probabilities.iter().copied().enumerate().collect();
        classes.sort_by(|a, b| b.1.total_cmp(&a.1));
        let best = classes.into_iter().take(guesses);
        let guesses = best.map(|(class, confidence)| ClassGuess {
            class: predictor.class_name(class),
            confidence,
        });
        let guesses = guesses.collect();
        Self { image, guesses }
    }

    /// Several predictions as indented JSON, which ends with a line break.
    ///
    /// # Errors
    /// The JSON can't be written.
    pub fn to_json(predictions: &[Prediction]) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(predictions)? + "\n")
    }
}
