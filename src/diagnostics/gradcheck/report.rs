//! The result of a gradient check.

use serde::Serialize;

/// The result of one tensor.
#[derive(Debug, Clone, Serialize)]
pub struct TensorReport {
    /// As in `model.safetensors`.
    pub name: String,
    /// As in `model.safetensors`: fully connected weights are `[out, in]`.
    pub shape: Vec<usize>,
    /// Entries that were checked.
    pub checked: usize,
    /// Entries for which the first difference was not enough; see [`Report`].
    pub retried: usize,
    /// Largest absolute value of the whole gradient.
    pub largest: f64,
    /// The worst entry.
    pub worst: Entry,
}

/// One entry of a gradient.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Its position in a tensor of [`TensorReport::shape`].
    pub at: Vec<usize>,
    /// The gradient by autodiff.
    pub gradient: f64,
    /// The gradient by differences of the loss.
    pub difference: f64,
    /// `|gradient - difference| / max(|gradient|, |difference|, floor)`; not finite where one of them is not.
    pub error: f64,
}

impl Entry {
    /// Whether the error is within the tolerance; NaN is not.
    pub fn agrees(&self, tolerance: f64) -> bool {
        self.error <= tolerance
    }
}

/// The result of a check.
///
/// Where a ReLU or a max pool switches between the points of a difference, the difference is wrong, not the gradient. An entry
/// with a large error is therefore tried again: with the points on one side only (the kink is seldom on both), with a smaller step,
/// and with a longer one against rounding; the smallest error counts. All of these tend to the same derivative, so a wrong gradient differs from each of them.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The loss at the unchanged weights.
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
        tensors.filter(|tensor| !tensor.worst.agrees(self.tolerance))
    }

    /// Smallest absolute error of a small gradient that fails.
    pub fn visible(&self) -> f64 {
        self.tolerance * self.floor
    }

    /// The tensors whose whole gradient is smaller than the smallest error that does not pass: the check only shows that it is
    /// about zero.
    pub fn vanishing(&self) -> impl Iterator<Item = &TensorReport> {
        let tensors = self.tensors.iter();
        tensors.filter(|tensor| tensor.largest < self.visible())
    }

    /// Entries that were checked.
    pub fn checked(&self) -> usize {
        self.tensors.iter().map(|tensor| tensor.checked).sum()
    }

    /// Entries of all tensors.
    pub fn values(&self) -> usize {
        let sizes = self
            .tensors
            .iter()
            .map(|tensor| tensor.shape.iter().product::<usize>());
        sizes.sum()
    }

    /// Entries that were tried again.
    pub fn retried(&self) -> usize {
        self.tensors.iter().map(|tensor| tensor.retried).sum()
    }
}
