//! Forward passes.

use std::borrow::Cow;
use std::mem::MaybeUninit;

use super::parts::{Part, cut, parts};
use super::weights::Forward;
use crate::kernels::conv::Geometry;
use crate::kernels::memory::{filled, room};
use crate::kernels::simd::{Real, padded};
use crate::kernels::threads;

/// A convolution of `g` ([merged](Geometry::merged)) plus bias. `finish` works on the values of each part while they are in the
/// cache; what it finds is returned in the order of the parts.
#[allow(unsafe_code)]
pub(in crate::kernels) fn forward<T: Real, R: Send>(
    g: &Geometry,
    weights: &Forward<T>,
    input: &[T],
    bias: &[T],
    finish: impl Fn(&Part, &mut [T]) -> R + Sync + Send,
) -> (Vec<T>, Vec<R>) {
    let mut output = room(g.batch * g.output_values());
    let parts = parts(g);
    let jobs: Vec<_> = parts.iter().zip(cut(g, &mut output, &parts)).collect();
    let found = threads::map_with(
        g.multiply_adds(),
        jobs,
        Vec::new,
        |grid, (part, output)| {
            let image = &input[part.image * g.input_values()..][..g.input_values()];
            let values = weights.rows(g, image, part.rows.clone(), bias, grid, output);
            finish(part, values)
        },
    );
    // SAFETY: the parts are the whole batch, and `rows` fills each of them.
    (unsafe { filled(output) }, found)
}

/// The output of a convolution without bias: stored, or computed again where it is needed. Computing takes less time than reading
/// memory where few values go into each output.
pub(in crate::kernels) struct Convolved<'a, T: Real> {
    g: Geometry,
    input: &'a [T],
    source: Source<'a, T>,
}

enum Source<'a, T: Real> {
    Stored(Cow<'a, [T]>),
    Computed { weights: Forward<T>, no_bias: Vec<T> },
}

/// Buffers for [`Convolved::part`].
pub(in crate::kernels) struct Scratch<T> {
    pub grid: Vec<T>,
    values: Vec<MaybeUninit<T>>,
}

impl<T> Default for Scratch<T> {
    fn default() -> Self {
        Self {
            grid: Vec::new(),
            values: Vec::new(),
        }
    }
}

/// Whether the output had better be stored.
fn is_worth_storing(g: &Geometry) -> bool {
    /// Multiply-adds for an output up to which it is computed again.
    const DENSE: usize = 64;
    const DEPTHWISE: usize = 9;
    /// Values of a batch up to which reading them is cheap: eight megabytes of `f32`, which the last cache may hold.
    const FEW: usize = 1 << 21;
    let most = if g.groups == 1 { DENSE } else { DEPTHWISE };
    g.kernel * g.kernel * g.inputs / g.groups > most || g.batch * g.output_values() <= FEW
}

impl<'a, T: Real> Convolved<'a, T> {
    /// Of a convolution of `g` ([merged](Geometry::merged)). What `visit` finds in the values of each part is returned in the order
    /// of the parts.
    pub(in crate::kernels) fn new<R: Send>(
        g: &Geometry,
        input: &'a [T],
        weight: &[T],
        visit: impl Fn(&[T]) -> R + Sync + Send,
    ) -> (Self, Vec<R>) {
        if is_worth_storing(g) {
            let weights = Forward::new(g, weight, None);
            let no_bias = vec![T::ZERO; padded(g.outputs)];
            let (values, found) =
                forward(g, &weights, input, &no_bias, |_, values| visit(values));
            let source = Source::Stored(Cow::Owned(values));
            let convolved = Self {
                g: *g,
                input,
                source,
            };
            (convolved, found)
        } else {
            let convolved = Self::again(g, input, weight, None);
            let parts = parts(g);
            let items = vec![(); parts.len()];
            let found = convolved.each(&parts, items, |_, values, ()| visit(values));
            (convolved, found)
        }
    }

    /// The same output later, from [`into_stored`](Self::into_stored).
    pub(in crate::kernels) fn again(
        g: &Geometry,
        input: &'a [T],
        weight: &[T],
        stored: Option<&'a [T]>,
    ) -> Self {
        let source = match stored {
            Some(values) => Source::Stored(Cow::Borrowed(values)),
            None => Source::Computed {
                weights: Forward::new(g, weight, None),
                no_bias: vec![T::ZERO; padded(g.outputs)],
            },
        };
        Self {
            g: *g,
            input,
            source,
        }
    }

    /// The values, if they are stored.
    pub(in crate::kernels) fn into_stored(self) -> Option<Vec<T>> {
        match self.source {
            Source::Stored(values) => Some(values.into_owned()),
            Source::Computed { .. } => None,
        }
    }

    /// The values of a part.
    pub(in crate::kernels) fn part<'b>(
        &'b self,
        part: &Part,
        scratch: &'b mut Scratch<T>,
    ) -> &'b [T] {
        let (g, at) = (&self.g, part.values(&self.g));
        match &self.source {
            Source::Stored(values) => &values[at],
            Source::Computed { weights, no_bias } => {
                let image = &self.input[part.image * g.input_values()..][..g.input_values()];
                scratch.values.resize(at.len(), MaybeUninit::uninit());
                let (grid, to) = (&mut scratch.grid, &mut scratch.values);
                weights.rows(g, image, part.rows.clone(), no_bias, grid, to)
            }
        }
    }

    /// Runs `job` on each part with one of the `items`; the results are in the order of the parts.
    pub(in crate::kernels) fn each<J: Send, R: Send>(
        &self,
        parts: &[Part],
        items: Vec<J>,
        job: impl Fn(&Part, &[T], J) -> R + Sync + Send,
    ) -> Vec<R> {
        let work = self.g.batch * self.g.output_values();
        let jobs = parts.iter().zip(items).collect();
        threads::map_with(work, jobs, Scratch::default, |scratch, (part, item)| {
            job(part, self.part(part, scratch), item)
        })
    }
}
