//! The networks of a checkpoint: its records become weights again.

use burn::prelude::*;
use burn::store::ModuleRecord;

use super::contents::Checkpoint;
use super::format::unusable;
use crate::config::LossConfig;
use crate::error::{FileError, one_line};
use crate::models::Network;
use crate::training::train_model::TrainModel;

impl Checkpoint {
    /// The network in training, with the layers of `fresh`.
    ///
    /// # Errors
    /// The weights do not match the layers.
    pub fn network(&self, fresh: Network, loss: &LossConfig) -> Result<Network, FileError> {
        let model = TrainModel::new(fresh, loss);
        let loaded = model.try_load_record(self.parts.model.clone());
        Ok(loaded.map_err(|error| self.mismatch(error))?.network)
    }

    /// The running average of the weights, ready for inference, with the layers of `network`.
    ///
    /// # Errors
    /// The weights do not match the layers.
    pub fn average(&self, network: &Network) -> Result<Option<Network>, FileError> {
        self.for_inference(network, self.parts.average.as_ref())
    }

    /// The weights that were kept at an earlier epoch, ready for inference, with the layers of `network`.
    ///
    /// # Errors
    /// The weights do not match the layers.
    pub fn kept(&self, network: &Network) -> Result<Option<Network>, FileError> {
        self.for_inference(network, self.parts.kept.as_ref())
    }

    fn for_inference(
        &self,
        network: &Network,
        record: Option<&ModuleRecord>,
    ) -> Result<Option<Network>, FileError> {
        let Some(record) = record else {
            return Ok(None);
        };
        let loaded = network.valid().try_load_record(record.clone());
        loaded.map(Some).map_err(|error| self.mismatch(error))
    }

    fn mismatch(&self, error: impl std::fmt::Display) -> FileError {
        let problem = format!("the weights do not match the network ({})", one_line(error));
        unusable(&self.path, problem)
    }
}
