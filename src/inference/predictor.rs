//! What classifies image files, whatever runs it.

use image::DynamicImage;

use super::classifier::Classifier;
use super::error::ModelError;

/// A classifier of image files.
pub trait Predictor {
    /// The values of an image of any size: `[channels, height, width]` in [0, 1], in the size that the classifier takes.
    fn sample(&self, image: DynamicImage) -> Vec<f32>;

    /// Probabilities of `count` such images, `[count][classes]`.
    ///
    /// # Errors
    /// The device fails, or the model.
    fn probabilities(&self, pixels: Vec<f32>, count: usize) -> Result<Vec<Vec<f32>>, ModelError>;

    /// The name of a class, by its index in the probabilities.
    fn class_name(&self, class: usize) -> String;
}

impl Predictor for Classifier {
    fn sample(&self, image: DynamicImage) -> Vec<f32> {
        self.card().sample(image)
    }

    fn probabilities(&self, pixels: Vec<f32>, count: usize) -> Result<Vec<Vec<f32>>, ModelError> {
        Classifier::probabilities(self, pixels, count)
    }

    fn class_name(&self, class: usize) -> String {
        self.card().classes.get(class).cloned().unwrap_or_default()
    }
}
