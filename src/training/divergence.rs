//! A loss that is no number any more: which gradient is to blame.

use burn::module::{ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::prelude::*;

use crate::models::{Network, parameters};

/// The largest value of a step's gradients by its absolute value, and where it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Largest {
    /// Name of the tensor, as in `model.safetensors`.
    pub name: String,
    /// Its largest absolute value; may be infinite, or no number.
    pub value: f64,
}

impl std::fmt::Display for Largest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.value.is_finite() {
            true => write!(f, "largest gradient {:.1e} in {}", self.value, self.name),
            false => write!(f, "largest gradient {} in {}", self.value, self.name),
        }
    }
}

/// The largest of a step's gradients, the first of equals. What is no number counts as larger than what is infinite.
pub fn largest(network: &Network, gradients: &GradientsParams) -> Option<Largest> {
    let mut search = Search {
        gradients,
        found: None,
    };
    network.visit(&mut search);
    let (id, value) = search.found?;
    let parameters = parameters::list(network);
    let name = parameters
        .into_iter()
        .find(|parameter| parameter.id == id)?;
    Some(Largest {
        name: name.name,
        value,
    })
}

struct Search<'a> {
    gradients: &'a GradientsParams,
    found: Option<(ParamId, f64)>,
}

impl ModuleVisitor for Search<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.get::<D>(param.id) else {
            return;
        };
        // A device that fails has said so already.
        let Ok(data) = gradient.try_into_data() else {
            return;
        };
        // In the total order what is no number comes last.
        let values = data.iter::<f32>().map(|value| f64::from(value.abs()));
        let Some(value) = values.max_by(f64::total_cmp) else {
            return;
        };
        if self
            .found
            .is_none_or(|(_, other)| value.total_cmp(&other).is_gt())
        {
            self.found = Some((param.id, value));
        }
    }
}
