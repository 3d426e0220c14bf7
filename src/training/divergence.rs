//! Divergence: when the loss is read back to see whether it is still finite, and which gradient to blame if it is not.

use burn::module::{ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::prelude::*;

use crate::config::Backend;
use crate::metrics::{self, EpochRecord, Outputs};
use crate::models::{Network, parameters};
use crate::read_back::{self, ASYNCHRONOUS_INTERVAL};

/// How often the loss is read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossCheck {
    /// After this many steps (at least 1), and at the end of the epoch. With 1, the gradients of a step that has diverged are
    /// still there, and are not applied.
    Every(usize),
    /// Not at all.
    Never,
}

impl LossCheck {
    /// At every step where values are in main memory anyway, at an interval on a GPU.
    pub fn for_backend(backend: Backend) -> Self {
        if backend.is_asynchronous() {
            Self::Every(ASYNCHRONOUS_INTERVAL)
        } else {
            Self::Every(1)
        }
    }
}

/// A step whose loss is not finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    /// The step of the epoch, counted from 1.
    pub step: usize,
    /// The learning rate of that step.
    pub learning_rate: f64,
    /// The largest gradient of that step, if it was still known.
    pub largest: Option<LargestGradient>,
}

/// Watches the losses of one epoch.
pub struct LossWatch {
    check: LossCheck,
    /// Steps so far.
    steps: usize,
    /// Losses that have not been read back yet.
    pending: Vec<PendingLoss>,
}

struct PendingLoss {
    step: usize,
    learning_rate: f64,
    loss: Tensor<1>,
}

impl LossWatch {
    /// A watch for an epoch that begins.
    pub fn new(check: LossCheck) -> Self {
        Self {
            check,
            steps: 0,
            pending: Vec::new(),
        }
    }

    /// Takes the loss `[1]` of the next step, and checks those that are due.
    ///
    /// # Errors
    /// The first step whose loss is not finite, without its gradients.
    pub fn take(&mut self, loss: &Tensor<1>, learning_rate: f64) -> Result<(), Divergence> {
        self.steps += 1;
        let LossCheck::Every(interval) = self.check else {
            return Ok(());
        };
        self.pending.push(PendingLoss {
            step: self.steps,
            learning_rate,
            loss: loss.clone().without_autodiff(),
        });
        if self.pending.len() < interval {
            return Ok(());
        }
        self.finish()
    }

    /// Checks the losses that are left, at the end of the epoch.
    ///
    /// # Errors
    /// The first step whose loss is not finite, without its gradients.
    pub fn finish(&mut self) -> Result<(), Divergence> {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return Ok(());
        }
        let losses = pending.iter().map(|pending| pending.loss.clone());
        // A device that fails reports it at the next step.
        let Ok(losses) = read_back::data(Tensor::cat(losses.collect(), 0)) else {
            return Ok(());
        };
        let mut checked = pending.iter().zip(losses.iter::<f64>());
        match checked.find(|(_, loss)| !loss.is_finite()) {
            None => Ok(()),
            Some((pending, _)) => Err(Divergence {
                step: pending.step,
                learning_rate: pending.learning_rate,
                largest: None,
            }),
        }
    }

    /// Steps so far.
    pub fn steps(&self) -> usize {
        self.steps
    }
}

/// The warning about a classifier whose training loss in its last epoch is above that of a uniform guess, `ln(classes)`: it has
/// diverged, though to finite numbers, or has not begun to learn. `None` for any other.
///
/// The training loss is the one robust sign. A guess has the same loss under label smoothing, class weights and any number of
/// samples per class. The accuracy of a guess varies with the split and its most frequent class, and the validation loss of a
/// good but overfitted network may be above a guess's.
pub fn no_better_than_a_guess(last: &EpochRecord, outputs: Outputs) -> Option<String> {
    let Outputs::Classes(classes) = outputs else {
        return None;
    };
    let (loss, guess) = (*last.train.get(metrics::LOSS.name)?, (classes as f64).ln());
    (loss > guess).then(|| {
        format!(
            "the training loss of the last epoch ({loss:.4}) is above that of a uniform guess among {classes} classes \
             ({guess:.4}): training has diverged or not begun to learn; lower optimizer.lr, or train longer"
        )
    })
}

