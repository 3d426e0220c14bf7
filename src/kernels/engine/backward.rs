//! The backward pass.

use std::mem::MaybeUninit;

use super::parts::{Part, cut, parts, whole_images};
use super::weights::{Scratch, Transposed, WeightSums, weight_gradient};
use crate::kernels::conv::{Geometry, Needed, SLACK, winograd};
use crate::kernels::memory::{Kept, filled, filled_part, is_large, room, stream};
use crate::kernels::simd::Real;
use crate::kernels::threads;

/// The gradients of the input and of the weights, as far as they are [`Needed`].
pub(in crate::kernels) struct PartGradients<T, R> {
    pub input: Option<Vec<T>>,
    pub weight: Option<Vec<T>>,
    /// What was found as each part was prepared, in the order of the parts.
    pub found: Vec<R>,
}

/// The gradients of a convolution of `g` ([merged](Geometry::merged)).
/// `prepare(first, values)` writes the output's gradient of a part, which begins at the index `first` of the batch.
pub(in crate::kernels) fn backward<T: Real, R: Send>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    needed: Needed,
    prepare: impl Fn(usize, &mut [MaybeUninit<T>]) -> R + Sync + Send,
) -> PartGradients<T, R> {
    if g.batch == 0 {
        return PartGradients {
            input: needed.input.then(Vec::new),
            weight: (needed.weight).then(|| vec![T::ZERO; weight.len()]),
            found: Vec::new(),
        };
    }
    let pass = Pass {
        g,
        input,
        transposed: needed.input.then(|| Transposed::new(g, weight)),
        prepare,
    };
    if needed.weight && !WeightSums::<T>::fit_the_cache(g) {
        pass.in_two()
    } else {
        pass.at_once(needed.weight)
    }
}

struct Pass<'a, T, P> {
    g: &'a Geometry,
    input: &'a [T],
    transposed: Option<Transposed<T>>,
    prepare: P,
}

