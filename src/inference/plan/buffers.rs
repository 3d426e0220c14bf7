//! Which buffer holds which value, and the buffers themselves.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::step::{Operand, Step};

/// Gives the values of steps buffers: two share one if the first is not needed any more when the second is written. The first value is
/// the `input`, and so is the first buffer. Returns the values of each buffer for one image, and where the `output` is.
pub fn assign(steps: &mut [Step], input: Operand, output: Operand) -> (Vec<usize>, Operand) {
    // The last step that reads a value.
    let mut last = HashMap::new();
    for (index, step) in steps.iter().enumerate() {
        for value in [Some(step.from), step.other].into_iter().flatten() {
            last.insert(value.buffer, index);
        }
    }
    last.insert(output.buffer, usize::MAX);
    let mut buffers = vec![input.values];
    let mut places = HashMap::from([(input.buffer, 0)]);
    let mut free: Vec<usize> = Vec::new();
    for (index, step) in steps.iter_mut().enumerate() {
        // Several steps may write one value.
        let place = *places.entry(step.to.buffer).or_insert_with(|| {
            let waste = |place: &usize| buffers[free[*place]].abs_diff(step.to.values);
            match (0..free.len()).min_by_key(waste) {
                Some(found) => free.swap_remove(found),
                None => {
                    buffers.push(0);
                    buffers.len() - 1
                }
            }
        });
        buffers[place] = buffers[place].max(step.to.values);
        step.to.buffer = place;
        for value in [Some(&mut step.from), step.other.as_mut()] {
            let Some(value) = value else { continue };
            let place = places[&value.buffer];
            if last[&value.buffer] == index && !free.contains(&place) {
                free.push(place);
            }
            value.buffer = place;
        }
    }
    let buffer = places[&output.buffer];
    (buffers, Operand { buffer, ..output })
}

/// Buffers of runs that have ended, for those to come.
#[derive(Default)]
pub struct Buffers {
    idle: Mutex<Vec<Vec<Vec<f32>>>>,
}

/// Most sets of buffers that wait: more threads than these are rare, and only cost an allocation.
const MOST_IDLE: usize = 64;

impl Buffers {
    /// Runs `work` with buffers of at least these sizes, whatever is in them.
    pub fn with<R>(
        &self,
        sizes: impl Iterator<Item = usize>,
        work: impl FnOnce(&mut [Vec<f32>]) -> R,
    ) -> R {
        let found = self.locked().pop();
        let mut buffers = found.unwrap_or_default();
        for (index, size) in sizes.enumerate() {
            if buffers.len() <= index {
                buffers.push(Vec::new());
            }
            if buffers[index].len() < size {
                buffers[index].resize(size, 0.0);
            }
        }
        let result = work(&mut buffers);
        let mut idle = self.locked();
        if idle.len() < MOST_IDLE {
            idle.push(buffers);
        }
        result
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Vec<f32>>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
