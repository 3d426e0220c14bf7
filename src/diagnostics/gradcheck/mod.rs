//! Gradients against differences of the loss: whether autodiff, kiln's kernels and the loss belong together.
//!
//! Comes in: a [`Subject`], which is the network and the loss of an experiment at a made-up batch, in 64-bit floats. Goes out:
//! a [`Report`] with the worst error of each trainable tensor. The gradients come through a function, so that a test can hand
//! in broken ones. It needs no data files, and a process of its own: the float type of a device is set once.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::rng;
use crate::training::TrainError;

mod subject;

pub use subject::{Slopes, Subject, Variable};

/// Distances of the points at which the loss is taken, for values up to 1 (larger ones are moved in proportion). The first is
/// the course's: the difference's own error, of the order of the square, is nothing beside the rounding of the loss, about
/// 1e-16 of it by the step. A longer one would cross kinks more often: SqueezeNet has over two million ReLUs for one photograph, and
/// with 1e-5 a third of its entries had to be tried again, some without success. The second is for what crosses one all the
/// same; rounding weighs ten times as much.
const STEPS: [f64; 2] = [1e-6, 1e-7];

/// Gradients smaller than this share of the loss are held to an absolute error: a bias in front of a batch norm has none, and
/// what rounding leaves of it is no error: about 1e-9 of the loss with the second step, 1e-6 of this.
const FLOOR: f64 = 1e-3;

/// Tensors of up to so many values are checked in all of them.
const ALL: usize = 64;

/// What the seed of the entries is for.
const ENTRIES: u64 = 3;

/// How much is checked, and how well it has to agree.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Entries of a tensor that is too large to check all of it.
    pub samples: usize,
    /// Largest error `|a - n| / max(|a|, |n|, floor)`.
    pub tolerance: f64,
    /// Seeds the choice of entries.
    pub seed: u64,
}

/// What the check of one tensor found.
#[derive(Debug, Clone, Serialize)]
pub struct TensorReport {
    /// As in `model.safetensors`.
    pub name: String,
    /// As in `model.safetensors`: fully connected weights are `[out, in]`.
    pub shape: Vec<usize>,
    /// Entries that were checked.
    pub checked: usize,
    /// Entries that the first difference was not enough for; see [`Report`].
    pub retried: usize,
    /// Largest absolute value of the whole gradient.
    pub largest: f64,
    /// The worst entry.
    pub worst: Entry,
}

/// One entry of a gradient.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Its place in [`TensorReport::shape`].
    pub at: Vec<usize>,
    /// Of autodiff.
    pub gradient: f64,
    /// Of the loss at two points.
    pub difference: f64,
    /// `|gradient - difference| / max(|gradient|, |difference|, floor)`; not finite where one of them is not.
    pub error: f64,
}

/// What a check found.
///
/// Where a ReLU or a max pool changes its mind between the points of a difference, the difference is wrong, not the gradient.
/// An entry that is off is therefore tried again: with the points on either side alone (the kink is seldom on both), and with
/// a smaller step; the smallest error counts. All of these tend to the same derivative, so a gradient that is wrong is off
/// with each of them.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The loss at the point.
    pub loss: f64,
    /// The absolute floor of the errors.
    pub floor: f64,
    /// Largest error that passes.
    pub tolerance: f64,
    /// In the order of the layers.
    pub tensors: Vec<TensorReport>,
}

impl Report {
    /// The tensor with the largest error.
    pub fn worst(&self) -> Option<&TensorReport> {
        self.tensors
            .iter()
            .max_by(|a, b| a.worst.error.total_cmp(&b.worst.error))
    }

    /// Whether every error is within the tolerance.
    pub fn passed(&self) -> bool {
        self.failed().next().is_none()
    }

    /// The tensors with an error above the tolerance.
    pub fn failed(&self) -> impl Iterator<Item = &TensorReport> {
        let tensors = self.tensors.iter();
        tensors.filter(|tensor| !agrees(&tensor.worst, self.tolerance))
    }

    /// What an absolute error has to stay below to pass.
    pub fn visible(&self) -> f64 {
        self.tolerance * self.floor
    }

    /// The tensors whose whole gradient is smaller than a visible error: the check says that it is about zero, no more.
    pub fn vanishing(&self) -> impl Iterator<Item = &TensorReport> {
        let tensors = self.tensors.iter();
        tensors.filter(|tensor| tensor.largest < self.visible())
    }

    /// Entries that were checked.
    pub fn checked(&self) -> usize {
        self.tensors.iter().map(|tensor| tensor.checked).sum()
    }

    /// Entries that were tried again.
    pub fn retried(&self) -> usize {
        self.tensors.iter().map(|tensor| tensor.retried).sum()
    }
}

/// What is done of a check.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The tensor that is being checked.
    pub tensor: &'a str,
    /// Entries that are done ...
    pub done: usize,
    /// ... of all.
    pub total: usize,
}

/// Holds `gradients` of the subject against central differences; `watch` is told after every entry.
pub fn check(
    subject: &Subject,
    options: Options,
    gradients: impl FnOnce(&Subject) -> Slopes,
    mut watch: impl FnMut(Progress),
) -> Result<Report, TrainError> {
    let loss = subject.loss()?;
    if !loss.is_finite() {
        let text = format!("the loss is {loss}, which has no gradient");
        return Err(TrainError::Stopped(text));
    }
    let slopes = gradients(subject);
    let floor = FLOOR * loss.abs();
    let chosen: Vec<(&Variable, Vec<usize>)> = subject
        .variables()
        .iter()
        .map(|variable| (variable, entries(variable, options)))
        .collect();
    let total = chosen.iter().map(|(_, entries)| entries.len()).sum();
    let mut done = 0;
    let mut tensors = Vec::new();
    for (variable, entries) in chosen {
        let fits = |slopes: &&Vec<f64>| slopes.len() == variable.values.len();
        let Some(slopes) = slopes.get(&variable.name).filter(fits) else {
            let text = format!("{}: no gradient of its shape was handed in", variable.name);
            return Err(TrainError::Stopped(text));
        };
        let probe = Probe {
            subject,
            variable,
            loss,
            floor,
            tolerance: options.tolerance,
        };
        let tensor = probe.tensor(slopes, &entries, || {
            done += 1;
            watch(Progress {
                tensor: &variable.name,
                done,
                total,
            });
        })?;
        tensors.push(tensor);
    }
    Ok(Report {
        loss,
        floor,
        tolerance: options.tolerance,
        tensors,
    })
}

