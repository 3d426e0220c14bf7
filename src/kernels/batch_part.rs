//! Batches of which other processes have parts: batch norms then take their statistics over all parts.
//!
//! The kernels know nothing of how processes exchange numbers: whoever runs a step hands in a function that does it.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use super::moments::Moments;
use super::operators::Scoped;

/// Takes numbers of this process and returns those of every process, in an order that is the same on all. All processes call it at the
/// same places of a step, with as many numbers.
pub type Exchange = dyn Fn(&[f64]) -> Vec<Vec<f64>> + Send + Sync;

/// The part of a batch that this process has.
#[derive(Clone)]
pub struct BatchPart {
    exchange: Arc<Exchange>,
    weight: Option<f64>,
}

impl fmt::Debug for BatchPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("BatchPart");
        shown.field("weight", &self.weight).finish_non_exhaustive()
    }
}

thread_local! {
    static IN_USE: RefCell<Option<BatchPart>> = const { RefCell::new(None) };
}

impl BatchPart {
    /// A part whose gradients count `weight`, not 0, times in those of the batch. With `None` it counts nothing: the images
    /// of a process that has none of the batch, and computes with others in their place.
    pub fn new(exchange: Arc<Exchange>, weight: Option<f64>) -> Self {
        Self { exchange, weight }
    }

    /// Batch norms that are computed on this thread take their statistics over all parts, until the guard is dropped; so do
    /// their backward passes, whenever and wherever they run.
    #[must_use = "the part is in use until the guard is dropped"]
    pub fn scoped(self) -> Scoped<Option<Self>> {
        Scoped::new(&IN_USE, Some(self))
    }

    /// Whether there are other parts of the batches of this thread.
    pub fn is_in_use() -> bool {
        IN_USE.with_borrow(Option::is_some)
    }

    /// The moments of all parts.
    fn moments(&self, own: Moments) -> Moments {
        let channels = own.mean.len();
        let count = self.weight.map_or(0.0, |_| own.count);
        let mine = [&[count][..], &own.mean, &own.squares].concat();
        let parts = (self.exchange)(&mine).into_iter().map(|part| Moments {
            count: part[0],
            mean: part[1..1 + channels].to_vec(),
            squares: part[1 + channels..].to_vec(),
        });
        Moments::together(channels, &parts.collect::<Vec<_>>())
    }

    /// The sums over all parts, each with its weight, divided by that of this one.
    fn sums(&self, own: [&[f64]; 2]) -> [Vec<f64>; 2] {
        let weight = self.weight.unwrap_or(0.0);
        let weighted = |sum: &f64| match self.weight {
            Some(weight) => sum * weight,
            None => 0.0,
        };
        let mine: Vec<f64> = own.concat().iter().map(weighted).collect();
        let mut sums = vec![0.0; mine.len()];
        for part in (self.exchange)(&mine) {
            let pairs = sums.iter_mut().zip(part);
            pairs.for_each(|(sum, more)| *sum += more);
        }
        // Nobody asks for the gradients of a part that counts nothing.
        let factor = if weight == 0.0 { 0.0 } else { 1.0 / weight };
        sums.iter_mut().for_each(|sum| *sum *= factor);
        let second = sums.split_off(own[0].len());
        [sums, second]
    }
}

/// The batch that the statistics of a norm were taken over, for its backward pass.
#[derive(Debug, Clone)]
pub(super) struct WholeBatch {
    /// Values per channel.
    pub count: f64,
    part: Option<BatchPart>,
}

impl WholeBatch {
    /// The batch of which this process has a part with these moments, or all of it; and the moments of the whole.
    pub(super) fn of(own: Moments) -> (Self, Moments) {
        let part = IN_USE.with_borrow(Option::clone);
        let moments = match &part {
            Some(part) => part.moments(own),
            None => own,
        };
        let count = moments.count;
        (Self { count, part }, moments)
    }

    /// The two sums of the backward pass over the whole batch, from those over this process's images; in the unit of these.
    pub(super) fn sums(&self, own: [&[f64]; 2]) -> [Vec<f64>; 2] {
        match &self.part {
            Some(part) => part.sums(own),
            None => own.map(<[f64]>::to_vec),
        }
    }
}