impl<T: Real, R: Send, P: Fn(usize, &mut [MaybeUninit<T>]) -> R + Sync + Send> Pass<'_, T, P> {
    /// What is computed at a time: parts, where they can be taken one by one, else whole images.
    fn units(&self) -> Vec<Part> {
        let only_weights = self.transposed.is_none() && !winograd::pays(self.g);
        if self.g.is_pixelwise() || only_weights {
            parts(self.g)
        } else {
            whole_images(self.g)
        }
    }

    /// Values of the input's gradient that belong to a unit.
    fn input_values(&self, unit: &Part) -> usize {
        let g = self.g;
        match self.transposed {
            None => 0,
            Some(_) if g.is_pixelwise() => unit.rows.len() * g.width * g.inputs,
            Some(_) => unit.images.len() * g.input_values(),
        }
    }

    /// Room for the input's gradient.
    fn room(&self) -> Vec<MaybeUninit<T>> {
        room(self.transposed.as_ref().map_or(0, |_| self.input.len()))
    }

    /// Cuts the room for the input's gradient into that of each unit.
    fn cut_input<'b>(
        &self,
        mut found: &'b mut [MaybeUninit<T>],
        units: &[Part],
    ) -> Vec<&'b mut [MaybeUninit<T>]> {
        let cut = units.iter().map(|unit| {
            let (head, tail) = std::mem::take(&mut found).split_at_mut(self.input_values(unit));
            found = tail;
            head
        });
        cut.collect()
    }

    /// Writes the output's gradient of a unit, and from it the input's.
    #[allow(unsafe_code)]
    fn gradients(
        &self,
        unit: &Part,
        scratch: &mut Scratch<T>,
        gradient: &mut [MaybeUninit<T>],
        to: &mut [MaybeUninit<T>],
    ) -> R {
        let found = (self.prepare)(unit.values(self.g).start, gradient);
        if let Some(transposed) = &self.transposed {
            // SAFETY: `prepare` has written all of it.
            let gradient = unsafe { filled_part(gradient) };
            if !self.g.is_pixelwise() || !is_large::<T>(self.input.len()) {
                transposed.apply(gradient, scratch, to);
                return found;
            }
            let mut values = std::mem::take(&mut scratch.values);
            values.resize(to.len(), MaybeUninit::uninit());
            transposed.apply(gradient, scratch, &mut values);
            // SAFETY: `apply` has written all of it.
            stream(unsafe { filled_part(&mut values) }, to);
            scratch.values = values;
        }
        found
    }

    /// Input and weights of the same units, while those are in the cache. The units are taken in fixed groups, each summed in order,
    /// then the groups in order: the bits depend on shapes alone.
    #[allow(unsafe_code)]
    fn at_once(&self, with_weight: bool) -> PartGradients<T, R> {
        /// Groups that are summed side by side: enough for eight threads; more cost memory and a longer last sum.
        const GROUPS: usize = 8;
        let g = self.g;
        let units = self.units();
        let mut inputs = self.room();
        let mut rooms = self.cut_input(&mut inputs, &units).into_iter();
        let size = units.len().div_ceil(GROUPS).max(1);
        let groups: Vec<_> = units
            .chunks(size)
            .map(|units| (units, rooms.by_ref().take(size).collect::<Vec<_>>()))
            .collect();
        let groups = threads::map(g.multiply_adds(), groups, |(units, rooms)| {
            let mut found = Vec::with_capacity(units.len());
            let mut sums = with_weight.then(|| WeightSums::new(g));
            let mut scratch = Kept::<Scratch<T>>::default();
            let most = units.iter().map(|unit| unit.values(g).len()).max();
            let mut gradient = room(most.unwrap_or(0) + SLACK);
            for (unit, to) in units.iter().zip(rooms) {
                let values = unit.values(g).len();
                found.push(self.gradients(unit, &mut scratch, &mut gradient[..values], to));
                gradient[values..values + SLACK].fill(MaybeUninit::new(T::ZERO));
                if let Some(sums) = &mut sums {
                    let images = unit.of(g, self.input);
                    // SAFETY: written above.
                    let gradient = unsafe { filled_part(&mut gradient[..values + SLACK]) };
                    sums.add(g, images, unit.rows.clone(), gradient, &mut scratch);
                }
            }
            (sums, found)
        });
        // SAFETY: the units are the whole batch, and the gradient of each has been written.
        let inputs = unsafe { filled(inputs) };
        let (sums, found): (Vec<_>, Vec<_>) = groups.into_iter().unzip();
        PartGradients {
            input: self.transposed.as_ref().map(|_| inputs),
            weight: with_weight
                .then(|| WeightSums::finish(g, sums.into_iter().flatten().collect())),
            found: found.into_iter().flatten().collect(),
        }
    }

    /// First the gradients of output and input, then that of the weights, whose sums are too many for the cache.
    #[allow(unsafe_code)]
    fn in_two(&self) -> PartGradients<T, R> {
        let g = self.g;
        let units = self.units();
        let mut inputs = self.room();
        let rooms = self.cut_input(&mut inputs, &units);
        let values = g.batch * g.output_values();
        let mut gradient = room(values + SLACK);
        gradient[values..].fill(MaybeUninit::new(T::ZERO));
        let gradients = cut(g, &mut gradient[..values], &units);
        let jobs: Vec<_> = units.iter().zip(gradients).zip(rooms).collect();
        let found = threads::map_with(
            g.multiply_adds(),
            jobs,
            Kept::<Scratch<T>>::default,
            |scratch, ((unit, gradient), to)| self.gradients(unit, scratch, gradient, to),
        );
        // SAFETY: the units are the whole batch, and both gradients of each have been written.
        let (gradient, inputs) = unsafe { (filled(gradient), filled(inputs)) };
        PartGradients {
            input: self.transposed.as_ref().map(|_| inputs),
            weight: Some(weight_gradient(g, self.input, &gradient)),
            found,
        }
    }
}
