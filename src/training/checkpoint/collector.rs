//! Burn's learner hands out weights, optimizer and schedule one by one; here they become one checkpoint.
//!
//! Comes in: after each epoch what the run remembers ([`Assembly::begin`]) and then, each on a thread of Burn's, the learner's
//! three records. Goes out: with the last of them a file ([`checkpoint`]), written while the next epoch trains. The
//! checkpoints of the best, the last and the last but one epoch are kept: each is enough to go on, and the older ones are
//! there in case that the last one is damaged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::lr_scheduler::LrSchedulerRecord;
use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use burn::train::checkpoint::{
    Checkpointer, CheckpointerError, CheckpointingAction, CheckpointingStrategy,
};
use burn::train::metric::store::EventStoreClient;

use super::format::{self as checkpoint, Header, Parts, Progress};
use crate::error::FileError;
use crate::run_dir::RunDir;

/// What burn-train is told; what it was is asked of the [`Assembly`].
const FAILED: &str = "the checkpoint can't be written";

/// What is there of a checkpoint so far.
#[derive(Default)]
struct Pending {
    progress: Option<Progress>,
    average: Option<ModuleRecord>,
    kept: Option<ModuleRecord>,
    model: Option<ModuleRecord>,
    optimizer: Option<OptimizerRecord>,
    schedule: Option<LrSchedulerRecord>,
}

impl Pending {
    /// The whole, if it is one.
    fn complete(&mut self) -> Option<(Progress, Parts)> {
        let there = self.model.is_some() && self.optimizer.is_some() && self.schedule.is_some();
        if !there {
            return None;
        }
        let parts = Parts {
            model: self.model.take()?,
            optimizer: self.optimizer.take()?,
            schedule: self.schedule.take()?,
            average: self.average.take(),
            kept: self.kept.take(),
        };
        Some((self.progress.take()?, parts))
    }
}

/// Where the parts of checkpoints meet.
pub struct Assembly {
    run_dir: RunDir,
    header: Header,
    pending: Mutex<BTreeMap<usize, Pending>>,
    failure: Mutex<Option<FileError>>,
    /// What the learner is to go on from.
    restored: Mutex<Pending>,
}

impl Assembly {
    /// For a run that goes on from `restored`, if it does not begin.
    pub fn new(run_dir: &RunDir, header: Header, restored: Option<Parts>) -> Self {
        let restored = restored.map_or_else(Pending::default, |parts| Pending {
            model: Some(parts.model),
            optimizer: Some(parts.optimizer),
            schedule: Some(parts.schedule),
            ..Pending::default()
        });
        Self {
            run_dir: run_dir.clone(),
            header,
            pending: Mutex::default(),
            failure: Mutex::default(),
            restored: Mutex::new(restored),
        }
    }

    /// What the run remembers after an epoch; the learner's records are to follow.
    pub fn begin(
        &self,
        progress: Progress,
        average: Option<ModuleRecord>,
        kept: Option<ModuleRecord>,
    ) {
        let epoch = progress.epochs.len();
        let mut pending = lock(&self.pending);
        let place = pending.entry(epoch).or_default();
        place.progress = Some(progress);
        place.average = average;
        place.kept = kept;
    }

    /// Why a checkpoint could not be written, if one could not.
    pub fn failure(&self) -> Option<FileError> {
        lock(&self.failure).take()
    }

    /// Takes a part; the last one of an epoch writes the file.
    fn put(&self, epoch: usize, place: impl FnOnce(&mut Pending)) -> Result<(), CheckpointerError> {
        let whole = {
            let mut pending = lock(&self.pending);
            let of_epoch = pending.entry(epoch).or_default();
            place(of_epoch);
            let whole = of_epoch.complete();
            if whole.is_some() {
                pending.remove(&epoch);
            }
            whole
        };
        let Some((progress, parts)) = whole else {
            return Ok(());
        };
        let best = progress.best.map(|(best, _)| best);
        let header = Header {
            progress,
            ..self.header.clone()
        };
        let path = checkpoint::path_of(&self.run_dir, epoch);
        match checkpoint::write(&path, header, parts) {
            Ok(()) => {
                self.clear(epoch, best);
                Ok(())
            }
            Err(error) => {
                *lock(&self.failure) = Some(error);
                Err(CheckpointerError::Unknown(FAILED.into()))
            }
        }
    }

    /// Removes the checkpoints that are not needed once that of `epoch` is there. Those of later epochs, from before the run went
    /// back, stay until they are written anew.
    fn clear(&self, epoch: usize, best: Option<usize>) {
        let earlier = checkpoint::epochs(&self.run_dir).into_iter();
        let earlier: Vec<usize> = earlier.filter(|&other| other < epoch).collect();
        let outdated = earlier.split_last().map_or(&[][..], |(_, others)| others);
        for &outdated in outdated.iter().filter(|&&other| Some(other) != best) {
            // One that can't be removed takes room and does no other harm.
            let _ = std::fs::remove_file(checkpoint::path_of(&self.run_dir, outdated));
        }
    }

    fn restore<R>(
        &self,
        part: impl FnOnce(&mut Pending) -> Option<R>,
    ) -> Result<R, CheckpointerError> {
        let part = part(&mut lock(&self.restored));
        part.ok_or_else(|| CheckpointerError::Unknown("nothing to go on from".into()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An [`Assembly`] as the learner knows it, once for each kind of record.
#[derive(Clone)]
pub struct Share(pub Arc<Assembly>);

impl Checkpointer<ModuleRecord> for Share {
    fn save(&self, epoch: usize, record: ModuleRecord) -> Result<(), CheckpointerError> {
        self.0.put(epoch, |pending| pending.model = Some(record))
    }

    fn delete(&self, _epoch: usize) -> Result<(), CheckpointerError> {
        Ok(())
    }

    fn restore(&self, _epoch: usize) -> Result<ModuleRecord, CheckpointerError> {
        self.0.restore(|restored| restored.model.take())
    }
}

impl Checkpointer<OptimizerRecord> for Share {
    fn save(&self, epoch: usize, record: OptimizerRecord) -> Result<(), CheckpointerError> {
        self.0
            .put(epoch, |pending| pending.optimizer = Some(record))
    }

    fn delete(&self, _epoch: usize) -> Result<(), CheckpointerError> {
        Ok(())
    }

    fn restore(&self, _epoch: usize) -> Result<OptimizerRecord, CheckpointerError> {
        self.0.restore(|restored| restored.optimizer.take())
    }
}

impl Checkpointer<LrSchedulerRecord> for Share {
    fn save(&self, epoch: usize, record: LrSchedulerRecord) -> Result<(), CheckpointerError> {
        self.0.put(epoch, |pending| pending.schedule = Some(record))
    }

    fn delete(&self, _epoch: usize) -> Result<(), CheckpointerError> {
        Ok(())
    }

    fn restore(&self, _epoch: usize) -> Result<LrSchedulerRecord, CheckpointerError> {
        self.0.restore(|restored| restored.schedule.take())
    }
}

/// A checkpoint after every epoch; what is outdated the [`Assembly`] removes once the new one is on the disk.
pub struct EveryEpoch;

impl CheckpointingStrategy for EveryEpoch {
    fn checkpointing(
        &mut self,
        _epoch: usize,
        _store: &EventStoreClient,
    ) -> Vec<CheckpointingAction> {
        vec![CheckpointingAction::Save]
    }
}
