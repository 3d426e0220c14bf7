//! Where the time of epochs goes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What an epoch consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for the next batch to be read, decoded and augmented.
    Waiting,
    /// Putting batches on the device.
    Uploading,
    /// The output of frozen layers.
    Frozen,
    /// Forward and backward pass.
    Passes,
    /// Exchanging gradients with other processes.
    Exchange,
    /// Optimizer, running average of the weights.
    Update,
    /// Metrics and display of steps.
    Metrics,
    /// Validation.
    Validation,
}

impl Phase {
    /// All, in the order of an epoch.
    pub const ALL: [Phase; 8] = [
        Phase::Waiting,
        Phase::Uploading,
        Phase::Frozen,
        Phase::Passes,
        Phase::Exchange,
        Phase::Update,
        Phase::Metrics,
        Phase::Validation,
    ];

    /// Whether it is part of a training step on a batch that is there.
    pub fn is_step(self) -> bool {
        matches!(
            self,
            Phase::Frozen | Phase::Passes | Phase::Exchange | Phase::Update
        )
    }
}

/// The time of each phase, epoch by epoch; clones share it. On a GPU, the times are those of handing work over.
#[derive(Debug, Clone, Default)]
pub struct Profile(Arc<Mutex<Epochs>>);

#[derive(Debug, Default)]
struct Epochs {
    present: [Duration; Phase::ALL.len()],
    done: Vec<EpochProfile>,
}

/// The time of an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochProfile {
    /// From its first batch to its checkpoint, which a thread of its own writes.
    pub whole: Duration,
    /// Training samples of this process.
    pub samples: usize,
    parts: [Duration; Phase::ALL.len()],
}

impl EpochProfile {
    /// The time of a phase.
    pub fn of(&self, phase: Phase) -> Duration {
        self.parts[phase as usize]
    }

    /// The time of everything else.
    pub fn rest(&self) -> Duration {
        self.whole.saturating_sub(self.parts.iter().sum())
    }
}

impl Profile {
    fn lock(&self) -> MutexGuard<'_, Epochs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends an epoch.
    pub(in crate::training) fn end_epoch(&self, whole: Duration, samples: usize) {
        let mut epochs = self.lock();
        let parts = std::mem::take(&mut epochs.present);
        epochs.done.push(EpochProfile {
            whole,
            samples,
            parts,
        });
    }

    /// The epochs that were completed.
    pub fn epochs(&self) -> Vec<EpochProfile> {
        self.lock().done.clone()
    }
}

/// Does something, and counts its time if there is a profile.
pub(in crate::training) fn timed<R>(
    profile: Option<&Profile>,
    phase: Phase,
    job: impl FnOnce() -> R,
) -> R {
    let Some(profile) = profile else {
        return job();
    };
    let began = Instant::now();
    let result = job();
    profile.lock().present[phase as usize] += began.elapsed();
    result
}
