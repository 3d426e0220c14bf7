//! The sum of long vectors over a group, in the order of ranks.
//!
//! A sum that is made in the order of arrival, or along a tree that depends on the number of values, has other last bits from run to run.
//! Here every rank adds up one part of the vector, for all: it is sent that part by the others, adds them in the order of ranks and sends
//! the sum to everyone. Each value crosses the network as often as in a ring (Patarasuk and Yuan 2009).

use super::group::{Group, Incoming, Moment, Outgoing};

/// Adds up vectors, in buffers that are used again.
#[derive(Debug, Default)]
pub struct OrderedSum {
    /// This rank's part of the vector, of every rank one after the other; its own is not there.
    parts: Vec<f32>,
    /// The sum of this rank's part.
    sum: Vec<f32>,
}

/// The values that a rank adds up, of so many: whole ranges that differ by one value at most.
fn part(values: usize, rank: usize, size: usize) -> std::ops::Range<usize> {
    rank * values / size..(rank + 1) * values / size
}

impl OrderedSum {
    /// Sends each rank its part of `values`, and a short report to all. Returns the reports of all ranks, in their order.
    ///
    /// [`finish`](Self::finish) makes the sum, unless all ranks agree from the reports that there is to be none.
    pub fn begin<const N: usize>(
        &mut self,
        group: &dyn Group,
        moment: Moment,
        values: &[f32],
        report: [f64; N],
    ) -> Vec<[f64; N]> {
        let (rank, size) = (group.rank(), group.size());
        let mut reports = vec![report; size];
        let length = part(values.len(), rank, size).len();
        self.parts.resize(length * size, 0.0);
        let others = (0..size).filter(|&other| other != rank);
        let outgoing: Vec<Outgoing> = others
            .flat_map(|to| {
                let part = &values[part(values.len(), to, size)];
                [bytemuck::cast_slice(&report), bytemuck::cast_slice(part)]
                    .map(|bytes| Outgoing { to, bytes })
            })
            .collect();
        let mut incoming = Vec::with_capacity(outgoing.len());
        // Of vectors without values, the parts are empty.
        let parts = self.parts.chunks_exact_mut(length.max(1));
        let mut parts = parts.map(Some).chain(std::iter::repeat_with(|| None));
        for (from, of_rank) in reports.iter_mut().enumerate() {
            let part = parts.next().flatten();
            if from != rank {
                let bytes = bytemuck::cast_slice_mut(of_rank);
                incoming.push(Incoming { from, bytes });
                let bytes = part.map_or(&mut [][..], |part| bytemuck::cast_slice_mut(part));
                incoming.push(Incoming { from, bytes });
            }
        }
        group.exchange(moment, &outgoing, &mut incoming);
        reports
    }

    /// Replaces `values`, as they were given to [`begin`](Self::begin), by their sums over all ranks, times `factor`.
    pub fn finish(&mut self, group: &dyn Group, moment: Moment, values: &mut [f32], factor: f32) {
        let (rank, size) = (group.rank(), group.size());
        let count = values.len();
        let mine = part(count, rank, size);
        let length = mine.len();
        self.sum.clear();
        self.sum.resize(length, 0.0);
        for from in 0..size {
            let of_rank = if from == rank {
                &values[mine.clone()]
            } else {
                &self.parts[from * length..][..length]
            };
            if from == 0 {
                self.sum.copy_from_slice(of_rank);
            } else {
                let pairs = self.sum.iter_mut().zip(of_rank);
                pairs.for_each(|(sum, value)| *sum += value);
            }
        }
        self.sum.iter_mut().for_each(|sum| *sum *= factor);
        values[mine].copy_from_slice(&self.sum);
        let others = (0..size).filter(|&other| other != rank);
        let bytes = bytemuck::cast_slice(&self.sum);
        let outgoing: Vec<Outgoing> = others.map(|to| Outgoing { to, bytes }).collect();
        let mut incoming = Vec::with_capacity(outgoing.len());
        let mut rest = values;
        for from in 0..size {
            let (part, after) = rest.split_at_mut(part(count, from, size).len());
            rest = after;
            if from != rank {
                let bytes = bytemuck::cast_slice_mut(part);
                incoming.push(Incoming { from, bytes });
            }
        }
        group.exchange(moment, &outgoing, &mut incoming);
    }
}
