//! A network with its weights and its card, ready to answer.

use burn::prelude::*;
use burn::tensor::activation::softmax;

use super::card::{ModelCard, UNCALIBRATED};
use super::error::ModelError;
use super::input::to_input;
use crate::fitting::View;
use crate::models::{ActivationMap, Network, Task};

/// Images that go through the network at once: enough to keep all cores busy, little memory.
pub const BATCH: usize = 256;

/// A network with its weights, ready to answer; a clone shares the weights.
#[derive(Clone)]
pub struct Classifier {
    network: Network,
    card: ModelCard,
    device: Device,
}

impl Classifier {
    /// Takes a trained network; dropout and batch statistics are switched to inference.
    pub fn new(network: &Network, card: ModelCard, device: &Device) -> Self {
        Self {
            network: network.valid(),
            card,
            device: device.clone().inner(),
        }
    }

    /// The same classifier with another temperature.
    pub fn with_temperature(mut self, temperature: f64) -> Self {
        self.card.temperature = temperature;
        self
    }

    /// The same classifier with different preprocessing.
    pub fn with_view(mut self, view: View) -> Self {
        self.card.view = view;
        self
    }

    /// What the model file says about itself.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The device that it computes on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What the network was trained to do.
    pub fn task(&self) -> Task {
        self.card.model.task()
    }

    /// The outputs for `count` images in [0, 1]: logits `[count][classes]`, or images `[count][values]` in [0, 1].
    pub fn outputs(&self, pixels: Vec<f32>, count: usize) -> Result<Vec<Vec<f32>>, ModelError> {
        self.answer(pixels, count, |output| output)
    }

    /// A classifier's probabilities of `count` images in [0, 1], `[count][classes]`, at its temperature; each row adds up to 1.
    pub fn probabilities(
        &self,
        pixels: Vec<f32>,
        count: usize,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let temperature = self.card.temperature;
        self.answer(pixels, count, |logits| {
            if temperature == UNCALIBRATED {
                softmax(logits, 1)
            } else {
                softmax(logits / temperature, 1)
            }
        })
    }

    /// Where an image in [0, 1] speaks for the class with this index; `None` where the network has no feature maps.
    ///
    /// # Errors
    /// The device fails.
    pub fn activation_map(
        &self,
        pixels: Vec<f32>,
        class: usize,
    ) -> Result<Option<ActivationMap>, ModelError> {
        let normalize = self.card.normalize.as_ref();
        let image = to_input(pixels, 1, self.card.input, normalize, &self.device);
        self.network
            .activation_map(image, class)
            .map_err(|error| ModelError::Device(error.to_string()))
    }

    fn answer(
        &self,
        pixels: Vec<f32>,
        count: usize,
        finish: impl Fn(Tensor<2>) -> Tensor<2>,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let values = self.card.input.values();
        let mut rows = Vec::with_capacity(count);
        for chunk in pixels.chunks(BATCH * values) {
            let input = to_input(
                chunk.to_vec(),
                chunk.len() / values,
                self.card.input,
                self.card.normalize.as_ref(),
                &self.device,
            );
            let output = finish(self.network.forward(input));
            let [_, width] = output.dims();
            let flat: Vec<f32> = output
                .try_into_data()
                .map_err(|error| ModelError::Device(error.to_string()))?
                .iter::<f32>()
                .collect();
            rows.extend(flat.chunks(width.max(1)).map(<[f32]>::to_vec));
        }
        Ok(rows)
    }
}
