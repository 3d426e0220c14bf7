//! The backward pass.

use std::mem::MaybeUninit;

use super::forward::Scratch;
use super::parts::{Part, cut, of_image, parts};
use super::weights::{Transposed, WeightSums};
use crate::kernels::conv::{self, Geometry, Needed, SLACK};
use crate::kernels::memory::{filled, filled_part, room};
use crate::kernels::simd::Real;
use crate::kernels::threads;

/// The gradients of the input and of the weights.
pub(in crate::kernels) struct Gradients<T> {
    /// If needed.
    pub input: Option<Vec<T>>,
    /// If needed.
    pub weight: Option<Vec<T>>,
}

/// The gradients of a convolution of `g` ([merged](Geometry::merged)). `prepare` writes the output's gradient of a part.
pub(in crate::kernels) fn backward<T: Real>(
    g: &Geometry,
    input: &[T],
    weight: &[T],
    needed: Needed,
    prepare: impl Fn(&Part, &mut Scratch<T>, &mut [MaybeUninit<T>]) + Sync + Send,
) -> Gradients<T> {
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

impl<T: Real, P: Fn(&Part, &mut Scratch<T>, &mut [MaybeUninit<T>]) + Sync + Send> Pass<'_, T, P> {
    /// What an input's gradient is computed from at a time: a part, if the convolution is pixelwise, else an image.
    fn units(&self) -> Vec<Part> {
        let g = self.g;
        if g.is_pixelwise() {
            return parts(g);
        }
        let rows = 0..g.output_height();
        let images = (0..g.batch).map(|image| Part {
            image,
            rows: rows.clone(),
        });
        images.collect()
    }

    /// Values of the input's gradient that belong to a unit.
    fn input_values(&self, unit: &Part) -> usize {
        let g = self.g;
        match self.transposed {
            None => 0,
            Some(_) if g.is_pixelwise() => unit.rows.len() * g.width * g.inputs,
            Some(_) => g.input_values(),
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
    ) {
        let g = self.g;
        if g.is_pixelwise() {
            (self.prepare)(unit, scratch, gradient);
        } else {
            let first = unit.values(g).start;
            for part in of_image(g, unit.image) {
                let at = part.values(g);
                let to = &mut gradient[at.start - first..at.end - first];
                (self.prepare)(&part, scratch, to);
            }
        }
        if let Some(transposed) = &self.transposed {
            // SAFETY: `prepare` has written each of the parts of which the unit consists.
            let gradient = unsafe { filled_part(gradient) };
            transposed.apply(gradient, &mut scratch.grid, to);
        }
    }

    /// Input and weights of the same units, while those are in the cache. The units are taken in fixed groups, each summed in order,
    /// then the groups in order: the bits depend on shapes alone.
    #[allow(unsafe_code)]
    fn at_once(&self, with_weight: bool) -> Gradients<T> {
        /// Groups that are summed side by side: enough for eight threads; more cost memory and a longer last sum.
        const GROUPS: usize = 8;
        let g = self.g;
        let units = self.units();
        let mut found = self.room();
        let mut rooms = self.cut_input(&mut found, &units).into_iter();
        let size = units.len().div_ceil(GROUPS).max(1);
        let groups: Vec<_> = units
            .chunks(size)
            .map(|units| (units, rooms.by_ref().take(size).collect::<Vec<_>>()))
            .collect();
        let sums = threads::map(g.multiply_adds(), groups, |(units, rooms)| {
            let mut sums = with_weight.then(|| WeightSums::new(g));
            let mut scratch = Scratch::default();
            let most = units.iter().map(|unit| unit.values(g).len()).max();
            let mut gradient = room(most.unwrap_or(0) + SLACK);
            for (unit, to) in units.iter().zip(rooms) {
                let values = unit.values(g).len();
                self.gradients(unit, &mut scratch, &mut gradient[..values], to);
                gradient[values..values + SLACK].fill(MaybeUninit::new(T::ZERO));
                if let Some(sums) = &mut sums {
                    let image = &self.input[unit.image * g.input_values()..][..g.input_values()];
                    // SAFETY: written above.
                    let gradient = unsafe { filled_part(&mut gradient[..values + SLACK]) };
                    sums.add(g, image, unit.rows.clone(), gradient, &mut scratch.grid);
                }
            }
            sums
        });
        // SAFETY: the units are the whole batch, and the gradient of each has been written.
        let found = unsafe { filled(found) };
        Gradients {
            input: self.transposed.as_ref().map(|_| found),
            weight: with_weight
                .then(|| WeightSums::finish(g, sums.into_iter().flatten().collect())),
        }
    }

    /// First the gradients of output and input, then that of the weights, whose sums are too many for the cache.
    #[allow(unsafe_code)]
    fn in_two(&self) -> Gradients<T> {
        let g = self.g;
        let units = self.units();
        let mut found = self.room();
        let rooms = self.cut_input(&mut found, &units);
        let values = g.batch * g.output_values();
        let mut gradient = room(values + SLACK);
        gradient[values..].fill(MaybeUninit::new(T::ZERO));
        let gradients = cut(g, &mut gradient[..values], &units);
        let jobs: Vec<_> = units.iter().zip(gradients).zip(rooms).collect();
        threads::for_each(
            g.multiply_adds(),
            jobs,
            Scratch::default,
            |scratch, ((unit, gradient), to)| self.gradients(unit, scratch, gradient, to),
        );
        // SAFETY: the units are the whole batch, and both gradients of each have been written.
        let (gradient, found) = unsafe { (filled(gradient), filled(found)) };
        Gradients {
            input: self.transposed.as_ref().map(|_| found),
            weight: Some(conv::weight_gradient(g, self.input, &gradient)),
        }
    }
}
