//! Optimizer steps in one pass over slices.

use super::simd::{Real, widest};
use super::threads;

/// The numbers of a step of Adam.
#[derive(Debug, Clone, Copy)]
pub struct AdamStep {
    /// Learning rate.
    pub rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Share of the parameter that is added to its gradient (Adam's weight decay).
    pub coupled_decay: f64,
    /// Share of the parameter, times the rate, that is subtracted (AdamW's weight decay).
    pub decoupled_decay: f64,
    /// Number of the step, from 1.
    pub time: i32,
}

/// The numbers of a step of stochastic gradient descent.
#[derive(Debug, Clone, Copy)]
pub struct SgdStep {
    /// Learning rate.
    pub rate: f64,
    /// Share of the velocity that is kept.
    pub momentum: f64,
    /// Share of the parameter that is added to its gradient.
    pub decay: f64,
}

/// A parameter to update: the values to write, and the values to read if something else holds them.
pub(super) struct Parameter<'a, T> {
    pub to: &'a mut [T],
    pub from: Option<&'a [T]>,
}

impl<'a, T: Real> Parameter<'a, T> {
    fn chunks(self) -> impl Iterator<Item = Parameter<'a, T>> {
        let mut from = self.from.map(|from| from.chunks(CHUNK));
        self.to.chunks_mut(CHUNK).map(move |to| Parameter {
            to,
            from: from.as_mut().and_then(Iterator::next),
        })
    }

    fn values(self) -> &'a mut [T] {
        if let Some(from) = self.from {
            self.to.copy_from_slice(from);
        }
        self.to
    }
}

/// Values that a thread updates at a time.
const CHUNK: usize = 1 << 14;

/// Multiply-adds that take as long as one value of Adam: a root and a division.
const ADAM_COST: usize = 100;

/// The same for gradient descent: the cost of memory.
const SGD_COST: usize = 20;

/// Kingma and Ba 2015, algorithm 1, with both kinds of weight decay (Loshchilov and Hutter 2019, algorithm 2):
/// `m = beta1 m + (1 - beta1) g`, `v = beta2 v + (1 - beta2) g^2`,
/// `p = (1 - rate decay) p - rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)`.
pub(super) fn adam<T: Real>(p: Parameter<T>, g: &[T], m: &mut [T], v: &mut [T], step: AdamStep) {
    let correction1 = 1.0 - step.beta1.powi(step.time);
    let correction2 = 1.0 - step.beta2.powi(step.time);
    let (beta1, beta2) = (T::of(step.beta1), T::of(step.beta2));
    let (rest1, rest2) = (T::of(1.0 - step.beta1), T::of(1.0 - step.beta2));
    let kept = T::of(1.0 - step.rate * step.decoupled_decay);
    let decay = T::of(step.coupled_decay);
    let rate = T::of(step.rate / correction1);
    let root = T::of(1.0 / correction2.sqrt());
    let epsilon = T::of(step.epsilon);
    let work = g.len() * ADAM_COST;
    let chunks = p
        .chunks()
        .zip(g.chunks(CHUNK))
        .zip(m.chunks_mut(CHUNK).zip(v.chunks_mut(CHUNK)));
    threads::for_each(
        work,
        chunks.collect(),
        || (),
        |(), ((p, g), (m, v))| {
            let p = p.values();
            widest::<T, _>(
                #[inline(always)]
                || {
                    let moments = m.iter_mut().zip(v.iter_mut());
                    for ((p, &g), (m, v)) in p.iter_mut().zip(g).zip(moments) {
                        let g = g + decay * *p;
                        *m = beta1 * *m + rest1 * g;
                        *v = beta2 * *v + rest2 * g * g;
                        *p = kept * *p - rate * *m / (v.sqrt() * root + epsilon);
                    }
                },
            );
        },
    );
}

/// `w = momentum w + g + decay p`, `p = p - rate w`, as PyTorch does it (no dampening, no Nesterov); `w` starts at zero.
pub(super) fn sgd<T: Real>(p: Parameter<T>, g: &[T], w: &mut [T], step: SgdStep) {
    let (rate, momentum, decay) = (T::of(step.rate), T::of(step.momentum), T::of(step.decay));
    let work = g.len() * SGD_COST;
    let chunks = p.chunks().zip(g.chunks(CHUNK)).zip(w.chunks_mut(CHUNK));
    threads::for_each(
        work,
        chunks.collect(),
        || (),
        |(), ((p, g), w)| {
            let p = p.values();
            widest::<T, _>(
                #[inline(always)]
                || {
                    for ((p, &g), w) in p.iter_mut().zip(g).zip(w.iter_mut()) {
                        *w = momentum * *w + g + decay * *p;
                        *p = *p - rate * *w;
                    }
                },
            );
        },
    );
}
