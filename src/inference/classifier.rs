//! A network with its weights and its card, ready to answer.

use std::sync::{Arc, OnceLock};

use burn::prelude::*;

use super::card::{ModelCard, softmax};
use super::error::ModelError;
use super::input::to_input;
use super::plan::{ComputePrecision, Plan, Profile};
use crate::fitting::View;
use crate::kernels;
use crate::models::{ActivationMap, Network, Task};

/// Images that go through the network at once: enough to keep all cores busy, little memory.
pub const BATCH: usize = 256;

/// A network with its weights, ready to answer; a clone shares the weights.
#[derive(Clone)]
pub struct Classifier {
    network: Network,
    card: ModelCard,
    device: Device,
    /// Made when it is first used; `None` inside where the network has none.
    plan: Arc<OnceLock<Option<Plan>>>,
    precision: ComputePrecision,
}

impl Classifier {
    /// Takes a trained network; dropout and batch statistics are switched to inference.
    pub fn new(network: &Network, card: ModelCard, device: &Device) -> Self {
        Self {
            network: network.valid(),
            card,
            device: device.clone().inner(),
            plan: Arc::default(),
            precision: ComputePrecision::F32,
        }
    }

    /// The same classifier with another temperature.
    pub fn with_temperature(mut self, temperature: f64) -> Self {
        self.card.temperature = temperature;
        self
    }

    /// The same classifier with products in another precision.
    ///
    /// # Errors
    /// [`ModelError::Precision`]: it has no [`Plan`], which alone knows others than 32 bits.
    pub fn with_precision(mut self, precision: ComputePrecision) -> Result<Self, ModelError> {
        self.precision = precision;
        self.plan = Arc::default();
        if precision != ComputePrecision::F32 && self.plan().is_none() {
            return Err(ModelError::Precision);
        }
        Ok(self)
    }

    /// In which precision its products are made.
    pub fn precision(&self) -> ComputePrecision {
        self.precision
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
    ///
    /// # Errors
    /// The device fails.
    pub fn outputs(&self, pixels: Vec<f32>, count: usize) -> Result<Vec<Vec<f32>>, ModelError> {
        let outputs = self.flat_outputs(&pixels, count)?;
        Ok(rows(&outputs, count))
    }

    /// [`outputs`](Self::outputs), one image after the other.
    ///
    /// # Errors
    /// The device fails.
    pub fn flat_outputs(&self, pixels: &[f32], count: usize) -> Result<Vec<f32>, ModelError> {
        let card = &self.card;
        let normalize = card.normalize.as_ref();
        if let Some(plan) = self.plan() {
            return Ok(plan.run(pixels, count, normalize));
        }
        let values = card.input.values();
        let mut outputs = Vec::new();
        for chunk in pixels.chunks(BATCH * values) {
            let count = chunk.len() / values;
            let input = to_input(chunk.to_vec(), count, card.input, normalize, &self.device);
            let output = self.network.forward(input).try_into_data();
            let output = output.map_err(|error| ModelError::Device(error.to_string()))?;
            outputs.extend(output.iter::<f32>());
        }
        Ok(outputs)
    }

    /// Packs its weights now instead of at its first answer; nothing where it has no [`Plan`].
    pub fn prepare(&self) {
        self.plan();
    }

    /// The times of the steps of its [`Plan`] for `count` images in [0, 1]; `None` if it has none.
    pub fn profile(&self, pixels: &[f32], count: usize) -> Option<Profile> {
        let normalize = self.card.normalize.as_ref();
        Some(self.plan()?.profile(pixels, count, normalize))
    }

    /// A classifier's probabilities of `count` images in [0, 1], `[count][classes]`, at its temperature; each row adds up to 1.
    ///
    /// # Errors
    /// The device fails.
    pub fn probabilities(
        &self,
        pixels: Vec<f32>,
        count: usize,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let temperature = self.card.temperature as f32;
        let rows = self.outputs(pixels, count)?.into_iter();
        Ok(rows.map(|row| softmax(row, temperature)).collect())
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

    /// The network as a plan, where the kernels compute and it has one.
    fn plan(&self) -> Option<&Plan> {
        let make = || {
            let card = &self.card;
            let nodes = card.model.nodes(card.input, card.classes.len()).ok()?;
            Plan::new(&self.network, &nodes, card.input, self.precision)
        };
        if !kernels::supported(&self.device) {
            return None;
        }
        self.plan.get_or_init(make).as_ref()
    }
}

/// The outputs of each of `count` images.
fn rows(outputs: &[f32], count: usize) -> Vec<Vec<f32>> {
    let width = outputs.len() / count.max(1);
    outputs.chunks(width.max(1)).map(<[f32]>::to_vec).collect()
}