/// The gradient value of a step with the largest absolute value, and where it is.
#[derive(Debug, Clone, PartialEq)]
pub struct LargestGradient {
    /// Name of the tensor, as in `model.safetensors`.
    pub name: String,
    /// Its largest absolute value; may be infinite or NaN.
    pub value: f64,
}

impl std::fmt::Display for LargestGradient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.value.is_finite() {
            write!(f, "largest gradient {:.1e} in {}", self.value, self.name)
        } else {
            write!(f, "largest gradient {} in {}", self.value, self.name)
        }
    }
}

/// The largest of a step's gradients, the first of equals. NaN counts as larger than infinity.
pub fn largest_gradient(network: &Network, gradients: &GradientsParams) -> Option<LargestGradient> {
    let mut search = Search {
        gradients,
        found: None,
    };
    network.visit(&mut search);
    let (id, value) = search.found?;
    let mut parameters = parameters::list(network).into_iter();
    let parameter = parameters.find(|parameter| parameter.id == id)?;
    Some(LargestGradient {
        name: parameter.name,
        value,
    })
}

struct Search<'a> {
    gradients: &'a GradientsParams,
    found: Option<(ParamId, f64)>,
}

impl ModuleVisitor for Search<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.get::<D>(param.id) else {
            return;
        };
        // A device that fails has reported it already.
        let Ok(data) = read_back::data(gradient) else {
            return;
        };
        // In the total order NaN comes last.
        let values = data.iter::<f32>().map(|value| f64::from(value.abs()));
        let Some(value) = values.max_by(f64::total_cmp) else {
            return;
        };
        let is_larger = |(_, other): (_, f64)| value.total_cmp(&other).is_gt();
        if self.found.is_none_or(is_larger) {
            self.found = Some((param.id, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes losses one by one; the number of the step at which an error came, and the error.
    fn watch(check: LossCheck, losses: &[f32]) -> Option<(usize, Divergence)> {
        let mut watch = LossWatch::new(check);
        for (step, &loss) in (1..).zip(losses) {
            let loss = Tensor::from_floats([loss], &Device::flex());
            if let Err(divergence) = watch.take(&loss, step as f64) {
                return Some((step, divergence));
            }
        }
        let end = watch.finish().err();
        end.map(|divergence| (losses.len(), divergence))
    }

    #[test]
    fn a_loss_that_is_not_finite_is_found_at_its_step_where_every_step_is_checked() {
        for bad in [f32::NAN, f32::INFINITY] {
            let (noticed, divergence) = watch(LossCheck::Every(1), &[1.0, bad, 1.0]).unwrap();
            assert_eq!((noticed, divergence.step), (2, 2));
            assert_eq!(divergence.learning_rate, 2.0);
        }
        assert_eq!(watch(LossCheck::Every(1), &[1.0, 0.0, 1e30]), None);
    }

    #[test]
    fn an_interval_notices_later_and_names_the_first_bad_step_and_its_rate() {
        let losses = [1.0, f32::NAN, f32::NAN, 1.0, 1.0];
        let (noticed, divergence) = watch(LossCheck::Every(4), &losses).unwrap();
        assert_eq!((noticed, divergence.step), (4, 2));
        assert_eq!(divergence.learning_rate, 2.0);
    }

    #[test]
    fn what_an_interval_has_left_is_checked_at_the_end_of_the_epoch() {
        let losses = [1.0, 1.0, 1.0, 1.0, f32::NAN];
        let (noticed, divergence) = watch(LossCheck::Every(4), &losses).unwrap();
        assert_eq!((noticed, divergence.step), (5, 5));
        assert_eq!(watch(LossCheck::Every(4), &losses[..4]), None);
    }

    #[test]
    fn nothing_is_noticed_where_nothing_is_checked() {
        assert_eq!(watch(LossCheck::Never, &[f32::NAN]), None);
    }

    #[test]
    fn every_step_is_checked_where_reading_a_value_is_free() {
        for backend in [Backend::Flex, Backend::Ndarray] {
            assert_eq!(LossCheck::for_backend(backend), LossCheck::Every(1));
        }
        for backend in [Backend::Wgpu, Backend::Vulkan, Backend::Cuda] {
            let check = LossCheck::for_backend(backend);
            assert!(
                matches!(check, LossCheck::Every(11..)),
                "a GPU is checked too, but rarely"
            );
        }
    }
}
