//! The stages of a plan. Images go through the first steps a few at a time, whose maps are large, and through the last ones more at a time,
//! whose weights are: these would be read from memory for every image.

use std::collections::HashSet;

use super::buffers::{Buffers, assign};
use super::step::{Operand, Step};

/// Values that go through steps together, of the largest buffer: about half a megabyte, which stays in a core's cache.
const VALUES: usize = 1 << 17;
/// The same of a second stage.
const LATE_VALUES: usize = 1 << 18;
/// Most values of an image in a second stage.
const MOST_LATE_VALUES: usize = 1 << 16;
/// Bytes of weights from which a second stage is worth its copy of values: about those of a core's cache.
const MIN_LATE_BYTES: usize = 1 << 20;
/// Most images that go through steps together: enough to read weights rarely.
const MOST_IMAGES: usize = 96;

/// Steps through which as many images go together.
pub struct Stage {
    pub steps: Vec<Step>,
    /// Index of its first step among all.
    pub first: usize,
    /// Values of each buffer for one image; the first is the input.
    pub sizes: Vec<usize>,
    pub output: Operand,
    /// Images that go through it together.
    pub together: usize,
    pub buffers: Buffers,
}

impl Stage {
    fn new(
        mut steps: Vec<Step>,
        first: usize,
        input: Operand,
        output: Operand,
        values: usize,
    ) -> Self {
        let (sizes, output) = assign(&mut steps, input, output);
        let largest = sizes.iter().copied().max().unwrap_or(1).max(1);
        Self {
            steps,
            first,
            sizes,
            output,
            together: (values / largest).clamp(1, MOST_IMAGES),
            buffers: Buffers::default(),
        }
    }
}

/// The first stage, if there are two, and the last one.
pub fn stages(mut steps: Vec<Step>, input: Operand, output: Operand) -> (Option<Stage>, Stage) {
    let Some((cut, passed)) = cut(&steps, output) else {
        return (None, Stage::new(steps, 0, input, output, VALUES));
    };
    let late = steps.split_off(cut);
    let early = Stage::new(steps, 0, input, passed, VALUES);
    let late = Stage::new(late, cut, passed, output, LATE_VALUES);
    (Some(early), late)
}

/// Where the second stage begins, and the value that is passed to it.
fn cut(steps: &[Step], output: Operand) -> Option<(usize, Operand)> {
    let largest = |step: &Step| {
        let operands = [Some(step.from), step.other, Some(step.to)];
        operands
            .into_iter()
            .flatten()
            .map(|operand| operand.values)
            .max()
    };
    let is_large = |step: &Step| largest(step) > Some(MOST_LATE_VALUES);
    let first = steps.iter().rposition(is_large)? + 1;
    (first..steps.len())
        .find_map(|cut| Some((cut, passed(steps, cut, output)?)))
        .filter(|(cut, _)| {
            let bytes: usize = steps[*cut..].iter().map(Step::weight_bytes).sum();
            bytes >= MIN_LATE_BYTES
        })
}

/// The only value that the steps from `cut` on read of those before; `None` if there are several, or one that both write.
fn passed(steps: &[Step], cut: usize, output: Operand) -> Option<Operand> {
    let (before, after) = steps.split_at(cut);
    let written =
        |steps: &[Step]| -> HashSet<usize> { steps.iter().map(|step| step.to.buffer).collect() };
    let (written_before, written_after) = (written(before), written(after));
    if !written_before.is_disjoint(&written_after) {
        return None;
    }
    let read = after.iter().flat_map(|step| [Some(step.from), step.other]);
    let mut passed = read
        .chain([Some(output)])
        .flatten()
        .filter(|operand| !written_after.contains(&operand.buffer));
    let first = passed.next()?;
    passed.all(|operand| operand == first).then_some(first)
}
