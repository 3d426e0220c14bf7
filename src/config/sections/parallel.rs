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
    /// The samples of a process, as if each had a smaller batch. The running statistics are averaged after every epoch.
    #[default]
    Local,
    /// The whole batch, as one process has them; only with the backend `flex`.
    Sync,
}

impl Default for ParallelConfig {
    fn default() -> Self {
        Self {
            ranks: 1,
            batch_norm: BatchNormScope::Local,
            timeout_s: 600,
        }
    }
}

impl ParallelConfig {
    /// Whether nothing is set: such a section is left out of files.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
