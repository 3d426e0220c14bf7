//! A trained network as a plan: a list of steps over buffers, with batch norms folded into weights that were packed once.
//!
//! A plan computes on the CPU what [`Network::forward`] does, without tensors: layers are fused, outputs go into buffers that are used again,
//! and images go through the steps a few at a time, so that what one step leaves is in a core's cache for the next. Threads
//! share the images, or where these are too few, the rows of each step. The bits of an image's output depend neither on the
//! threads nor on the images beside it; they differ from the network's own by rounding.

mod buffers;
mod compile;
mod compiler;
mod convolutions;
mod described;
mod folding;
mod pools;
mod profile;
mod rearranging;
mod run;
mod stages;
mod step;

use std::fmt;

use buffers::Buffers;
use stages::Stage;
use step::Step;

pub use crate::kernels::inference::ComputePrecision;
use crate::kernels::inference::Helpers;
use crate::models::Network;
use crate::models::layer_list::Node;
use crate::models::parameters::Tensors;
use crate::shape::ImageShape;
pub use profile::{Algorithm, Profile, StepProfile};

/// A network ready for inference on the CPU.
pub struct Plan {
    shape: ImageShape,
    /// The first stage, if there are two.
    early: Option<Stage>,
    /// The last stage, or the only one.
    last: Stage,
    /// What the first stage passes on.
    passed: Buffers,
    /// Multiply-adds of one image.
    work: usize,
    helpers: Helpers,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plan of {} steps", self.steps().count())
    }
}

impl Plan {
    /// The plan of a network of these layers for images of `shape`; `None` if it has a layer that plans don't know.
    pub fn new(
        network: &Network,
        nodes: &[Node],
        shape: ImageShape,
        precision: ComputePrecision,
    ) -> Option<Self> {
        let (steps, input, output) = compile::compile(nodes, &Tensors::of(network), precision)?;
        let work = steps.iter().map(Step::multiply_adds).sum();
        let (early, last) = stages::stages(steps, input, output);
        Some(Self {
            shape,
            early,
            last,
            passed: Buffers::default(),
            work,
            helpers: Helpers::default(),
        })
    }

    /// All steps, in order, each with its stage.
    fn steps(&self) -> impl Iterator<Item = (&Stage, &Step)> {
        let stages = self.early.iter().chain([&self.last]);
        stages.flat_map(|stage| stage.steps.iter().map(move |step| (stage, step)))
    }
}
