//! The `parallel` section: several processes that train one run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Several processes, on one machine or many, that train the run together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ParallelConfig {
    /// Number of processes, each of which computes its share of every batch; more than one require `--features mpi`.
    #[schemars(range(min = 1, max = 1024))]
    pub ranks: usize,
    /// Number of parts in which a process computes its share, one after the other: less memory, the same batch.
    #[schemars(range(min = 1, max = 1024))]
    pub accumulate: usize,
    /// What the learning rate is multiplied by: `none`, `linear` or `sqrt`.
    pub lr_scaling: LrScaling,
    /// What batch norms take their statistics over in training: `local` or `sync`.
    pub batch_norm: BatchNormScope,
    /// Seconds after which a process that does not answer is given up, and the run with it.
    #[schemars(range(min = 1, max = 86_400))]
    pub timeout_s: u64,
}

/// What batch norms take their statistics over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum BatchNormScope {
    /// The samples that a process computes at a time, as if each had a smaller batch. The running statistics are averaged after every epoch.
    #[default]
    Local,
    /// Those of all processes, as one has them; only with the backend `flex`.
    Sync,
}

/// What the learning rate is multiplied by, for a rate that was found with `batch_size / (ranks x accumulate)` samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum LrScaling {
    /// Nothing: the rate is meant for the whole batch.
    #[default]
    None,
    /// `ranks x accumulate` (Goyal et al. 2017), for gradient descent.
    Linear,
    /// The root of `ranks x accumulate` (Krizhevsky 2014), for Adam.
    Sqrt,
}

impl Default for ParallelConfig {
    fn default() -> Self {
        Self {
            ranks: 1,
            accumulate: 1,
            lr_scaling: LrScaling::None,
            batch_norm: BatchNormScope::Local,
            timeout_s: 600,
        }
    }
}

impl ParallelConfig {
    /// Number of parts in which a batch is computed, one after the other or by others.
    pub fn parts(&self) -> usize {
        self.ranks.saturating_mul(self.accumulate)
    }

    /// What the learning rate is multiplied by.
    pub fn lr_factor(&self) -> f64 {
        let parts = self.parts() as f64;
        match self.lr_scaling {
            LrScaling::None => 1.0,
            LrScaling::Linear => parts,
            LrScaling::Sqrt => parts.sqrt(),
        }
    }

    /// Whether nothing is set: such a section is left out of files.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
