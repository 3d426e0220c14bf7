//! What classifies image files, whatever runs it.

use image::{DynamicImage, RgbImage};

use super::classifier::Classifier;
use super::error::ModelError;
use super::heat::heat_over;

/// A classifier of image files.
pub trait Predictor {
    /// The values of an image of any size: `[channels, height, width]` in [0, 1], in the size that the classifier takes.
    fn sample(&self, image: DynamicImage) -> Vec<f32>;

    /// Probabilities of `count` such images, `[count][classes]`.
    ///
    /// # Errors
    /// The device fails, or the model.
    fn probabilities(&self, pixels: Vec<f32>, count: usize) -> Result<Vec<Vec<f32>>, ModelError>;

    /// A picture of where such an image speaks for the class with this index; `None` if the model can't tell.
    ///
    /// # Errors
    /// The device fails.
    fn explain(&self, _pixels: &[f32], _class: usize) -> Result<Option<RgbImage>, ModelError> {
        Ok(None)
    }

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

    fn explain(&self, pixels: &[f32], class: usize) -> Result<Option<RgbImage>, ModelError> {
        let map = self.activation_map(pixels.to_vec(), class)?;
        Ok(map.and_then(|map| heat_over(self.card().input, pixels, &map)))
    }

    fn class_name(&self, class: usize) -> String {
        self.card().classes.get(class).cloned().unwrap_or_default()
    }
}