/// The entries to check: all, or a seeded choice.
fn entries(variable: &Variable, options: Options) -> Vec<usize> {
    let count = variable.values.len();
    if count <= ALL.max(options.samples) {
        return (0..count).collect();
    }
    let mut rng = rng::seeded(&[options.seed, ENTRIES, rng::hash_name(&variable.name)]);
    let mut chosen = BTreeSet::new();
    while chosen.len() < options.samples {
        let at = (f64::from(rng::uniform(&mut rng)) * count as f64) as usize;
        chosen.insert(at.min(count - 1));
    }
    chosen.into_iter().collect()
}

/// Whether an error passes; one that is no number does not.
fn agrees(entry: &Entry, tolerance: f64) -> bool {
    entry.error <= tolerance
}

/// The check of one tensor.
struct Probe<'a> {
    subject: &'a Subject,
    variable: &'a Variable,
    /// Where the variables stand.
    loss: f64,
    floor: f64,
    tolerance: f64,
}

impl Probe<'_> {
    fn tensor(
        &self,
        slopes: &[f64],
        entries: &[usize],
        mut watch: impl FnMut(),
    ) -> Result<TensorReport, TrainError> {
        let mut retried = 0;
        let mut worst: Option<Entry> = None;
        for &place in entries {
            let (entry, again) = self.entry(place, slopes[place])?;
            retried += usize::from(again);
            let is_worse = |than: &Entry| than.error.total_cmp(&entry.error).is_lt();
            if worst.as_ref().is_none_or(is_worse) {
                worst = Some(entry);
            }
            watch();
        }
        let Some(worst) = worst else {
            let text = format!("{}: has no values to check", self.variable.name);
            return Err(TrainError::Stopped(text));
        };
        let largest = slopes
            .iter()
            .fold(0.0f64, |most, slope| most.max(slope.abs()));
        Ok(TensorReport {
            name: self.variable.name.clone(),
            shape: as_in_files(&self.variable.shape),
            checked: entries.len(),
            retried,
            largest,
            worst,
        })
    }

    /// The best of the differences, and whether the first was not enough.
    fn entry(&self, place: usize, gradient: f64) -> Result<(Entry, bool), TrainError> {
        let entry = |difference: f64| {
            let size = gradient.abs().max(difference.abs()).max(self.floor);
            Entry {
                at: as_in_files(&position(place, &self.variable.shape)),
                gradient,
                difference,
                error: (gradient - difference).abs() / size,
            }
        };
        let mut best = entry(self.difference(place, Points::BothSides, STEPS[0])?);
        if agrees(&best, self.tolerance) {
            return Ok((best, false));
        }
        let [first, second] = STEPS;
        let others = [
            (Points::OneSide, first),
            (Points::OneSide, -first),
            (Points::BothSides, second),
            (Points::OneSide, second),
            (Points::OneSide, -second),
        ];
        for (points, step) in others {
            let found = entry(self.difference(place, points, step)?);
            if found.error.total_cmp(&best.error).is_lt() {
                best = found;
            }
            if agrees(&best, self.tolerance) {
                break;
            }
        }
        Ok((best, true))
    }

    /// The slope at one entry; a negative step looks to the left.
    fn difference(&self, place: usize, points: Points, step: f64) -> Result<f64, TrainError> {
        let (near, at_near) = self.moved(place, step)?;
        match points {
            Points::BothSides => {
                let (opposite, at_opposite) = self.moved(place, -step)?;
                Ok((at_near - at_opposite) / (near - opposite))
            }
            Points::OneSide => {
                let (_, at_far) = self.moved(place, 2.0 * step)?;
                Ok((4.0 * (at_near - self.loss) - (at_far - self.loss)) / (2.0 * near))
            }
        }
    }

    /// How far an entry was really moved, rounding considered, and the loss there.
    fn moved(&self, place: usize, step: f64) -> Result<(f64, f64), TrainError> {
        let mut values = self.variable.values.clone();
        let value = values[place];
        values[place] = value + step * value.abs().max(1.0);
        let by = values[place] - value;
        Ok((by, self.subject.loss_with(self.variable, &values)?))
    }
}

/// Where the loss is taken for a difference. Both have an error of the order of the step's square.
#[derive(Clone, Copy)]
enum Points {
    /// `(f(x + h) - f(x - h)) / 2h`
    BothSides,
    /// `(4 f(x + h) - f(x + 2h) - 3 f(x)) / 2h`
    OneSide,
}

/// Where an entry stands in its tensor.
fn position(mut place: usize, shape: &[usize]) -> Vec<usize> {
    let mut at: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&side| {
            let here = place % side;
            place /= side;
            here
        })
        .collect();
    at.reverse();
    at
}

/// A shape or a position as files have it: fully connected weights, the only tensors of two dimensions, turned round.
fn as_in_files(sides: &[usize]) -> Vec<usize> {
    let mut sides = sides.to_vec();
    if sides.len() == 2 {
        sides.reverse();
    }
    sides
}
