//! Compares gradients with differences of the loss, entry by entry.

use std::collections::BTreeSet;

use super::report::{Entry, Report, TensorReport};
use super::subject::{Slopes, Subject, Variable};
use crate::diagnostics::error::GradcheckError;
use crate::rng;

/// Steps of the differences, for values up to 1 (those of larger values are proportional). The first is the course's: its own
/// error, of the order of its square, is negligible beside the rounding of the loss, about 1e-16 of the loss divided by the step.
/// A longer step would cross kinks more often: SqueezeNet has over two million ReLUs for one photograph, and with 1e-5 a third of
/// its entries had to be tried again, some without success. The second is for entries that cross a kink all the same; rounding
/// weighs ten times as much.
const STEPS: [f64; 2] = [1e-6, 1e-7];

/// A longer step, for entries that fail with both: in a deep network whose batch norms have few values (a batch of two, maps of 2x2),
/// the rounding of the loss is amplified a thousand times, and outweighs a gradient of zero.
const LONG_STEP: f64 = 1e-5;

/// For gradients smaller than this fraction of the loss the absolute error counts: a bias in front of a batch norm has a gradient of
/// zero, and what rounding leaves of it is not an error: about 1e-9 of the loss with the second step, 1e-6 of this.
const FLOOR: f64 = 1e-3;

/// Mixed into the seed of the choice of entries.
const ENTRIES: u64 = 3;

/// How many entries are checked, and how large an error may be.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Tensors of up to this many values are checked completely.
    pub complete: usize,
    /// Entries of each larger tensor.
    pub samples: usize,
    /// Largest error `|a - n| / max(|a|, |n|, floor)`.
    pub tolerance: f64,
    /// Seeds the choice of entries.
    pub seed: u64,
}

/// The progress of a check.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The tensor that is being checked.
    pub tensor: &'a str,
    /// Entries that are done ...
    pub done: usize,
    /// ... of all.
    pub total: usize,
}

/// Checks gradients of a subject against differences of its loss; `watch` is called after every entry. The gradients come from a
/// function, so that a test can pass wrong ones.
///
/// # Errors
/// The loss is not finite or not in 64-bit floats, a gradient is missing, or the device fails.
pub fn check(
    subject: &Subject,
    options: Options,
    gradients: impl FnOnce(&Subject) -> Slopes,
    mut watch: impl FnMut(Progress),
) -> Result<Report, GradcheckError> {
    let loss = subject.loss()?;
    if !loss.is_finite() {
        return Err(GradcheckError::NotFinite(loss));
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
        let has_shape = |slopes: &&Vec<f64>| slopes.len() == variable.values.len();
        let Some(slopes) = slopes.get(&variable.name).filter(has_shape) else {
            return Err(GradcheckError::Tensor {
                tensor: variable.name.clone(),
                problem: "its gradient is missing or has the wrong shape",
            });
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

/// Positions of the entries to check: all, or a seeded choice.
fn entries(variable: &Variable, options: Options) -> Vec<usize> {
    let count = variable.values.len();
    if count <= options.complete.max(options.samples) {
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

/// The check of one tensor.
struct Probe<'a> {
    subject: &'a Subject,
    variable: &'a Variable,
    /// The loss at the unchanged weights.
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
    ) -> Result<TensorReport, GradcheckError> {
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
            return Err(GradcheckError::Tensor {
                tensor: self.variable.name.clone(),
                problem: "it has no values to check",
            });
        };
        let largest = slopes
            .iter()
            .fold(0.0f64, |most, slope| most.max(slope.abs()));
        Ok(TensorReport {
            name: self.variable.name.clone(),
            shape: as_in_files(self.variable.shape.clone(), self.variable),
            checked: entries.len(),
            retried,
            largest,
            worst,
        })
    }

    /// The entry by the best difference, and whether the first was not enough.
    fn entry(&self, place: usize, gradient: f64) -> Result<(Entry, bool), GradcheckError> {
        let entry = |difference: f64| {
            let size = gradient.abs().max(difference.abs()).max(self.floor);
            Entry {
                at: as_in_files(position(place, &self.variable.shape), self.variable),
                gradient,
                difference,
                error: (gradient - difference).abs() / size,
            }
        };
        let mut best = entry(self.difference(place, Points::BothSides, STEPS[0])?);
        if best.agrees(self.tolerance) {
            return Ok((best, false));
        }
        let [first, second] = STEPS;
        let others = [
            (Points::OneSide, first),
            (Points::OneSide, -first),
            (Points::BothSides, second),
            (Points::OneSide, second),
            (Points::OneSide, -second),
            (Points::BothSides, LONG_STEP),
        ];
        for (points, step) in others {
            let found = entry(self.difference(place, points, step)?);
            if found.error.total_cmp(&best.error).is_lt() {
                best = found;
            }
            if best.agrees(self.tolerance) {
                break;
            }
        }
        Ok((best, true))
    }

    /// The derivative at one entry; a negative step goes to the left.
    fn difference(&self, place: usize, points: Points, step: f64) -> Result<f64, GradcheckError> {
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

    /// By how much an entry was really changed, after rounding, and the loss there.
    fn moved(&self, place: usize, step: f64) -> Result<(f64, f64), GradcheckError> {
        let mut values = self.variable.values.clone();
        let value = values[place];
        values[place] = value + step * value.abs().max(1.0);
        let by = values[place] - value;
        Ok((by, self.subject.loss_with(self.variable, &values)?))
    }
}

/// The points at which the loss is computed. Both kinds have an error of the order of the square of the step.
#[derive(Clone, Copy)]
enum Points {
    /// `(f(x + h) - f(x - h)) / 2h`
    BothSides,
    /// `(4 f(x + h) - f(x + 2h) - 3 f(x)) / 2h`
    OneSide,
}

/// The position of an entry in its tensor.
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

/// A shape or a position as in files.
fn as_in_files(mut sides: Vec<usize>, variable: &Variable) -> Vec<usize> {
    if variable.is_transposed {
        sides.reverse();
    }
    sides
}
