//! A layer whose channels are shared by threads: each reads its own weights alone, where all of them are more than what they are applied to.

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

use super::conv::{CHANNELS, Channels, Layer, with_scratch};
use super::team::Team;
use crate::kernels::activation::activate_channels;
use crate::kernels::block::Pool;
use crate::kernels::conv::Geometry;
use crate::kernels::normed::add_and_activate;

/// Fewer weights stay in a core's cache, and rows are shared without putting channels together.
const MIN_WEIGHTS: usize = 1 << 16;

thread_local! {
    /// Outputs before they are put together.
    static OUTPUTS: Cell<Vec<MaybeUninit<f32>>> = const { Cell::new(Vec::new()) };
}

/// Some channels of an image.
struct Computed<'a> {
    first: usize,
    count: usize,
    /// `[positions, count]`
    values: &'a [f32],
}

impl Layer<'_> {
    /// Whether threads share the channels rather than the rows.
    pub(super) fn shares_channels(&self) -> bool {
        let g = &self.g;
        let weights = g.outputs * g.patch_values();
        g.groups == 1
            && self.layer.pool == Pool::None
            && g.outputs >= 2 * CHANNELS
            && (self.residual.is_none() || self.channels.step == g.outputs)
            && weights > MIN_WEIGHTS.max(g.batch * g.input_values())
    }

    /// The layer's output, in so many parts.
    pub(super) fn by_channels(&self, parts: usize, output: &mut [f32], team: &Team) {
        let g = &self.g;
        let count = g.outputs.div_ceil(parts).next_multiple_of(CHANNELS);
        let values = g.batch * g.output_values();
        let mut room = OUTPUTS.take();
        if room.len() < values {
            room.resize(values, MaybeUninit::uninit());
        }
        let mut left = &mut room[..values];
        let mut jobs = Vec::new();
        for (image, input) in self.input.chunks_exact(g.input_values()).enumerate() {
            for first in (0..g.outputs).step_by(count) {
                let some = Geometry {
                    outputs: count.min(g.outputs - first),
                    ..*g
                };
                let (head, tail) = std::mem::take(&mut left).split_at_mut(some.output_values());
                left = tail;
                jobs.push((image, input, first, some, head));
            }
        }
        let none = (0..g.batch).map(|_| Vec::new());
        let computed: Mutex<Vec<Vec<Computed>>> = Mutex::new(none.collect());
        team.for_each(jobs, |(image, input, first, some, room)| {
            let rows = 0..some.output_height();
            let filled =
                with_scratch(|scratch| self.rows(&some, input, rows, first, scratch, room));
            let mut computed = computed.lock().unwrap_or_else(PoisonError::into_inner);
            computed[image].push(Computed {
                first,
                count: some.outputs,
                values: filled,
            });
        });
        let computed = computed.into_inner();
        self.put_together(
            &computed.unwrap_or_else(PoisonError::into_inner),
            output,
            team,
        );
        OUTPUTS.set(room);
    }

    /// Channels that were computed apart into each position of the output, with residual and non-linearity.
    fn put_together(&self, images: &[Vec<Computed>], output: &mut [f32], team: &Team) {
        let (g, Channels { first, step }) = (&self.g, self.channels);
        let image = output.len() / g.batch.max(1);
        let positions = (image / step).div_ceil(team.threads()).max(1);
        let parts = output.chunks_mut(image).zip(images).enumerate();
        let parts = parts.flat_map(|(image, (output, some))| {
            let parts = output.chunks_mut(positions * step).enumerate();
            parts.map(move |(part, output)| (image, part * positions, some, output))
        });
        team.for_each(parts.collect(), |(image, from, some, output)| {
            for some in some {
                let values = some.values.chunks_exact(some.count).skip(from);
                for (to, values) in output.chunks_exact_mut(step).zip(values) {
                    to[first + some.first..][..some.count].copy_from_slice(values);
                }
            }
            let activation = self.activation_left();
            match self.residual {
                Some(residual) => {
                    let at = image * g.output_values() + from * g.outputs;
                    add_and_activate(output, Some(&residual[at..][..output.len()]), activation);
                }
                None => activate_channels(output, step, first..first + g.outputs, activation),
            }
        });
    }
}
