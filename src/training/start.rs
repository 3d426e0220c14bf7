//! Where a run starts: before its first epoch, or after a checkpoint.

use burn::prelude::*;

use super::checkpoint::{Checkpoint, Header, Parts};
use super::epochs::history::History;
use super::optimization::average::Average;
use super::prepare::Prepared;
use super::step::TrainState;
use crate::error::FileError;

/// The state of a run before it trains.
pub struct Start {
    /// The header of its checkpoints.
    pub header: Header,
    /// The epochs that are done.
    pub history: History,
    /// Network, optimizer, schedule and average.
    pub state: TrainState,
}

impl Start {
    /// The start of a new run.
    pub fn new(prepared: &Prepared) -> Self {
        let state = prepared.train_state();
        let decay = prepared.experiment.training.ema;
        let average = decay.map(|decay| Average::new(&state.model().network, decay));
        Self {
            header: Header::new(&prepared.experiment, prepared.data_sha256()),
            history: History::default(),
            state: state.with_average(average),
        }
    }

    /// The start of a resumed run, as yet without the optimizer; see [`restore`](Self::restore).
    ///
    /// # Errors
    /// Weights of the checkpoint do not match the network.
    pub fn resumed(prepared: &Prepared, checkpoint: &Checkpoint) -> Result<Self, FileError> {
        let start = Self::new(prepared);
        let network = &prepared.network;
        let progress = checkpoint.header.progress.clone();
        let average = match (
            prepared.experiment.training.ema,
            checkpoint.average(network)?,
        ) {
            (Some(decay), Some(average)) => {
                Some(Average::resumed(average, decay, progress.average_steps))
            }
            _ => None,
        };
        let kept = match (checkpoint.kept(network)?, &average) {
            (Some(kept), _) => kept,
            (None, Some(average)) => average.network(),
            (None, None) => network.valid(),
        };
        let kept = progress.kept.map(|epoch| (epoch, kept));
        let state = match average {
            Some(average) => start.state.with_average(Some(average)),
            None => start.state,
        };
        Ok(Self {
            header: start.header,
            history: History::resumed(progress, kept),
            state,
        })
    }

    /// Takes over optimizer and schedule of the checkpoint.
    pub fn restore(self, parts: Parts) -> Self {
        Self {
            state: self.state.resumed(parts.optimizer, parts.schedule),
            ..self
        }
    }
}
