//! What a list of layers may grow to.

use super::node::Node;
use super::parameters::parameters;
use crate::error::Problem;

/// Maximum number of layers, repetitions included. ResNet-152 has about 520.
pub const MAX_NODES: usize = 8192;

/// Maximum depth of lists within lists.
pub const MAX_DEPTH: usize = 16;

/// Maximum number of values of all parameters: 1 GiB, the same as for every network.
const MAX_VALUES: usize = crate::models::limits::MAX_MODEL_VALUES;

/// Refuses lists whose parameters are more than a network may have, naming the layer that exceeds it.
pub fn refuse_large(nodes: &[Node]) -> Result<(), Problem> {
    let mut total = 0usize;
    for (place, _, shape) in parameters(nodes) {
        let values = shape
            .iter()
            .try_fold(1, |all: usize, &side| all.checked_mul(side));
        total = total.saturating_add(values.unwrap_or(usize::MAX));
        if total > MAX_VALUES {
            let problem = format!(
                "with this layer, the network has more than {MAX_VALUES} weights; make this layer or its input smaller"
            );
            return Err(Problem::new(place, problem));
        }
    }
    Ok(())
}
